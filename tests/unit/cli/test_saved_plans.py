"""``plan --out``, ``apply FILE``, and what a plan may not do."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Command, Manifest
from tests.unit.core.building import change, plan_of, update
from tests.unit.labelstudio.wired import Hooked


@pytest.fixture
def saved(server: Hooked, command: Command, manifest: Manifest) -> Path:
    """A plan that was saved: overlap 1 -> 2 of three tasks."""
    assert command("plan", manifest(), "--out", "plan.json").code == 0
    server.requests.clear()
    return Path("plan.json")


def overlaps(server: Hooked) -> list[Any]:
    return [task.values["overlap"] for task in server.state.tasks.values()]


def lines_of(report: str) -> dict[int, str]:
    lines = [json.loads(line) for line in Path(report).read_text(encoding="utf-8").splitlines()]
    return {line["task"]: line["outcome"] for line in lines if "task" in line}


def test_a_saved_plan_is_the_json_plan_for_its_owner_alone(
    server: Hooked, command: Command, manifest: Manifest
):
    printed = command("plan", manifest(), "--format", "json").output
    shown = command("plan", manifest(), "--out", "plan.json").output
    assert Path("plan.json").read_text(encoding="utf-8") == printed
    assert "3 tasks to update" in shown
    assert stat.S_IMODE(Path("plan.json").stat().st_mode) == 0o600
    assert [path.name for path in Path().iterdir() if "plan" in path.name] == ["plan.json"]
    assert server.count("PATCH") == 0


def test_a_saved_plan_is_carried_out_without_its_manifests(
    saved: Path, server: Hooked, command: Command
):
    Path("tasks.yaml").unlink()
    assert command("apply", str(saved), "--yes", "--report", "report.jsonl").code == 0
    assert overlaps(server) == [2, 2, 2]
    assert server.count("PATCH") == 3
    first = json.loads(Path("report.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first["digest"] == json.loads(saved.read_text(encoding="utf-8"))["digest"]


def test_running_it_again_changes_nothing(saved: Path, server: Hooked, command: Command):
    assert command("apply", str(saved), "--yes").code == 0
    server.requests.clear()
    again = command("apply", str(saved), "--yes", "--report", "report.jsonl")
    assert (again.code, server.count("PATCH")) == (0, 0)
    assert set(lines_of("report.jsonl").values()) == {"already"}


def test_what_moved_since_is_left_alone_and_the_rest_is_done(
    saved: Path, server: Hooked, command: Command
):
    tasks = server.state.tasks
    tasks[1].values["overlap"] = 5
    tasks[2].values["overlap"] = 2
    tasks[3].values["data"] = {"text": "edited by hand"}
    ran = command("apply", str(saved), "--yes", "--report", "report.jsonl")
    assert ran.code == 3
    assert lines_of("report.jsonl") == {1: "stale", 2: "already", 3: "applied"}
    assert overlaps(server) == [5, 2, 2]
    assert tasks[3].values["data"] == {"text": "edited by hand"}


def test_a_plan_of_another_server_is_refused(
    saved: Path, server: Hooked, command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LABEL_STUDIO_URL", "http://staging.test")
    refused = command("apply", str(saved), "--yes")
    assert (refused.code, server.count("PATCH")) == (1, 0)
    assert "was made for http://label-studio.test" in refused.errors
    assert "this run uses http://staging.test" in refused.errors


def edited(file: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    edit(document)
    file.write_text(json.dumps(document), encoding="utf-8")


def _declare_nine(document: dict[str, Any]) -> None:
    document["tasks"][0]["changes"][0]["after"] = 9


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_declare_nine, "its digest does not match its changes"),
        (lambda document: document["tasks"].pop(), "its summary does not match its tasks"),
        (lambda document: document.update(format_version="2.0"), "install a newer reconciler"),
        (lambda document: document.update(more=1), "more"),
        (lambda document: document.pop("digest"), "digest"),
    ],
)
def test_a_plan_that_was_edited_is_refused(
    saved: Path,
    server: Hooked,
    command: Command,
    edit: Callable[[dict[str, Any]], object],
    said: str,
):
    edited(saved, edit)
    refused = command("apply", str(saved), "--yes")
    assert (refused.code, server.requests) == (1, [])
    assert said in refused.errors


def test_what_was_not_allowed_cannot_be_written_into_a_plan(
    server: Hooked, command: Command, manifest: Manifest
):
    assert command("plan", manifest(), "--out", "plan.json").code == 0
    problem = {"kind": "annotated-data", "message": "fine", "hint": ""}
    edited(Path("plan.json"), lambda document: document["tasks"][0]["problems"].append(problem))
    refused = command("apply", "plan.json", "--yes")
    assert (refused.code, server.count("PATCH")) == (1, 0)
    assert "its digest does not match its changes" in refused.errors


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_plan_that_was_cut_off_is_refused(
    saved: Path, server: Hooked, command: Command, kept: float
):
    text = saved.read_text(encoding="utf-8").rstrip()
    saved.write_text(text[: int(len(text) * kept)], encoding="utf-8")
    refused = command("apply", str(saved), "--yes")
    assert (refused.code, server.requests) == (1, [])
    assert "cut off" in refused.errors


def test_a_token_that_is_refused_is_one_error_and_no_report(
    saved: Path, server: Hooked, command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "f" * 40)
    ran = command("apply", str(saved), "--yes", "--report", "report.jsonl")
    assert (ran.code, ran.output, server.count("PATCH")) == (1, "", 0)
    assert ran.errors.count("\n") == 1
    assert "Invalid token" in ran.errors
    assert not Path("report.jsonl").exists()


def test_a_plan_is_applied_alone(saved: Path, server: Hooked, command: Command):
    for more in ("tasks.yaml", str(saved)):
        refused = command("apply", str(saved), more, "--yes")
        assert (refused.code, server.requests) == (1, [])
        assert "cannot be applied together with other files" in refused.errors
    refused = command("apply", str(saved), "--yes", "--shard", "1/2")
    assert (refused.code, server.requests) == (1, [])
    assert "--shard" in refused.errors


def test_a_report_is_not_applied_and_a_plan_not_reverted(
    saved: Path, server: Hooked, command: Command
):
    assert command("apply", "tasks.yaml", "--yes", "--report", "report.jsonl").code == 0
    server.requests.clear()
    assert (
        "expected a plan or a manifest, found a report"
        in command("apply", "report.jsonl", "--yes").errors
    )
    assert (
        "plan.json: expected a report, found a plan"
        in command("revert", str(saved), "--yes").errors
    )
    assert server.requests == []


def test_a_plan_does_not_take_the_place_of_a_manifest(
    server: Hooked, command: Command, manifest: Manifest
):
    refused = command("plan", manifest(), "--out", "tasks.yaml")
    assert (refused.code, server.requests) == (1, [])
    assert "the plan would overwrite it" in refused.errors
    assert "version: 1" in Path("tasks.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("out", ["nowhere/plan.json", "tasks.yaml/plan.json"])
@pytest.mark.usefixtures("server")
def test_a_plan_that_cannot_be_saved_is_an_error(command: Command, manifest: Manifest, out: str):
    refused = command("plan", manifest(), "--out", out)
    assert refused.code == 1
    assert f"cannot save the plan to {out}: " in refused.errors


def test_the_digest_that_was_expected_must_be_found(saved: Path, server: Hooked, command: Command):
    other = plan_of(update(1, change("overlap", 1, 3))).digest
    for path in (str(saved), "tasks.yaml"):
        refused = command("apply", path, "--yes", "--expect-digest", other)
        assert (refused.code, server.count("PATCH")) == (1, 0)
        assert f"expected the plan {other}" in refused.errors
    expected = json.loads(saved.read_text(encoding="utf-8"))["digest"]
    assert command("apply", "tasks.yaml", "--yes", "--expect-digest", expected).code == 0
    assert overlaps(server) == [2, 2, 2]


@pytest.mark.parametrize("limit", ["2", "66%", "0"])
def test_a_plan_with_too_many_changes_is_shown_and_not_carried_out(
    saved: Path, server: Hooked, command: Command, limit: str
):
    for path in (str(saved), "tasks.yaml"):
        refused = command("apply", path, "--yes", "--max-changes", limit)
        assert (refused.code, server.count("PATCH")) == (1, 0)
        assert "3 tasks to update" in refused.output
        assert "the plan would change 3 of 3 tasks; the limit is " in refused.errors
    planned = command("plan", "tasks.yaml", "--max-changes", limit)
    assert planned.code == 1
    assert "3 tasks to update" in planned.output
    assert command("apply", str(saved), "--yes", "--max-changes", "100%").code == 0


@pytest.mark.usefixtures("server")
def test_a_limit_that_is_none_is_refused(command: Command, manifest: Manifest):
    refused = command("plan", manifest(), "--max-changes", "many")
    assert refused.code == 1
    assert "expected a number of tasks or a percentage" in refused.errors


def test_what_was_allowed_when_it_was_planned_is_allowed(server: Hooked, command: Command):
    lines = ["version: 1", "project: 7", "policy: {data: replace}", "tasks:"]
    lines += ["  - {id: 1, data: {other: x}}"]
    Path("replacing.yaml").write_text("\n".join(lines), encoding="utf-8")
    assert command("plan", "replacing.yaml", "--out", "blocked.json").code == 1
    assert command("apply", "blocked.json", "--yes").code == 1
    options = ("--allow", "label-config")
    assert command("plan", "replacing.yaml", *options, "--out", "allowed.json").code == 0
    assert server.count("PATCH") == 0
    assert command("apply", "allowed.json", "--yes").code == 0
    assert server.state.tasks[1].values["data"] == {"other": "x"}


@pytest.mark.usefixtures("server")
def test_a_plan_replaces_only_a_plan(command: Command, manifest: Manifest):
    assert command("apply", manifest(), "--yes", "--report", "report.jsonl").code == 0
    Path("note.txt").write_text("keep me", encoding="utf-8")
    Path("empty").touch()
    for file in ("report.jsonl", "note.txt"):
        before = Path(file).read_bytes()
        refused = command("plan", "tasks.yaml", "--out", file)
        assert (refused.code, Path(file).read_bytes()) == (1, before)
        assert (
            f"cannot save the plan to {file}: the file exists and is not a saved plan"
            in refused.errors
        )
    for file in ("empty", "plan.json", "plan.json"):
        assert command("plan", "tasks.yaml", "--out", file).code == 0


@pytest.mark.usefixtures("server")
def test_a_pipe_without_a_reader_is_an_error(command: Command, manifest: Manifest):
    os.mkfifo("pipe")
    assert "cannot save the plan to pipe: " in command("plan", manifest(), "--out", "pipe").errors
    assert (
        "cannot write the report to pipe: "
        in command("apply", manifest(), "--yes", "--report", "pipe").errors
    )


def test_a_saved_plan_keeps_the_impact_on_annotations(server: Hooked, command: Command):
    task = server.state.tasks[1]
    server.state.add_annotation(task, {"result": []})
    task.values["total_annotations"] = 1
    lines = ["version: 1", "project: 7", "tasks: [{id: 1, data: {text: B.}}]"]
    Path("tasks.yaml").write_text("\n".join(lines), encoding="utf-8")
    allow = ("--allow", "annotated-data")
    planned = command("plan", "tasks.yaml", "--impact", "--out", "plan.json", *allow).output
    assert "    1 annotation by 1 person; no regions\n" in planned
    assert command("show", "plan.json").output == planned

    refused = command("apply", "plan.json", "--impact", "--yes")
    assert (refused.code, server.count("PATCH")) == (1, 0)
    assert "--impact cannot be used with a saved plan" in refused.errors
    assert command("apply", "plan.json", "--yes").output.startswith(planned)
