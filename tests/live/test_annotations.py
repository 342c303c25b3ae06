"""What lists show of annotations, and which reads make the server run a model; plan --impact."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live.command_line import Command
from tests.live.counting_proxy import Through, no_trouble
from tests.live.under_test import ServerUnderTest

CONFIG = """<View><Text name="text" value="$text"/>
<Labels name="label" toName="text"><Label value="Animal"/></Labels>
<Choices name="mood" toName="text"><Choice value="good"/></Choices></View>"""
FOX = "The 🦊 is quick."
MOOD = {
    "id": "m",
    "from_name": "mood",
    "to_name": "text",
    "type": "choices",
    "value": {"choices": ["good"]},
}


def span(start: int, end: int, text: str) -> dict[str, Any]:
    value = {"start": start, "end": end, "text": text, "labels": ["Animal"]}
    names = {"id": f"r{start}", "from_name": "label", "to_name": "text", "type": "labels"}
    return {**names, "value": value}


def make_annotated(server: ServerUnderTest) -> tuple[int, list[int]]:
    """Give a project with two tasks; the first has two annotations, one of them skipped."""
    project = server.make_project(CONFIG)
    ids = server.import_tasks(project, [{"data": {"text": FOX}}] * 2)
    server.annotate(ids[0], result=[span(9, 14, "quick"), span(4, 5, "🦊"), MOOD])
    server.annotate(ids[0], result=[span(0, 3, "The")], was_cancelled=True)
    return project, ids


def test_the_full_list_shows_annotations_and_skipped_ones(server: ServerUnderTest):
    project, ids = make_annotated(server)
    listed = server.listed(project, fields="all")

    assert [task["id"] for task in listed] == ids
    first, skipped = listed[0]["annotations"]
    assert first["result"] == [span(9, 14, "quick"), span(4, 5, "🦊"), MOOD]
    assert (first["was_cancelled"], skipped["was_cancelled"]) == (False, True)
    assert listed[1]["annotations"] == []


@pytest.mark.parametrize("review", ["false", "true"])
def test_include_names_attributes_of_annotations_too(server: ServerUnderTest, review: str):
    project, ids = make_annotated(server)
    user = server.http.get("/api/current-user/whoami").json()["id"]
    names = "id,annotations,completed_by"
    listed = server.listed(project, fields="all", include=names, review=review)

    assert [task["id"] for task in listed] == ids
    assert [sorted(one) for one in listed[0]["annotations"]] == [["completed_by", "id"]] * 2
    assert {one["completed_by"] for one in listed[0]["annotations"]} == {user}


LIST = {"fields": "all", "include": "id,annotations,result"}
REVIEW = {**LIST, "review": "true"}
Read = Callable[[ServerUnderTest, int, int], object]


@pytest.mark.parametrize(
    ("read", "automatic", "shown", "runs"),
    [
        (lambda server, project, _: server.listed(project, **LIST), True, False, True),
        (lambda server, project, _: server.listed(project, **LIST), False, True, False),
        (lambda server, project, _: server.listed(project, include="id"), True, False, True),
        (lambda server, project, _: server.listed(project, **REVIEW), True, True, False),
        (lambda server, _, task: server.read(task, include="id"), True, False, True),
        (lambda server, _, task: server.read(task, include="id"), False, True, True),
        (lambda server, _, task: server.read(task, include="id"), False, False, False),
    ],
)
def test_which_reads_run_a_model(
    server: ServerUnderTest, read: Read, *, automatic: bool, shown: bool, runs: bool
):
    project, ids = make_annotated(server)
    server.set_up(
        project, evaluate_predictions_automatically=automatic, show_collab_predictions=shown
    )
    ran = server.connect_model(project)

    read(server, project, ids[0])
    assert ran() is runs


def write(*tasks: dict[str, object]) -> str:
    Path("manifest.json").write_text(json.dumps({"version": 1, "tasks": tasks}), encoding="utf-8")
    return "manifest.json"


def test_the_impact_of_a_plan_is_counted_region_by_region(
    server: ServerUnderTest, command: Command, through: Through
):
    project, ids = make_annotated(server)
    manifest = write(*({"id": task, "data": {"text": "A 🦊 is quick."}} for task in ids))

    with through(no_trouble) as asked:
        plan = command("plan", manifest, "--impact", "--format", "json")
    user = server.http.get("/api/current-user/whoami").json()["id"]
    counts = {"annotations": 2, "people": [user], "regions": 4}
    assert [task.get("impact") for task in plan.plan()["tasks"]] == [
        {**counts, "moved": 2, "beyond": 1, "unknown": 1},
        None,
    ]
    assert "reading the annotations of 1 task takes at least 1 request" in plan.err
    assert {one.method for one in asked} == {"GET"}
    assert [task["data"]["text"] for task in server.listed(project)] == [FOX, FOX]


@pytest.mark.parametrize("automatic", [True, False])
def test_the_impact_is_read_without_running_a_model(
    server: ServerUnderTest, command: Command, through: Through, *, automatic: bool
):
    project, ids = make_annotated(server)
    server.set_up(project, evaluate_predictions_automatically=automatic)
    manifest = write({"id": ids[0], "project": project, "data": {"text": "A fox."}})

    with through(no_trouble) as asked:
        command("plan", manifest, "--impact")
    [query] = [
        one.query for one in asked if "annotations%2C" in one.query and "data" not in one.query
    ]
    assert ("review=true" in query) is automatic
