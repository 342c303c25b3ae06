"""Who sets the overlap of a task: whoever writes it, and the server, by the project's settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.live.command_line import Command
from tests.live.under_test import TEXT, ServerUnderTest

TEXTS = [{"data": {"text": f"text {number}"}} for number in range(4)]


def project_with(server: ServerUnderTest, **settings: object) -> tuple[int, list[int]]:
    """Give a project with four tasks, all of which were given an overlap of 5 by hand."""
    project = server.make_project(TEXT, **settings)
    ids = server.import_tasks(project, TEXTS)
    for task in ids:
        server.update(task, {"overlap": 5})
    return project, ids


def overlaps(server: ServerUnderTest, project: int) -> list[int]:
    return sorted(task["overlap"] for task in server.listed(project, include="overlap"))


def labelled(server: ServerUnderTest, project: int) -> list[bool]:
    return [task["is_labeled"] for task in server.listed(project, include="is_labeled")]


def test_a_new_task_has_the_overlap_of_its_project(server: ServerUnderTest):
    project = server.make_project(maximum_annotations=3)
    server.import_tasks(project, TEXTS[:1])

    assert overlaps(server, project) == [3]


def test_an_import_resets_overlaps_where_only_a_part_of_the_tasks_is_shared(
    server: ServerUnderTest,
):
    project, _ = project_with(server, maximum_annotations=3, overlap_cohort_percentage=50)
    server.import_tasks(project, TEXTS[:1])

    assert overlaps(server, project) == [1, 1, 3, 3, 3]


def test_a_deletion_resets_overlaps_there_too(server: ServerUnderTest):
    project, ids = project_with(server, maximum_annotations=3, overlap_cohort_percentage=50)
    server.delete(ids[0])

    assert overlaps(server, project) == [1, 3, 3]


@pytest.mark.parametrize("settings", [{}, {"maximum_annotations": 3}])
def test_an_import_leaves_overlaps_alone_where_all_tasks_are_shared(
    server: ServerUnderTest, settings: dict[str, object]
):
    project, _ = project_with(server, **settings)
    server.import_tasks(project, TEXTS[:1])

    assert overlaps(server, project)[-4:] == [5] * 4


def test_an_import_leaves_overlaps_alone_where_one_annotation_is_enough(server: ServerUnderTest):
    project, _ = project_with(server, maximum_annotations=1, overlap_cohort_percentage=50)
    server.import_tasks(project, TEXTS[:1])

    assert overlaps(server, project) == [1, 5, 5, 5, 5]


@pytest.mark.parametrize("percentage", [50, 100])
def test_maximum_annotations_rewrites_every_overlap_above_one(
    server: ServerUnderTest, percentage: int
):
    project, ids = project_with(server, maximum_annotations=3, overlap_cohort_percentage=percentage)
    server.update(ids[0], {"overlap": 1})
    server.set_up(project, maximum_annotations=4)
    assert overlaps(server, project) == [1, 4, 4, 4]

    server.set_up(project, maximum_annotations=1)
    assert overlaps(server, project) == [1, 1, 1, 1]


def test_a_change_of_the_percentage_rewrites_all_overlaps(server: ServerUnderTest):
    project, _ = project_with(server, maximum_annotations=3)
    server.set_up(project, overlap_cohort_percentage=25)

    assert overlaps(server, project) == [1, 1, 1, 3]


def test_writing_an_overlap_does_not_decide_anew_what_is_labelled(server: ServerUnderTest):
    project = server.make_project()
    [task] = server.import_tasks(project, TEXTS[:1])
    server.annotate(task)
    server.update(task, {"overlap": 3})
    assert labelled(server, project) == [True]

    server.set_up(project, maximum_annotations=2)
    assert labelled(server, project) == [False]


@pytest.mark.parametrize(("overlap", "counted"), [(0, False), (-5, True)])
def test_a_task_with_an_overlap_below_one_is_given_to_nobody(
    server: ServerUnderTest, overlap: int, *, counted: bool
):
    project = server.make_project()
    ids = server.import_tasks(project, TEXTS[:2])
    for task in ids:
        server.update(task, {"overlap": overlap})
    asked = server.http.get(f"/api/projects/{project}/next")
    assert (asked.status_code, labelled(server, project)) == (404, [counted] * 2)

    server.update(ids[1], {"overlap": 1, "is_labeled": False})
    assert server.http.get(f"/api/projects/{project}/next").json()["id"] == ids[1]


def test_a_number_within_the_project_that_is_0_is_replaced(server: ServerUnderTest):
    _, ids = server.make_tasks(2)

    assert server.update(ids[0], {"inner_id": 0})["inner_id"] == 3


def test_the_largest_number_within_a_project_breaks_every_import(server: ServerUnderTest):
    project, ids = server.make_tasks(2)
    server.update(ids[0], {"inner_id": 2**63 - 1})
    path = f"/api/projects/{project}/import"

    assert server.http.post(path, json=TEXTS[:1]).status_code == 500
    assert len(server.listed(project)) == 2


def written(tmp_path: Path, **declared: object) -> str:
    (tmp_path / "manifest.json").write_text(json.dumps({"version": 1, **declared}))
    return "manifest.json"


def problems(plan: dict[str, Any]) -> list[list[str]]:
    return [[problem["kind"] for problem in task["problems"]] for task in plan["tasks"]]


def test_the_plan_tells_that_the_server_sets_overlaps_too(
    server: ServerUnderTest, command: Command, tmp_path: Path
):
    project, ids = project_with(server, maximum_annotations=3, overlap_cohort_percentage=50)
    tasks = [{"id": ids[0], "overlap": 4}, {"id": ids[1], "meta": {"seen": True}}]
    manifest = written(tmp_path, project=project, tasks=tasks)

    plan = command("plan", manifest, "--format", "json")
    assert (plan.code, problems(plan.plan())) == (0, [["overlap-cohort"], []])
    message = plan.plan()["tasks"][0]["problems"][0]["message"]
    assert "3 for 50% of the project's tasks" in message
    assert command("apply", manifest, "--yes").code == 0
    assert overlaps(server, project) == [4, 5, 5, 5]


def test_the_plan_says_nothing_where_overlaps_stay_as_written(
    server: ServerUnderTest, command: Command, tmp_path: Path
):
    project, ids = project_with(server, maximum_annotations=3)
    manifest = written(tmp_path, project=project, tasks=[{"id": ids[0], "overlap": 4}])

    assert problems(command("plan", manifest, "--format", "json").plan()) == [[]]


def test_an_overlap_below_one_is_refused_without_asking_the_server(
    command: Command, tmp_path: Path
):
    tasks = [{"id": 1, "overlap": 0}, {"id": 2, "overlap": -5}]
    ran = command("apply", written(tmp_path, tasks=tasks), "--yes")

    assert (ran.code, ran.err.count("below 1 the server gives it to none")) == (1, 2)
