"""Plans that are applied later than they were made, and applies that are undone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from reconciler.artifacts.saved_file import read_saved
from reconciler.core.report import Report
from tests.live.command_line import Command
from tests.live.twenty import Declared, declared, written
from tests.live.under_test import ServerUnderTest


@pytest.fixture
def tasks(server: ServerUnderTest) -> Declared:
    return declared(server)


def outcomes(report: str) -> dict[int, str]:
    read = read_saved(report)
    assert isinstance(read, Report)
    return {outcome.task: outcome.outcome.value for outcome in read.outcomes}


def planned_digest(command: Command, manifest: str) -> str:
    return str(command("plan", manifest, "--format", "json").plan()["digest"])


def all_written(tasks: Declared, before: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {task: written(before[task], n) for n, task in enumerate(tasks.ids)}


def test_a_saved_plan_does_what_it_says_and_nothing_the_second_time(
    tasks: Declared, command: Command
):
    before = tasks.stored()
    assert command("plan", tasks.manifest(), "--out", "plan.json").code == 0
    assert Path("plan.json").stat().st_mode & 0o777 == 0o600
    Path("tasks.json").unlink()
    assert command("apply", "plan.json", "--yes", "--report", "one.jsonl").code == 0
    assert tasks.stored() == all_written(tasks, before)
    assert command("apply", "plan.json", "--yes", "--report", "two.jsonl").code == 0
    assert set(outcomes("two.jsonl").values()) == {"already"}


def test_a_saved_plan_leaves_alone_what_has_moved_since(
    server: ServerUnderTest, tasks: Declared, command: Command
):
    before = tasks.stored()
    command("plan", tasks.manifest(), "--out", "plan.json")
    done, stale, beside = tasks.ids[0], tasks.ids[1], tasks.ids[2]
    server.update(done, {"overlap": 3})
    server.update(stale, {"data": {**before[stale]["data"], "text": "theirs"}})
    server.update(beside, {"data": {**before[beside]["data"], "new": "theirs"}})
    moved = tasks.stored()
    ran = command("apply", "plan.json", "--yes", "--report", "report.jsonl")
    assert ran.code == 3, ran.out + ran.err
    expected = dict.fromkeys(tasks.ids, "applied") | {done: "already", stale: "stale"}
    assert outcomes("report.jsonl") == expected
    assert tasks.stored() == {**all_written(tasks, moved), stale: moved[stale]}


def test_a_saved_plan_that_was_edited_is_refused(tasks: Declared, command: Command):
    before = tasks.stored()
    command("plan", tasks.manifest(), "--out", "plan.json")
    text = Path("plan.json").read_text()
    for damaged in (text.replace("another text", "other text"), text[: len(text) // 2], "{}"):
        Path("plan.json").write_text(damaged)
        assert command("apply", "plan.json", "--yes").code == 1
    assert tasks.stored() == before


def test_revert_brings_every_declared_path_back(tasks: Declared, command: Command):
    before = tasks.stored()
    assert command("apply", tasks.manifest(), "--yes", "--report", "report.jsonl").code == 0
    assert tasks.stored() == all_written(tasks, before)
    ran = command("revert", "report.jsonl", "--yes", "--report", "reverted.jsonl")
    assert ran.code == 0, ran.out + ran.err
    assert tasks.stored() == before
    assert set(outcomes("reverted.jsonl").values()) == {"applied"}
    again = command("revert", "report.jsonl", "--yes")
    assert (again.code, tasks.stored()) == (0, before)
    assert command("revert", "reverted.jsonl", "--yes").code == 0
    assert tasks.stored() == all_written(tasks, before)


def test_revert_keeps_what_was_edited_since(
    server: ServerUnderTest, tasks: Declared, command: Command
):
    before = tasks.stored()
    command("apply", tasks.manifest(), "--yes", "--report", "report.jsonl")
    edited, beside = tasks.ids[1], tasks.ids[6]
    now = tasks.stored()
    server.update(edited, {"data": {**now[edited]["data"], "text": "theirs"}})
    server.update(beside, {"data": {**now[beside]["data"], "new": "theirs"}})
    moved = tasks.stored()

    refused = command("revert", "report.jsonl", "--yes")
    assert (refused.code, tasks.stored()) == (1, moved)
    assert "edited since the apply: data.text" in refused.out
    assert "--allow edited-since" in refused.err
    assert command("revert", "report.jsonl", "--yes", "--allow", "edited-since").code == 0
    kept = {**before[beside], "data": {**before[beside]["data"], "new": "theirs"}}
    assert tasks.stored() == {**before, edited: moved[edited], beside: kept}


def test_runs_in_a_row_are_shown_and_undone_as_one(tasks: Declared, command: Command):
    before = tasks.stored()
    first = tasks.manifest()
    assert command("apply", first, "--yes", "--report", "one.jsonl").code == 0
    document = json.loads(Path(first).read_text())
    for task in document["tasks"]:
        task.pop("absent", None)
        task |= {"overlap": 5, "data": {"text": "once more", "source": {"crawl": None}}}
    Path("more.json").write_text(json.dumps(document))
    assert command("apply", "more.json", "--yes", "--report", "two.jsonl").code == 0

    shown = command("show", "two.jsonl", "one.jsonl")
    assert shown.code == 0, shown.err
    assert shown.out.count("    user    ") == 2
    assert re.search(r"^~ overlap .* 1 -> 5  ", shown.out, re.MULTILINE), shown.out
    ran = command("revert", "two.jsonl", "one.jsonl", "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert tasks.stored() == before


def test_a_canary_that_holds_lets_the_others_go(tasks: Declared, command: Command):
    before = tasks.stored()
    assert command("apply", tasks.manifest(), "--yes", "--canary", "3").code == 0
    assert tasks.stored() == all_written(tasks, before)


def test_a_canary_that_does_not_hold_keeps_the_others_back(
    community: ServerUnderTest, command: Command
):
    tasks = declared(community, 5)
    before = tasks.stored()
    lines = [{"id": task, "overlap": 4} for task in tasks.ids]
    lines[1]["avg_lead_time"] = 7  # ignored, with a 200
    manifest = {"version": 1, "project": tasks.project, "tasks": lines}
    Path("tasks.json").write_text(json.dumps(manifest))
    options = ("--canary", "2", "--allow", "ignored-attribute", "--report", "report.jsonl")
    ran = command("apply", "tasks.json", "--yes", *options)
    assert ran.code == 3
    expected = ["applied", "not_honoured", "interrupted", "interrupted", "interrupted"]
    assert outcomes("report.jsonl") == dict(zip(tasks.ids, expected, strict=True))
    assert (
        "! 3 tasks not started: the canary failed: not all of its tasks are as declared\n"
        in ran.out
    )
    after = tasks.stored()
    assert [task for task in tasks.ids if after[task] == before[task]] == list(tasks.ids[2:])


def test_another_plan_than_was_looked_at_is_refused(
    server: ServerUnderTest, tasks: Declared, command: Command
):
    digest = planned_digest(command, tasks.manifest())
    server.update(tasks.ids[0], {"overlap": 2})
    moved = tasks.stored()
    refused = command("apply", "tasks.json", "--yes", "--expect-digest", digest)
    assert (refused.code, tasks.stored()) == (1, moved)
    assert digest in refused.err
    found = planned_digest(command, "tasks.json")
    assert command("apply", "tasks.json", "--yes", "--expect-digest", found).code == 0
    assert tasks.stored() == all_written(tasks, moved)


@pytest.mark.parametrize(("limit", "code"), [("19", 1), ("95%", 1), ("20", 0), ("100%", 0)])
def test_no_more_is_changed_than_may_be(tasks: Declared, command: Command, limit: str, code: int):
    before = tasks.stored()
    ran = command("apply", tasks.manifest(), "--yes", "--max-changes", limit)
    assert ran.code == code
    assert ("max-changes" in ran.err) is bool(code)
    assert tasks.stored() == (before if code else all_written(tasks, before))
