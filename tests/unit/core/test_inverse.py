"""The way back from changes that were made, task by task."""

from __future__ import annotations

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.composition import Made
from reconciler.core.inverse import plan_inverse
from reconciler.core.model import Found, Missing, Observed, TaskKey, Unreadable
from reconciler.core.notation import parse_path
from reconciler.core.plan_model import Status, TaskPlan
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.values import ABSENT, UNREADABLE, Json, Maybe, Side
from tests.unit.core.building import SOURCE, change

ATTRIBUTES = load_contract()


def found(**attributes: Json) -> Found:
    return Found({"id": 1, "project": 7, "data": {}, **attributes})


def made(path: str, before: Maybe, *afters: Maybe) -> Made:
    return Made(parse_path(path), before, afters, SOURCE)


@pytest.mark.parametrize(
    ("path", "before", "after", "live"),
    [
        ("overlap", 1, 2, found(overlap=2)),
        ("data.a", ABSENT, "x", found(data={"a": "x", "b": 1})),
        ("data.a", "x", ABSENT, found(data={"b": 1})),
        ("data.a.b", 1, 2, found(data={"a": {"b": 2, "c": 3}})),
        ("meta", None, {"a": 1}, found(meta={"a": 1})),
        (
            "last_comment_updated_at",
            None,
            "2026-01-02T00:00:00+00:00",
            found(last_comment_updated_at="2026-01-02T00:00:00Z"),
        ),
    ],
)
def test_what_still_is_as_it_was_left_goes_back(
    path: str, before: Maybe, after: Maybe, live: Found
):
    planned = plan_inverse(1, [made(path, before, after)], live, ATTRIBUTES)
    assert planned is not None
    inverse = change(path, after, before)
    assert planned == TaskPlan(1, 7, Status.UPDATE, SOURCE, (inverse,))


def test_what_is_back_already_needs_nothing():
    assert plan_inverse(1, [made("overlap", 1, 2)], found(overlap=1), ATTRIBUTES) is None


@pytest.mark.parametrize(("live", "due"), [(3, [(3, 1)]), (2, [(2, 1)]), (1, None)])
def test_of_an_update_that_may_have_been_stored_what_is_there_tells(
    live: int, due: list[tuple[int, int]] | None
):
    planned = plan_inverse(1, [made("overlap", 1, 3, 2)], found(overlap=live), ATTRIBUTES)
    assert (planned and [(c.before, c.after) for c in planned.changes]) == due


def test_of_two_changes_the_one_that_is_left_goes_back():
    both = [made("overlap", 1, 2), made("inner_id", 1, 2)]
    planned = plan_inverse(1, both, found(overlap=2, inner_id=1), ATTRIBUTES)
    assert planned is not None
    assert [c.path for c in planned.changes] == [("overlap",)]


def test_a_task_that_was_edited_since_is_left_alone_as_a_whole():
    all_made = [made("overlap", 1, 2), made("data.a", 1, 2), made("data.b", 1, 2)]
    planned = plan_inverse(1, all_made, found(overlap=2, data={"a": 3, "b": 3}), ATTRIBUTES)
    edited = TaskProblem(
        Kind.EDITED_SINCE,
        "edited since the apply: data.a, data.b",
        (
            "pass --allow edited-since to leave the task out, or set the values in a manifest: "
            "revert does not undo later edits"
        ),
    )
    assert planned == TaskPlan(1, 7, Status.BLOCKED, SOURCE, (), (edited,))


def test_an_edit_of_another_path_does_not_block_the_inverse():
    planned = plan_inverse(1, [made("data.a", 1, 2)], found(data={"a": 2, "b": "new"}), ATTRIBUTES)
    assert planned is not None
    assert planned.status is Status.UPDATE


@pytest.mark.parametrize(
    ("observed", "status"),
    [(Missing(), Status.MISSING), (Unreadable("500"), Status.UNREADABLE)],
)
def test_a_task_that_cannot_be_read_is_missing_or_unreadable(
    observed: Missing | Unreadable, status: Status
):
    planned = plan_inverse(1, [made("overlap", 1, 2)], observed, ATTRIBUTES)
    assert planned is not None
    assert (planned.task, planned.status, planned.source) == (1, status, SOURCE)


def test_what_could_not_be_read_before_cannot_be_restored():
    both = [Made(("data",), UNREADABLE, ({"text": "A."},), SOURCE), made("overlap", 1, 2)]
    planned = plan_inverse(1, both, found(overlap=2), ATTRIBUTES)
    lost = TaskProblem(
        Kind.UNREADABLE,
        "cannot restore data: the server could not read it before the apply replaced it",
        "pass --allow unreadable to leave the task out",
    )
    assert planned == TaskPlan(1, 7, Status.BLOCKED, SOURCE, (), (lost,))


KEY = TaskKey(("data", "name"), "x-1")


@pytest.mark.parametrize(
    "observed",
    [found(overlap=2, data={"name": "x-1"}), Missing(), found(overlap=9, data={"name": "x-1"})],
)
def test_the_key_of_the_report_names_the_task(observed: Observed):
    planned = plan_inverse(1, [made("overlap", 1, 2)], observed, ATTRIBUTES, key=KEY)
    assert planned is not None
    assert planned.key == KEY


@pytest.mark.parametrize("data", [{"name": "x-2"}, {}, UNREADABLE])
def test_a_task_with_another_key_is_reverted_by_its_id(data: Side):
    observed = Found({"id": 1, "project": 7, "data": data, "overlap": 2})
    planned = plan_inverse(1, [made("overlap", 1, 2)], observed, ATTRIBUTES, key=KEY)
    assert planned == TaskPlan(1, 7, Status.UPDATE, SOURCE, (change("overlap", 2, 1),))


def test_a_key_that_a_later_run_changed_does_not_stop_the_revert():
    both = [made("overlap", 1, 2), made("data.name", "x-0", "x-1")]
    observed = found(overlap=2, data={"name": "x-1"})
    planned = plan_inverse(1, both, observed, ATTRIBUTES, key=KEY)
    assert planned is not None
    assert (planned.status, planned.key) == (Status.UPDATE, None)
