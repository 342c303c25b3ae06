"""Manifests from live tasks: what pull relies on, and that a plan right after is empty."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.live.command_line import Command
from tests.live.under_test import ServerUnderTest

ODD: tuple[dict[str, Any], ...] = (
    {"text": "no"},
    {"text": "1e3", "n": 1e3, "m": 1000, "f": 1.0, "z": -0.0},
    {"text": "", "empty": {}, "none": None, "list": [], "nested": [{}, [], None]},
    {"text": "a\nb\n", "lines": "  a\n b\n\n", "tab": "\ta\nb", "cr": "a\r\nb"},
    {"text": "2026-10-01", "time": "12:30", "octal": "012", "yes": "y", "on": "on"},
    {"text": "日本語 नमस्ते مرحبا 👨‍👩‍👧 می‌خواهم", "\u2028": "\x85\ufeff\u200e"},
    {
        "text": "# no comment",
        "- a": ": b",
        "a: b": "{x}",
        "[": "]",
        "&a": "*a",
        "!t": "|",
        "<<": "x",
    },
    {"text": 'it\'s "quoted" \\ and \x1b[31m red\x7f', "null": "null", "~": "~", "true": True},
    {"text": "x" * 20_000, "k" * 1_500: "long key"},
    {"text": "deep", "d": {"a": {"b": {"c": [[[[{"e": [1, [2, [3]]]}]]]]}}}},
    {"text": "boxes", "boxes": [{"x": 1.5, "y": 2, "w": 0.1, "h": 1e-7}] * 50},
    {"text": "big", "n": 123456789012345678901234567890, "e": 1e300, "small": 5e-324},
    {"text": "s3://bucket/a b.jpg", "url": "https://a.b/c?d=e&f=g#h", "$x": "$undefined"},
    {"text": "keys", "a.b": 1, "a": {"b": 2}, " ": 3, "": 4, "1": 5, "é": 6, "A": 7},
    {"text": "text", "chat": [{"role": "user", "content": "a: b\n- c"}] * 5},
)
FIFTY = tuple({**ODD[n % len(ODD)], "key": f"k-{n}", "split": n % 4} for n in range(50))


@pytest.fixture
def odd(server: ServerUnderTest) -> tuple[int, list[int]]:
    """Give a project with 50 odd tasks, as they are stored."""
    project = server.make_project()
    tasks = server.import_tasks(project, [{"data": {"text": "t"}} for _ in FIFTY])
    for number, (task, data) in enumerate(zip(tasks, FIFTY, strict=True)):
        meta = [{}, {"a": 1}, None, [1, "no"], "on"][number % 5]
        server.update(task, {"data": data, "meta": meta, "overlap": 1 + number % 2})
    return project, tasks


def list_after(server: ServerUnderTest, project: int, task: object, **query: int) -> dict[str, Any]:
    """List the tasks after an id, or between two, by a filter; gives the whole answer."""
    item = {
        "filter": "filter:tasks:id",
        "operator": "in" if isinstance(task, dict) else "greater",
        "type": "Number",
        "value": task,
    }
    asked = json.dumps({"filters": {"conjunction": "and", "items": [item]}})
    answer = server.page(project, include="id", query=asked, **query)
    assert answer.is_success, answer.text[:300]
    return dict(answer.json())


def test_a_filter_lists_the_tasks_after_an_id_in_order(server: ServerUnderTest) -> None:
    project, tasks = server.make_tasks(7)

    for place, task in enumerate([0, *tasks]):
        answer = list_after(server, project, task, page=1, page_size=3)
        assert [row["id"] for row in answer["tasks"]] == tasks[place : place + 3]
        assert answer["total"] == len(tasks) - place
    assert list_after(server, project, 2**63 - 1)["tasks"] == []
    between = list_after(server, project, {"min": tasks[2], "max": tasks[4]})
    assert [row["id"] for row in between["tasks"]] == tasks[2:5]


def test_a_new_task_has_no_meta_and_no_other_values_of_its_own(server: ServerUnderTest) -> None:
    _, (task,) = server.make_tasks(1)

    shown = server.read(task, include="meta,overlap,allow_skip")

    assert shown["meta"] in ({}, None)
    assert shown["overlap"] == 1
    assert shown.get("allow_skip") in {None, True}


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--format", "json", "--hoist", "--per-file", "20"),
        ("--format", "jsonl", "--split-by", "data.split"),
        ("--key", "data.key", "--split-by", "data.text", "--hoist"),
    ],
    ids=["plain", "json", "jsonl", "keys"],
)
def test_a_plan_after_a_pull_is_empty(
    command: Command, odd: tuple[int, list[int]], options: Sequence[str]
) -> None:
    project, tasks = odd

    pulled = command("pull", "--project", str(project), "--out", "pulled", *options)

    assert pulled.code == 0, pulled.err
    assert pulled.out.endswith(
        f"Pulled {len(tasks)} tasks of project {project}.\nNext: reconciler plan pulled\n"
    )
    planned = command("plan", "pulled", "--format", "json")
    assert planned.code == 0, planned.err
    assert planned.paths() == {}
    assert planned.plan()["summary"]["tasks"] == len(tasks)


def iterate_paths(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from iterate_paths(inner, (*path, key))
    else:
        yield path


def test_a_plan_shows_each_change_of_what_was_pulled(
    command: Command, server: ServerUnderTest, odd: tuple[int, list[int]]
) -> None:
    project, tasks = odd
    assert command("pull", "--project", str(project), "--out", "pulled").code == 0
    expected = {}
    for task, data in zip(tasks[: len(ODD)], ODD, strict=True):
        paths = [path for path in iterate_paths(data, ("data",)) if data.get(path[-1]) != {}]
        expected[task] = {".".join(path) for path in paths} | {"data.key", "data.split"}
        changed = _replace_leaves({**data, "key": "", "split": ""})
        server.update(task, {"data": changed})

    found = command("plan", "pulled", "--format", "json").paths()

    assert {task: set(paths[1:]) for task, paths in found.items()} == expected


def _replace_leaves(value: object) -> object:
    if isinstance(value, dict) and value:
        return {key: _replace_leaves(inner) for key, inner in value.items()}
    return {} if value == {} else ["changed"]


def test_rules_and_pulled_files_live_side_by_side(
    command: Command, server: ServerUnderTest
) -> None:
    project = server.make_project()
    items = [{"data": {"text": f"t {n}", "split": "val" if n % 2 else "train"}} for n in range(6)]
    tasks = server.import_tasks(project, items)
    Path("pulled").mkdir()
    Path("pulled", "rules.yaml").write_text(
        f"version: 1\nproject: {project}\nrules:\n"
        "- {name: twice, where: {data.split: val}, set: {overlap: 2}}\n"
    )
    server.update(tasks[1], {"overlap": 2})
    server.update(tasks[0], {"overlap": 3})

    assert command("pull", "--project", str(project), "--out", "pulled").code == 0

    assert Path("pulled", "contract.yaml").read_text().count("overlap") == 1
    planned = command("plan", "pulled", "--format", "json")
    assert planned.paths() == {task: ["update", "overlap"] for task in (tasks[3], tasks[5])}


def test_a_task_that_breaks_its_page_is_named_and_the_others_are_pulled(
    command: Command, server: ServerUnderTest
) -> None:
    project, tasks = server.make_tasks(5)
    server.patch(tasks[1], {"data": 7})
    server.patch(tasks[3], {"data": {"text": "\ud800"}})

    pulled = command("pull", "--project", str(project), "--out", "pulled")

    assert pulled.code == 0, pulled.err
    assert "Pulled 3 tasks" in pulled.out
    assert f"task {tasks[1]}: the server failed on this task" in pulled.out
    assert f"task {tasks[3]}: the server cannot read its data" in pulled.out
    assert command("plan", "pulled", "--format", "json").paths() == {}
