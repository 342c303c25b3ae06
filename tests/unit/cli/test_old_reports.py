"""Reports as the version before wrote them: without times, users and commits, all tasks by name."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from reconciler.contract.location import locate_schema
from tests.unit.cli.conftest import Command
from tests.unit.labelstudio.wired import ADDRESS, Hooked, add_tasks

FILES = Path(__file__).parent / "old_reports"


@pytest.fixture(autouse=True)
def copied(tmp_path: Path) -> None:
    """The files, as reports of the server that tests have."""
    for file in FILES.iterdir():
        first, rest = file.read_text(encoding="ascii").split("\n", 1)
        line = json.loads(first)
        line["server"]["url"] = ADDRESS
        (tmp_path / file.name).write_text(f"{json.dumps(line)}\n{rest}", encoding="ascii")


def shown(command: Command, *files: str) -> str:
    ran = command("show", *files)
    assert ran.code == 0
    return ran.output


def test_all_of_them_are_as_the_schema_says():
    schema = json.loads(locate_schema("report.schema.json").read_text(encoding="utf-8"))
    for file in FILES.iterdir():
        for line in file.read_text(encoding="ascii").splitlines():
            if line.endswith("}"):  # one was cut off
                Draft7Validator(schema).validate(json.loads(line))


def test_one_is_shown_with_what_it_changed(command: Command):
    text = shown(command, "first.jsonl")
    assert text.splitlines()[2] == "Apply (time not recorded)"
    assert '    + data.added  {"deep": [1, 2]}  tasks.yaml:4:48\n' in text
    assert text.endswith("\n\nApply: 3 applied.\n")


def test_tasks_that_were_not_started_are_one_line_each_reason(command: Command):
    text = shown(command, "interrupted.jsonl")
    assert text.endswith(
        "\n! 36 tasks not started; run apply again to continue\nApply: 4 applied, 36 not started.\n"
    )
    assert "! 3 tasks not started: not begun: the canary" in shown(command, "canary.jsonl")


def test_what_was_to_be_changed_of_them_is_still_told_to_machines(command: Command):
    document = json.loads(command("show", "interrupted.jsonl", "--format", "json").output)
    assert len(document["tasks"]) == 40
    assert "not_started" not in document
    assert document["tasks"][-1]["changes"][0]["after"] == 2


def test_shards_are_one(command: Command):
    assert "~ 5 tasks: 1-5" in shown(command, "shard-2.jsonl", "shard-1.jsonl")


def test_an_apply_that_was_continued_is_one_in_the_order_given(command: Command):
    assert "~ 40 tasks: 1-40" in shown(command, "interrupted.jsonl", "continued.jsonl")


def test_the_command_line_decides_the_order_and_a_note_says_so(command: Command):
    ran = command("show", "first.jsonl", "second.jsonl")
    assert ran.errors == (
        "reconciler: first.jsonl, second.jsonl do not say when their runs began: "
        "reports are used in the order in which you pass them\n"
    )
    assert '    + data.added  {"deep": [1, 2, 3]}  ' in ran.output
    assert '    + meta.lang  "nl"  ' in ran.output
    assert command("show", "second.jsonl", "first.jsonl").code == 1


def test_one_that_was_cut_off_is_shown_as_far_as_it_goes(command: Command):
    assert shown(command, "cut-off.jsonl").endswith("Apply: 1 applied, the rest is unknown.\n")


def values(server: Hooked) -> dict[int, Any]:
    tasks = deepcopy({number: task.values for number, task in server.state.tasks.items()})
    return {n: {k: v for k, v in task.items() if k != "updated_at"} for n, task in tasks.items()}


def test_two_in_a_row_are_reverted_as_one(server: Hooked, command: Command):
    before = values(server)
    for task, changes in (
        (1, {"overlap": 4, "data": {"text": "Changed.", "added": {"deep": [1, 2, 3]}}}),
        (2, {"meta": {"lang": "nl"}}),
        (3, {"inner_id": 12}),
    ):
        server.state.tasks[task].values.update(changes)
    ran = command("revert", "first.jsonl", "second.jsonl", "--yes")
    assert (ran.code, values(server)) == (0, before)
    assert "reports are used in the order in which you pass them" in ran.errors


def test_what_was_continued_is_reverted_as_one(server: Hooked, command: Command):
    add_tasks(server.state, range(4, 41), project=8)
    before = values(server)
    for task in range(1, 41):
        server.state.tasks[task].values["overlap"] = 2
    ran = command("revert", "interrupted.jsonl", "continued.jsonl", "--yes")
    assert (ran.code, values(server)) == (0, before)
