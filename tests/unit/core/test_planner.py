"""What the plan says of each task."""

from __future__ import annotations

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.allowances import NOTHING_ALLOWED
from reconciler.core.guards import GuardFacts, list_projects_to_ask, list_projects_to_warn_of
from reconciler.core.model import DesiredTask, Found, Missing, Observed, ProjectSettings, Unreadable
from reconciler.core.plan_model import Status
from reconciler.core.planner import (
    apply_guards,
    get_project,
    plan_task,
)
from reconciler.core.problems import Kind
from reconciler.core.values import ABSENT, DEPTH_MAX, UNREADABLE, Json
from tests.unit.core.building import SOURCE, allowing, change, desired, plan_of, task_plan, update

BASE: dict[str, Json] = {
    "id": 1,
    "project": 7,
    "data": {"text": "A."},
    "overlap": 1,
    "total_annotations": 0,
    "cancelled_annotations": 0,
}


def status(task: DesiredTask, observed: Observed) -> tuple[str, list[str]]:
    planned = task_plan(task, observed)
    return planned.status.value, [problem.message for problem in planned.problems]


def test_of_a_task_as_declared_there_is_nothing_to_say():
    assert plan_task(desired(1, {"overlap": 1.0}), Found(BASE), load_contract()) is None


def test_a_task_that_differs_is_to_be_updated():
    assert status(desired(1, {"overlap": 2}), Found(BASE)) == ("update", [])


def test_a_task_that_is_not_there_is_missing():
    assert status(desired(1, {"overlap": 2}), Missing()) == (
        "missing",
        ["the task does not exist on the server, or the token may not see it"],
    )


def test_a_task_that_the_server_fails_on_is_unreadable():
    assert status(desired(1, {"overlap": 2}), Unreadable("500: broken")) == (
        "unreadable",
        ["500: broken"],
    )


def test_attributes_that_the_server_does_not_show_are_each_named():
    declared = desired(1, {"reviewed": True, "allow_skip": False, "overlap": 2})
    assert status(declared, Found(BASE)) == (
        "unreadable",
        [
            "the server's response has no allow_skip, so its current value is unknown",
            "the server's response has no reviewed, so its current value is unknown",
        ],
    )


def test_an_absent_path_needs_its_attribute_shown_too():
    assert status(desired(1, absent=("meta.old",)), Found(BASE))[0] == "unreadable"


@pytest.mark.parametrize("data", [[1, 2], "text", 5, None])
def test_a_task_whose_data_is_broken_is_unreadable_whatever_is_declared(data: Json):
    found = Found({**BASE, "data": data})
    assert status(desired(1, {"overlap": 1}), found) == (
        "unreadable",
        ["the data of the task is stored as something other than an object"],
    )


def test_a_task_in_another_project_is_blocked_before_it_is_compared():
    assert status(desired(1, {"overlap": 2}, project=8), Found(BASE)) == (
        "blocked",
        ["the task is in project 7, but the manifest declares project 8"],
    )


def test_where_no_project_is_named_the_live_one_is_taken():
    planned = task_plan(desired(1, {"overlap": 2}, project=None), Found(BASE))
    assert (planned.status, planned.project) == (Status.UPDATE, 7)


def test_where_the_server_shows_no_project_the_declared_one_is_taken():
    live = {name: value for name, value in BASE.items() if name != "project"}
    planned = task_plan(desired(1, {"overlap": 2}), Found(live))
    assert (planned.status, planned.project) == (Status.UPDATE, 7)


@pytest.mark.parametrize("project", ["7", None, {"id": 7}])
def test_a_project_that_is_no_number_is_not_shown(project: Json):
    assert get_project({"project": project}) is None


@pytest.mark.parametrize("observed", [Missing(), Unreadable("500"), Found({**BASE, "data": 5})])
def test_a_task_that_cannot_be_compared_counts_for_the_declared_project(observed: Observed):
    planned = task_plan(desired(1, {"overlap": 2}), observed)
    assert (planned.task, planned.project, planned.source) == (1, 7, SOURCE)


def test_a_live_value_that_is_nested_too_deep_makes_a_task_unreadable():
    deep: Json = []
    for _ in range(DEPTH_MAX + 1):
        deep = [deep]
    found = Found({**BASE, "data": {"text": deep}})
    assert status(desired(1, {"data": {"text": "A."}}), found) == (
        "unreadable",
        [f"its objects and lists are nested more than {DEPTH_MAX} deep"],
    )


def test_data_that_cannot_be_read_is_only_replaced_as_a_whole():
    found = Found({**BASE, "data": UNREADABLE})
    declared: dict[str, Json] = {"data": {"text": "B."}}
    assert status(desired(1, declared, replaced=("data",)), found) == ("update", [])
    # Other declarations do not repair the data, so it is as damaged afterwards.
    for task in (desired(1, declared), desired(1, {"overlap": 2}, replaced=("data",))):
        assert status(task, found) == (
            "unreadable",
            ["the server cannot read the data of this task, but it returns everything else"],
        )


def test_only_projects_in_which_a_key_of_data_may_go_are_asked_about():
    harmless = update(1, change("overlap", 1, 2))
    removing = update(2, change("data.old", 1, ABSENT))
    assert list_projects_to_ask([harmless]) == set()
    assert list_projects_to_ask([harmless, removing]) == {7}
    assert list_projects_to_warn_of([removing]) == set()
    assert list_projects_to_warn_of([harmless, removing]) == {7}


@pytest.mark.parametrize(
    ("allow", "expected"),
    [
        (frozenset(), Status.BLOCKED),
        ({Kind.LABEL_CONFIG}, Status.UPDATE),
        ({Kind.EMPTY_DATA}, Status.BLOCKED),
        ({Kind.UNREADABLE}, Status.BLOCKED),
    ],
)
def test_a_guard_blocks_unless_its_own_name_is_allowed(allow: frozenset[Kind], expected: Status):
    planned = apply_guards(
        update(1, change("data.text", "A.", ABSENT)),
        Found({**BASE, "data": {"text": "A.", "more": 1}}),
        facts=GuardFacts(load_contract(), {7: ProjectSettings(frozenset({("text",)}))}),
        allow=allowing(*allow),
    )
    assert planned.status is expected
    assert [problem.kind for problem in planned.problems] == [Kind.LABEL_CONFIG]


def test_a_warning_blocks_nothing():
    planned = apply_guards(
        update(1, change("comment_count", 0, 1)),
        Found(BASE),
        facts=GuardFacts(load_contract()),
        allow=NOTHING_ALLOWED,
    )
    assert planned.status is Status.UPDATE
    assert [problem.kind for problem in planned.problems] == [Kind.COMPUTED]


def test_an_address_that_the_server_made_up_cannot_be_allowed():
    task = apply_guards(
        update(1, change("data.image", "s3://b/k", "/tasks/1/resolve/?fileuri=czM6")),
        Found(BASE),
        facts=GuardFacts(load_contract()),
        allow=allowing(*Kind),
    )
    assert task.status is Status.BLOCKED


def test_tasks_with_problems_that_are_not_allowed_block_the_apply():
    missing = task_plan(desired(1), Missing())
    other = task_plan(desired(2, project=8), Found(BASE))
    fine = update(3, change("overlap", 1, 2))
    plan = plan_of(missing, other, fine)
    assert [task.task for task in plan.list_unaccepted(frozenset())] == [1, 2]
    assert [task.task for task in plan.list_unaccepted(frozenset({Kind.MISSING}))] == [2]
    assert plan.list_unaccepted(frozenset({Kind.MISSING, Kind.OTHER_PROJECT})) == ()


def test_the_summary_counts_every_task_once():
    missing = task_plan(desired(1), Missing())
    plan = plan_of(missing, update(3, change("overlap", 1, 2)), unchanged=4)
    assert plan.summary() == {
        "tasks": 6,
        "unchanged": 4,
        "update": 1,
        "missing": 1,
        "unreadable": 0,
        "blocked": 0,
    }
