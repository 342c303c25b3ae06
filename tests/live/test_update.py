"""Manifests that are brought to the live values: on the server, the next plan is empty."""

from __future__ import annotations

import json
from pathlib import Path

from tests.live.command_line import Command
from tests.live.under_test import ServerUnderTest

TASKS = 60
EDITS = 3


def test_three_values_that_changed_on_the_server_are_three_lines(
    server: ServerUnderTest, command: Command, tmp_path: Path
):
    project, tasks = server.make_tasks(TASKS)
    assert command("pull", "--project", str(project), "--out", str(tmp_path / "m")).code == 0
    (file,) = (tmp_path / "m").glob("*.yaml")
    before = file.read_text().splitlines()
    for task in tasks[:EDITS]:
        server.update(task, {"data": {"text": f"new {task}: # 'text'"}})

    assert command("pull", str(file), "--update").code == 0

    after = file.read_text().splitlines()
    assert len(before) == len(after)
    assert sum(old != new for old, new in zip(before, after, strict=True)) == EDITS
    ran = command("plan", str(file), "--format", "json")
    assert [task for task in json.loads(ran.out)["tasks"] if task["changes"]] == []


def test_what_the_server_lacks_and_adds_is_followed(
    server: ServerUnderTest, command: Command, tmp_path: Path
):
    task = server.make_task({"a": 1, "gone": [1, 2]}, {"k": "v"})
    file = tmp_path / "tasks.yaml"
    file.write_text(
        "version: 1\npolicy: {data: replace}\ntasks:\n"
        f"  - id: {task}\n    data: {{text: text, a: 1, gone: [1, 2]}}\n    meta: {{k: v}}\n"
    )
    server.update(task, {"data": {"text": "text", "a": 1.5, "new": {"x": None}}, "meta": {}})

    assert command("pull", str(file), "--update").code == 0

    assert "data: {text: text, a: 1.5, new: {x: null}}\n    meta: {}\n" in file.read_text()
    ran = command("plan", str(file), "--format", "json")
    assert [task for task in json.loads(ran.out)["tasks"] if task["changes"]] == []


def test_tasks_that_were_imported_later_are_added(
    server: ServerUnderTest, command: Command, tmp_path: Path
):
    project, _ = server.make_tasks(2)
    assert command("pull", "--project", str(project), "--out", str(tmp_path / "m")).code == 0
    (file,) = (tmp_path / "m").glob("*.yaml")
    before = file.read_text()
    [added] = server.import_tasks(project, [{"data": {"text": "later"}}])

    assert command("pull", str(file), "--update", "--add").code == 0

    assert file.read_text() == f"{before}  - id: {added}\n    data:\n      text: later\n"
    ran = command("plan", str(file), "--format", "json")
    assert [task for task in json.loads(ran.out)["tasks"] if task["changes"]] == []
