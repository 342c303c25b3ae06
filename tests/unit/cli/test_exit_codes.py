"""What each command line ends with, and where it says what."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import httpx
import pytest

from reconciler.sandbox.access import SANDBOX_TOKEN
from tests.unit.cli.conftest import Command, Manifest
from tests.unit.labelstudio.wired import Hooked


def test_plan_ends_with_0_with_or_without_changes(
    server: Hooked, command: Command, manifest: Manifest
):
    assert command("plan", manifest(overlap=1)).code == 0
    assert command("plan", manifest(overlap=2)).code == 0
    assert server.count("PATCH") == 0


@pytest.mark.parametrize(("overlap", "code"), [(1, 0), (2, 2)])
@pytest.mark.usefixtures("server")
def test_plan_ends_with_2_where_there_are_changes_and_it_was_asked_to(
    command: Command, manifest: Manifest, overlap: int, code: int
):
    assert command("plan", manifest(overlap), "--detailed-exitcode").code == code


@pytest.mark.parametrize("options", [(), ("--detailed-exitcode",)])
@pytest.mark.usefixtures("server")
def test_plan_ends_with_1_after_showing_everything_where_a_task_is_missing(
    command: Command, manifest: Manifest, options: tuple[str, ...]
):
    ran = command("plan", manifest(tasks=4), *options)
    assert ran.code == 1
    assert "Plan: 3 tasks to update (3 changes), 1 missing." in ran.output
    assert ran.errors == (
        "reconciler: 1 task is blocked (fix the manifests; or if intended, pass --allow missing)\n"
    )
    assert command("plan", manifest(tasks=4), "--quiet", *options).errors == ""
    allowed = command("plan", manifest(tasks=4), "--allow", "missing")
    assert (allowed.code, allowed.errors) == (0, "")


def test_apply_ends_with_0_and_the_next_one_sends_nothing(
    server: Hooked, command: Command, manifest: Manifest
):
    assert command("apply", manifest(), "--yes").code == 0
    assert server.count("PATCH") == 3
    again = command("apply", manifest(), "--yes")
    assert again.code == 0
    assert again.output.endswith("No changes: 3 tasks as declared.\n")
    assert server.count("PATCH") == 3


def test_apply_ends_with_1_and_changes_nothing_where_something_is_in_the_way(
    server: Hooked, command: Command, manifest: Manifest
):
    ran = command("apply", manifest(tasks=4), "--yes")
    assert ran.code == 1
    assert "Plan: 3 tasks to update (3 changes), 1 missing." in ran.output
    assert ran.errors == (
        "reconciler: nothing was changed: 1 task is blocked (fix the manifests; or if intended, "
        "pass --allow missing)\n"
    )
    assert server.count("PATCH") == 0


def test_apply_says_only_what_allow_takes(server: Hooked, command: Command, tmp_path: Path):
    (tmp_path / "tasks.yaml").write_text(
        "version: 1\ntasks:\n  - {id: 1, project: 8, comment_count: 3}\n", encoding="utf-8"
    )
    server.state.add_project("Other", number=8)
    ran = command("apply", "tasks.yaml", "--yes")
    assert ran.errors.endswith("if intended, pass --allow project-move)\n")


def test_apply_ends_with_3_where_only_some_tasks_could_be_changed(
    server: Hooked, command: Command, manifest: Manifest
):
    server.hook = lambda request: (
        httpx.Response(400, json={"detail": "No."})
        if request.method == "PATCH" and request.url.path == "/api/tasks/2/"
        else None
    )
    ran = command("apply", manifest(), "--yes")
    assert ran.code == 3
    assert ran.output.endswith(
        "! task 2  failed: PATCH http://label-studio.test/api/tasks/2/ returned 400: No.\n"
        "Apply: 2 applied, 1 failed.\n"
    )
    assert ran.errors == ""


def test_apply_without_yes_and_without_a_terminal_is_refused_after_showing_the_plan(
    server: Hooked, command: Command, manifest: Manifest
):
    ran = command("apply", manifest())
    assert ran.code == 1
    assert "Plan: 3 tasks to update (3 changes)." in ran.output
    assert ran.errors == (
        "reconciler: nothing was changed: standard input is not a terminal, so the command cannot "
        "ask (if you have reviewed the plan, pass --yes)\n"
    )
    assert server.count("PATCH") == 0


@pytest.mark.usefixtures("server")
def test_apply_without_changes_asks_nothing(command: Command, manifest: Manifest):
    ran = command("apply", manifest(overlap=1))
    assert (ran.code, ran.errors) == (0, "")


def test_a_report_is_written_for_its_owner_alone(
    server: Hooked, command: Command, manifest: Manifest, tmp_path: Path
):
    assert command("apply", manifest(), "--yes", "--report", "report.jsonl").code == 0
    report = tmp_path / "report.jsonl"
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    first, *tasks, last = map(json.loads, report.read_text(encoding="ascii").splitlines())
    assert (first["format_version"], first["kind"]) == ("1.0", "report")
    assert sorted(task["task"] for task in tasks) == [1, 2, 3]
    assert last.pop("ended") >= first["started"]
    assert last == {"summary": {"applied": 3}, "requests": len(server.requests)}
    assert SANDBOX_TOKEN not in report.read_text(encoding="ascii")


def test_a_report_that_cannot_be_made_ends_with_1_before_anything_is_changed(
    server: Hooked, command: Command, manifest: Manifest
):
    ran = command("apply", manifest(), "--yes", "--report", "none/report.jsonl")
    assert ran.code == 1
    assert "cannot write the report to none/report.jsonl: No such file" in ran.errors
    assert server.count("PATCH") == 0


def test_a_disk_that_is_full_from_the_start_ends_with_1_before_anything_is_changed(
    server: Hooked, command: Command, manifest: Manifest
):
    ran = command("apply", manifest(), "--yes", "--report", "/dev/full")
    assert ran.code == 1
    assert "cannot write the report to /dev/full: No space left on device" in ran.errors
    assert server.count("PATCH") == 0


def test_a_disk_that_fills_up_ends_with_3_before_the_next_update(
    server: Hooked, command: Command, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
):
    synced: list[int] = []

    def full_after_two_lines(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) > 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_after_two_lines)
    arguments = ("--yes", "--concurrency", "1", "--report", "report.jsonl")
    ran = command("apply", manifest(), *arguments)
    assert ran.code == 3
    assert server.count("PATCH") == 2
    stopped, missing, *lines = ran.errors.splitlines()
    assert stopped == (
        "reconciler: stopped: cannot write the report to report.jsonl: No space left on device; "
        "run it again with another --report to continue"
    )
    assert missing == "These lines could not be written; append them to the report to complete it:"
    assert not command("show", "report.jsonl", "--format", "json").output.count('"complete": true')
    with Path("report.jsonl").open("a", encoding="utf-8") as report:
        report.write("\n".join(lines))
    whole = json.loads(command("show", "report.jsonl", "--format", "json").output)
    assert whole["complete"]
    assert whole["summary"] == {"applied": 2, "interrupted": 1}


def test_a_manifest_does_not_give_way_to_the_report(
    server: Hooked, command: Command, manifest: Manifest, tmp_path: Path
):
    file = manifest()
    before = (tmp_path / "tasks.yaml").read_bytes()
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "tasks.yaml")
    for report in ("tasks.yaml", "link.jsonl"):
        ran = command("apply", file, "--yes", "--report", report)
        assert (ran.code, "the report would overwrite it" in ran.errors) == (1, True)
    assert ((tmp_path / "tasks.yaml").read_bytes(), server.requests) == (before, [])


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("timeout", ["nan", "inf", "1e308", "86401"])
def test_a_timeout_out_of_range_is_refused(command: Command, manifest: Manifest, timeout: str):
    ran = command("plan", manifest(), "--timeout", timeout)
    assert (ran.code, "s for a response (set timeout to" in ran.errors) == (1, True)


def test_a_second_run_keeps_the_report_of_the_first(
    server: Hooked, command: Command, manifest: Manifest, tmp_path: Path
):
    first = command("apply", manifest(), "--yes", "--report", "report.jsonl")
    second = command("apply", manifest(), "--yes", "--report", "report.jsonl")
    assert (first.code, second.code, server.count("PATCH")) == (0, 0, 3)
    assert second.errors == "The earlier report is kept as report.jsonl.1.\n"
    assert len((tmp_path / "report.jsonl.1").read_text().splitlines()) == 5
    assert len((tmp_path / "report.jsonl").read_text().splitlines()) == 2


def test_validate_asks_no_server(command: Command, manifest: Manifest):
    ran = command("validate", manifest())
    assert (ran.code, ran.output, ran.errors) == (0, "", "Valid: 3 tasks declared.\n")
    assert command("validate", manifest(), "--quiet").errors == ""


@pytest.mark.parametrize("name", ["validate", "plan", "apply"])
def test_problems_in_manifests_end_with_1_one_a_line(
    command: Command, server: Hooked, tmp_path: Path, name: str
):
    (tmp_path / "tasks.yaml").write_text(
        "version: 1\ntasks:\n  - {id: 1, overlap: yes}\n  - {id: 0}\n", encoding="utf-8"
    )
    ran = command(name, "tasks.yaml")
    assert ran.code == 1
    assert ran.output == ""
    *problems, total = ran.errors.splitlines()
    assert [problem.split(":")[:3] for problem in problems] == [
        ["tasks.yaml", "3", "22"],
        ["tasks.yaml", "4", "10"],
    ]
    assert total == "2 problems in the manifests"
    assert server.requests == []


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("plan",),
        ("apply",),
        ("plan", "x.yaml", "--no-such-option"),
        ("plan", "x.yaml", "--format", "xml"),
        ("plan", "x.yaml", "--allow", "everything"),
        ("plan", "x.yaml", "--allow", "computed"),
        ("apply", "x.yaml", "--concurrency", "0"),
        ("apply", "x.yaml", "--concurrency", "many"),
        ("apply", "x.yaml", "--rps", "-1"),
        ("plan", "x.yaml", "--timeout", "0"),
        ("nonsense",),
        ("sandbox", "--port", "99999"),
    ],
)
def test_bad_usage_ends_with_1_and_not_with_2(command: Command, arguments: tuple[str, ...]):
    ran = command(*arguments)
    assert ran.code == 1
    assert ran.output == ""
    assert "Usage: reconciler" in ran.errors


@pytest.mark.usefixtures("server")
def test_verbose_says_how_and_quiet_says_nothing_beside_results(
    command: Command, manifest: Manifest
):
    loud = command("plan", manifest(), "--verbose")
    chosen, spent = loud.errors.splitlines()
    assert chosen == "project 7: reading 3 tasks by selected ids (1 request, about 0.1 s)"
    assert spent.startswith("read 3 tasks in 4 requests, ")
    assert command("plan", manifest(), "--quiet").errors == ""
    assert command("plan", manifest(), "--quiet", "--verbose").errors == ""
    assert command("plan", manifest()).output == loud.output


@pytest.mark.usefixtures("server")
def test_a_plan_as_json_is_all_of_standard_output(command: Command, manifest: Manifest):
    ran = command("plan", manifest(), "--format", "json", "--verbose")
    assert json.loads(ran.output)["summary"]["update"] == 3
    assert ran.output.isascii()


def test_a_folder_that_was_deleted_is_named_as_the_cause(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    ran = command("validate", ".")
    assert (ran.code, ran.errors) == (
        1,
        "reconciler: the current folder no longer exists (change to one that does)\n",
    )
