"""Keys and rules: four intentions in a few lines, on projects of any ids, once and for all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.live.command_line import Command
from tests.live.counting_proxy import Asked, Befall, Through, Trouble, no_trouble
from tests.live.troubles import answering
from tests.live.under_test import ServerUnderTest

TASKS = 60
KEYED_PLAN = 4
RULED_PLAN = 8
"""Requests of a plan: 50 keyed tasks, and rules over 5,000."""

FOUR = """\
version: 1
project: reviews
key: data.external_id
rules:
  - name: label the validation split twice
    where: {data.split: val}
    set: {overlap: 2}
  - name: normalise the source
    where: {meta.source: {exists: true}}
    set: {meta: {normalised: true}}
  - name: drop the old score
    absent: [data.old_score]
tasks:
  - {key: x-1, data: {text: "Corrected 1."}}
  - {key: x-7, data: {text: "Corrected 7."}}
"""


def make_item(number: int) -> dict[str, Any]:
    data = {
        "text": f"Sentence {number}.",
        "external_id": f"x-{number}",
        "split": "val" if number % 3 == 0 else "train",
        "image": f"s3://old-photos/{number}.jpg",
        **({"old_score": number / 100} if number % 2 else {}),
    }
    return {"data": data, "meta": {"source": "crawl"} if number % 4 == 0 else {}}


def expected(number: int) -> tuple[dict[str, Any], dict[str, Any], int]:
    """What the four intentions make of a task: data, meta, overlap."""
    item = make_item(number)
    data = {key: value for key, value in item["data"].items() if key != "old_score"}
    if number in {1, 7}:
        data["text"] = f"Corrected {number}."
    meta = {**item["meta"], "normalised": True} if item["meta"] else {}
    return data, meta, 2 if number % 3 == 0 else 1


def make_projects(server: ServerUnderTest, *, size: int = TASKS) -> list[tuple[int, list[int]]]:
    """Make two projects with the same tasks under other ids, named by environments."""
    found = []
    for _ in range(2):
        project = server.make_project()
        items = [make_item(number) for number in range(1, size + 1)]
        found.append((project, server.import_tasks(project, items)))
    lines = [
        f'[environments.{name}]\nurl = "{server.url}"\nprojects = {{reviews = {project}}}\n'
        for name, (project, _) in zip(("staging", "production"), found, strict=True)
    ]
    Path("reconciler.toml").write_text("".join(lines), encoding="utf-8")
    return found


def stored(server: ServerUnderTest, project: int) -> list[dict[str, Any]]:
    size = 1_000
    return server.listed(project, include="id,data,meta,overlap", page_size=size)


def pictures(server: ServerUnderTest, project: int) -> list[str]:
    return [task["data"]["image"] for task in stored(server, project)]


def test_four_intentions_take_a_few_lines_in_two_projects(
    server: ServerUnderTest, command: Command
) -> None:
    projects = make_projects(server)
    Path("four.yaml").write_text(FOUR, encoding="utf-8")
    for name, (project, ids) in zip(("staging", "production"), projects, strict=True):
        before = stored(server, projects[1][0]) if name == "staging" else []
        ran = command("apply", "four.yaml", "--env", name, "--yes")
        assert ran.code == 0, ran.err
        for number, task in enumerate(stored(server, project), start=1):
            data, meta, overlap = expected(number)
            assert (task["id"], task["data"], task["meta"], task["overlap"]) == (
                *(ids[number - 1], data),
                *(meta, overlap),
            )
        again = command("plan", "four.yaml", "--env", name, "--detailed-exitcode")
        assert again.code == 0, again.out
        if before:
            assert stored(server, projects[1][0]) == before


def write_rule(project: int, rule: Mapping[str, Any], **header: Any) -> None:  # noqa: ANN401 - JSON
    manifest = {"version": 1, "project": project, "rules": [{"name": "a rule", **rule}], **header}
    Path("rule.json").write_text(json.dumps(manifest), encoding="utf-8")


MOVE = {
    "where": {"data.image": {"prefix": "s3://old-photos/"}},
    "rewrite": {"data.image": {"prefix": "s3://old-photos/", "to": "s3://photos/"}},
}


def _refuse_the_last_of(count_of_all: int) -> Trouble:
    """Refuse all updates of the first run but eight, and none of the next."""
    numbers = count(1)

    def trouble(asked: Asked) -> Befall:
        refused = asked.method == "PATCH" and 8 < next(numbers) <= count_of_all
        return answering(400) if refused else no_trouble(asked)

    return trouble


def test_an_interrupted_move_ends_with_every_picture_moved_once(
    server: ServerUnderTest, command: Command, through: Through
) -> None:
    project, _ = make_projects(server, size=20)[0]
    write_rule(project, MOVE)
    with through(_refuse_the_last_of(20)):
        assert command("plan", "rule.json", "--out", "plan.json").code == 0
        assert command("apply", "plan.json", "--yes").code == 3
        moved = [image for image in pictures(server, project) if image.startswith("s3://photos/")]
        assert len(moved) == 8
        ran = command("apply", "plan.json", "--yes")
        assert ran.code == 0, ran.out + ran.err
    assert command("apply", "rule.json", "--yes").code == 0
    assert pictures(server, project) == [f"s3://photos/{n}.jpg" for n in range(1, 21)]


def test_a_task_that_no_longer_matches_is_stale(server: ServerUnderTest, command: Command) -> None:
    project, ids = make_projects(server, size=6)[0]
    write_rule(project, {"where": {"data.split": "val"}, "set": {"overlap": 2}})
    assert command("plan", "rule.json", "--out", "plan.json").code == 0
    data = server.read(ids[2])["data"]
    server.update(ids[2], {"data": {**data, "split": "test"}})

    ran = command("apply", "plan.json", "--yes")

    assert ran.code == 3
    assert 'stale: the task no longer matches rule "a rule"' in ran.out
    assert [server.read(task)["overlap"] for task in ids] == [1, 1, 1, 1, 1, 2]


@pytest.mark.parametrize("taken_over", [True, False], ids=["taken over", "gone"])
def test_a_key_that_names_another_task_by_now_is_stale(
    server: ServerUnderTest, command: Command, *, taken_over: bool
) -> None:
    project, ids = make_projects(server, size=3)[0]
    manifest = {"version": 1, "project": project, "key": "data.external_id"}
    tasks = [{"key": "x-1", "overlap": 2}, {"key": "x-2", "overlap": 2}]
    Path("keys.json").write_text(json.dumps({**manifest, "tasks": tasks}), encoding="utf-8")
    assert command("plan", "keys.json", "--out", "plan.json").code == 0
    for task, key in ((ids[0], "y"), *([(ids[2], "x-1")] if taken_over else [])):
        data = server.read(task)["data"]
        server.update(task, {"data": {**data, "external_id": key}})

    ran = command("apply", "plan.json", "--yes")

    assert ran.code == 3
    assert f"! task {ids[0]} (x-1)  stale: the task no longer has the key" in ran.out
    assert [server.read(task)["overlap"] for task in ids] == [1, 2, 1]


def test_keys_are_found_whatever_they_are(server: ServerUnderTest, command: Command) -> None:
    keys = ["x-1", 7, "7", 'with "quotes"', "ü 漢", "a,b", "k" * 3_000, -5, "null"]
    project = server.make_project()
    ids = server.import_tasks(project, [{"data": {"text": "t", "deep": {"k": k}}} for k in keys])
    tasks = [{"key": key, "meta": {"place": place}} for place, key in enumerate(keys)]
    manifest = {"version": 1, "project": project, "key": "data.deep.k", "tasks": tasks}
    Path("keys.json").write_text(json.dumps(manifest), encoding="utf-8")

    assert command("apply", "keys.json", "--yes").code == 0

    assert [server.read(task)["meta"] for task in ids] == [{"place": n} for n in range(len(keys))]


@pytest.mark.parametrize("name", ["external_id", "contains", "a__b", "0"])
def test_a_name_that_filters_misread_is_found_all_the_same(
    server: ServerUnderTest, command: Command, name: str
) -> None:
    project = server.make_project()
    ids = server.import_tasks(project, [{"data": {"text": "t", name: f"k{n}"}} for n in range(3)])
    manifest = {
        "version": 1,
        "project": project,
        "key": ["data", name],
        "tasks": [{"key": "k1", "overlap": 2}, {"key": "k9", "overlap": 2}],
    }
    Path("keys.json").write_text(json.dumps(manifest), encoding="utf-8")

    ran = command("plan", "keys.json", "--format", "json", "--allow", "missing")

    plan = ran.plan()
    assert [task["task"] for task in plan["tasks"]] == [ids[1]]
    assert [key["key"]["value"] for key in plan["unresolved"]] == ["k9"]


def test_fifty_keyed_tasks_take_four_requests(
    server: ServerUnderTest, command: Command, through: Through
) -> None:
    project, _ = make_projects(server)[0]
    tasks = [{"key": f"x-{n}", "data": {"text": "new"}} for n in range(1, 51)]
    manifest = {"version": 1, "project": project, "key": "data.external_id", "tasks": tasks}
    Path("keys.json").write_text(json.dumps(manifest), encoding="utf-8")
    with through(no_trouble) as asked:
        assert command("plan", "keys.json").code == 0
    assert len(asked) <= KEYED_PLAN, asked


def test_rules_over_five_thousand_tasks_take_eight_requests(
    server: ServerUnderTest, command: Command, through: Through
) -> None:
    project = server.make_project()
    server.import_tasks(project, [make_item(number) for number in range(1, 5_001)])
    text = FOUR.replace("project: reviews", f"project: {project}")
    Path("four.yaml").write_text(text, encoding="utf-8")
    with through(no_trouble) as asked:
        ran = command("plan", "four.yaml")
    assert ran.code == 0, ran.err
    assert 'rule "label the validation split twice" (four.yaml:5): 1,666 tasks match' in ran.out
    assert len(asked) <= RULED_PLAN, asked
