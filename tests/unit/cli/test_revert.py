"""``revert``: the same checks on the way back."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.sandbox.sandbox_transport import SandboxTransport
from tests.unit.cli.conftest import Command
from tests.unit.labelstudio.wired import Hooked

MIXED = """\
version: 1
project: 7
tasks:
  - {id: 1, overlap: 3, data: {text: Changed., added: {deep: [1, 2]}}}
  - {id: 2, meta: {lang: en}, absent: [data.extra]}
  - {id: 3, inner_id: 12, data: {text: Sentence 3.}}
"""


@pytest.fixture
def applied(server: Hooked, command: Command) -> dict[int, Any]:
    """Apply mixed changes with a report; gives what the tasks were before."""
    server.state.tasks[2].values["data"] = {"text": "Sentence 2.", "extra": None}
    before = values(server)
    Path("mixed.yaml").write_text(MIXED, encoding="utf-8")
    assert command("apply", "mixed.yaml", "--yes", "--report", "report.jsonl").code == 0
    assert values(server) != before
    server.requests.clear()
    return before


def values(server: Hooked) -> dict[int, Any]:
    tasks = deepcopy({number: task.values for number, task in server.state.tasks.items()})
    for task in tasks.values():
        task.pop("updated_at", None)
    return tasks


def test_it_brings_everything_back(applied: dict[int, Any], server: Hooked, command: Command):
    ran = command("revert", "report.jsonl", "--yes", "--report", "reverted.jsonl")
    assert (ran.code, server.count("PATCH")) == (0, 3)
    assert values(server) == applied
    again = command("revert", "report.jsonl", "--yes")
    assert (again.code, server.count("PATCH")) == (0, 3)


def test_a_revert_is_reverted_by_its_own_report(
    applied: dict[int, Any], server: Hooked, command: Command
):
    after = values(server)
    assert command("revert", "report.jsonl", "--yes", "--report", "reverted.jsonl").code == 0
    assert values(server) == applied
    assert command("revert", "reverted.jsonl", "--yes").code == 0
    assert values(server) == after


KEYED = """\
version: 1
project: 7
key: data.text
tasks:
  - {key: Sentence 1., overlap: 3}
  - {keys: [Sentence 2., Sentence 3.], overlap: 4}
"""


def test_keys_name_the_tasks_on_the_way_back_too(server: Hooked, command: Command):
    Path("keyed.yaml").write_text(KEYED, encoding="utf-8")
    assert command("apply", "keyed.yaml", "--yes", "--report", "report.jsonl").code == 0
    server.state.tasks[3].values["overlap"] = 9
    ran = command(
        *("revert", "report.jsonl", "--yes", "--allow", "edited-since"),
        *("--report", "reverted.jsonl"),
    )
    assert ran.code == 0
    for name in ("1 (Sentence 1.)", "2 (Sentence 2.)", "3 (Sentence 3.)"):
        assert f"task {name}" in ran.output
    shown = command("show", "reverted.jsonl", "--format", "json").output
    keys = {one["task"]: one["key"]["value"] for one in json.loads(shown)["tasks"]}
    assert keys == {1: "Sentence 1.", 2: "Sentence 2.", 3: "Sentence 3."}
    assert command("revert", "reverted.jsonl", "--yes").code == 0
    assert [server.state.tasks[task].values["overlap"] for task in (1, 2)] == [3, 4]


def test_a_task_whose_key_was_changed_since_is_reverted_by_its_id(server: Hooked, command: Command):
    Path("keyed.yaml").write_text(KEYED, encoding="utf-8")
    assert command("apply", "keyed.yaml", "--yes", "--report", "report.jsonl").code == 0
    server.state.tasks[1].values["data"] = {"text": "Another."}
    ran = command("revert", "report.jsonl", "--yes")
    assert ran.code == 0
    assert "~ task 1  keyed.yaml" in ran.output
    assert server.state.tasks[1].values["overlap"] != 3


@pytest.mark.usefixtures("applied")
def test_what_was_edited_since_is_in_the_way_and_stays(server: Hooked, command: Command):
    server.state.tasks[1].values["overlap"] = 9
    edited = deepcopy(server.state.tasks[1].values)
    refused = command("revert", "report.jsonl", "--yes")
    assert (refused.code, server.count("PATCH")) == (1, 0)
    assert "edited since the apply: overlap" in refused.output
    assert "--allow edited-since" in refused.errors
    assert command("revert", "report.jsonl", "--yes", "--allow", "edited-since").code == 0
    assert server.count("PATCH") == 2
    assert server.state.tasks[1].values == edited


@pytest.mark.usefixtures("applied")
def test_an_edit_beside_it_survives(server: Hooked, command: Command):
    stored: dict[str, Any] = server.state.tasks[1].values
    stored["data"]["note"] = "mine"
    assert command("revert", "report.jsonl", "--yes").code == 0
    assert server.state.tasks[1].values["data"] == {"text": "Sentence 1.", "note": "mine"}


def test_what_was_already_so_is_not_undone(server: Hooked, command: Command):
    Path("mixed.yaml").write_text(MIXED, encoding="utf-8")
    assert command("plan", "mixed.yaml", "--out", "plan.json").code == 0
    server.state.tasks[1].values["overlap"] = 3
    server.state.tasks[3].values["inner_id"] = 12
    assert command("apply", "plan.json", "--yes", "--report", "report.jsonl").code == 0
    assert command("revert", "report.jsonl", "--yes").code == 0
    assert server.state.tasks[1].values["overlap"] == 3
    assert server.state.tasks[3].values["inner_id"] == 12
    assert server.state.tasks[1].values["data"] == {"text": "Sentence 1."}


@pytest.mark.usefixtures("applied")
def test_a_report_that_was_cut_off_is_reverted_as_far_as_it_goes(server: Hooked, command: Command):
    lines = Path("report.jsonl").read_text(encoding="utf-8").splitlines()
    Path("cut.jsonl").write_text("\n".join(lines[:2]) + '\n{"task": 2, "outc', encoding="utf-8")
    ran = command("revert", "cut.jsonl", "--yes")
    assert (ran.code, server.count("PATCH")) == (0, 1)
    assert "cut.jsonl is incomplete" in ran.errors


@pytest.mark.usefixtures("applied")
def test_a_report_of_another_server_is_refused(
    server: Hooked, command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LABEL_STUDIO_URL", "http://staging.test")
    refused = command("revert", "report.jsonl", "--yes")
    assert (refused.code, server.count("PATCH")) == (1, 0)
    assert "was made for http://label-studio.test" in refused.errors


@pytest.mark.usefixtures("applied")
def test_it_asks_first_and_keeps_to_limits(server: Hooked, command: Command):
    for options, said in (((), "not a terminal"), (("--yes", "--max-changes", "1"), "max-changes")):
        refused = command("revert", "report.jsonl", *options)
        assert (refused.code, server.count("PATCH")) == (1, 0)
        assert said in refused.errors


def test_what_was_stored_although_it_failed_goes_back_too(server: Hooked, command: Command):
    """The answer says 500 for good, the last look cannot read: it may be stored, and it is."""
    before = values(server)

    def stored_and_gone(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH":
            server.hook = lambda _request: httpx.Response(502, text="gone")
            return SandboxTransport.handle_request(server, request)
        return None

    Path("one.yaml").write_text(
        "version: 1\nproject: 7\ntasks: [{id: 1, overlap: 2}]\n", encoding="utf-8"
    )
    server.hook = stored_and_gone
    assert command("apply", "one.yaml", "--yes", "--report", "report.jsonl").code == 3
    server.hook = lambda _request: None
    lines = Path("report.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[-2])["outcome"] == "failed"
    assert command("revert", "report.jsonl", "--yes").code == 0
    assert values(server) == before


def run_of(command: Command, number: int, tasks: str) -> str:
    """Apply what is declared of tasks, and name the report."""
    manifest = f"version: 1\nproject: 7\ntasks: [{tasks}]\n"
    Path("row.yaml").write_text(manifest, encoding="utf-8")
    assert command("apply", "row.yaml", "--yes", "--report", f"{number}.jsonl").code == 0
    return f"{number}.jsonl"


def test_runs_in_a_row_are_undone_as_one_in_whatever_order_they_are_given(
    server: Hooked, command: Command
):
    before = values(server)
    reports = [
        run_of(command, 1, "{id: 1, overlap: 2, meta: {a: {b: 1}}}, {id: 2, overlap: 2}"),
        run_of(command, 2, "{id: 1, overlap: 3, meta: {a: {b: 2, c: 3}}}"),
        run_of(command, 3, "{id: 3, inner_id: 9}, {id: 1, absent: [meta.a]}"),
    ]
    server.requests.clear()
    ran = command("revert", *reversed(reports), "--yes", "--report", "back.jsonl")
    assert (ran.code, values(server), server.count("PATCH")) == (0, before, 3)
    assert "    ~ overlap  3 -> 1  " in ran.output
    again = command("revert", *reports, "back.jsonl", "--yes")
    assert (again.code, server.count("PATCH")) == (0, 3)


def test_an_edit_after_the_last_of_them_is_in_the_way(server: Hooked, command: Command):
    reports = [run_of(command, n, f"{{id: 1, overlap: {n}}}") for n in (2, 3)]
    server.state.tasks[1].values["overlap"] = 2  # as the first of them left it
    refused = command("revert", *reports, "--yes")
    assert (refused.code, "edited since the apply: overlap" in refused.output) == (1, True)


def test_what_the_last_of_them_failed_to_change_goes_back_to_before_the_first(
    server: Hooked, command: Command
):
    before = values(server)
    reports = [run_of(command, 2, "{id: 1, overlap: 2}")]
    server.hook = lambda request: (
        httpx.Response(400, json={"detail": "No."}) if request.method == "PATCH" else None
    )
    Path("row.yaml").write_text(
        "version: 1\nproject: 7\ntasks: [{id: 1, overlap: 3}]\n", encoding="utf-8"
    )
    assert command("apply", "row.yaml", "--yes", "--report", "3.jsonl").code == 3
    server.hook = lambda _request: None
    ran = command("revert", *reports, "3.jsonl", "--yes")
    assert (ran.code, values(server)) == (0, before)


def test_a_report_is_reverted_once(server: Hooked, command: Command):
    report = run_of(command, 2, "{id: 1, overlap: 2}")
    server.requests.clear()
    refused = command("revert", report, f"./{report}", "--yes")
    assert (refused.code, "was passed twice" in refused.errors, server.requests) == (1, True, [])


def test_what_a_revert_did_not_start_is_gone_on_with_by_revert(
    server: Hooked, command: Command, monkeypatch: pytest.MonkeyPatch
):
    run_of(command, 2, "{id: 1, overlap: 2}, {id: 2, overlap: 2}")
    monkeypatch.setenv("RECONCILER_CONCURRENCY", "1")
    server.hook = lambda request: (
        httpx.Response(401, json={"detail": "No."}) if request.method == "PATCH" else None
    )
    ran = command("revert", "2.jsonl", "--yes", "--report", "back.jsonl")
    said = "! 1 task not started; run revert again to continue\nRevert: 1 failed, 1 not started.\n"
    assert (ran.code, ran.output[-len(said) :]) == (3, said)
    assert command("show", "back.jsonl").output.endswith(said)


@pytest.mark.parametrize("name", ["m.yaml", "none.jsonl"])
def test_what_is_not_a_report_is_refused_with_what_to_pass(name: str, command: Command):
    Path("m.yaml").write_text("version: 1\ntasks: []\n", encoding="utf-8")
    ran = command("revert", name)
    assert ran.code == 1
    assert ran.errors.endswith("(pass the report that apply --report wrote)\n")
