"""What is sent for a task, and what is said of it, judged on data alone."""

from __future__ import annotations

from functools import partial

from reconciler.contract.body_validator import BodyValidator
from reconciler.contract.openapi import load_contract
from reconciler.core.allowances import NOTHING_ALLOWED
from reconciler.core.decision import (
    Patch,
    decide,
    judge_answer,
    mark_left_alone,
    settle,
)
from reconciler.core.guards import GuardFacts
from reconciler.core.model import Found, Missing
from reconciler.core.plan_model import Status, TaskPlan
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.report import Outcome, TaskOutcome
from reconciler.core.values import ABSENT, Json
from tests.unit.core.building import SOURCE, change, update

ATTRIBUTES = load_contract()
decide_now = partial(
    decide,
    facts=GuardFacts(ATTRIBUTES),
    allow=NOTHING_ALLOWED,
    validator=BodyValidator(ATTRIBUTES),
)
LIVE: dict[str, Json] = {
    "id": 1,
    "project": 7,
    "data": {"text": "A."},
    "overlap": 1,
    "inner_id": 1,
    "total_annotations": 0,
    "cancelled_annotations": 0,
}
BOTH = update(1, change("overlap", 1, 2), change("inner_id", 1, 2))


def test_every_path_that_moved_since_the_plan_is_named():
    found = Found({**LIVE, "overlap": 5, "inner_id": 5})
    said = "changed on the server since the plan: overlap, inner_id"
    assert decide_now(BOTH, found) == TaskOutcome(1, Outcome.STALE, BOTH.changes, said)


def test_all_problems_of_a_blocked_task_are_reported():
    task = update(1, change("project", 7, 8), change("data.text", "A.", ABSENT))
    said = "would move the task from project 7 to project 8; would remove every key of data"
    blocked = TaskOutcome(1, Outcome.BLOCKED, task.changes, said)
    assert decide_now(task, Found(LIVE)) == blocked


def test_values_that_a_response_refutes_differ_from_values_that_it_does_not_show():
    patch = Patch(BOTH, {"overlap": 2, "inner_id": 2})
    said = "the server returned 200 but did not store overlap"
    assert judge_answer(patch, {"id": 1, "overlap": 1}, ATTRIBUTES) == TaskOutcome(
        1, Outcome.NOT_HONOURED, BOTH.changes, said
    )


def test_every_attribute_that_lost_undeclared_keys_is_named():
    task = update(1, change("data.a", 1, 2), change("meta.a", 1, 2))
    patch = Patch(task, {"data": {"a": 2, "b": 1}, "meta": {"a": 2, "b": 1}})
    said = "the server returned 200 but stored data, meta differently than sent"
    assert judge_answer(patch, {"data": {"a": 2}, "meta": {"a": 2}}, ATTRIBUTES) == TaskOutcome(
        1, Outcome.FAILED, task.changes, said
    )


def test_a_failure_stays_if_the_verification_finds_no_task():
    failed = TaskOutcome(1, Outcome.FAILED, BOTH.changes, "the answer was lost")
    assert settle(BOTH, Missing(), failed, ATTRIBUTES) == failed
    applied = TaskOutcome(1, Outcome.APPLIED, BOTH.changes)
    said = "the update was sent, but the task can no longer be read"
    assert settle(BOTH, Missing(), applied, ATTRIBUTES) == TaskOutcome(
        1, Outcome.FAILED, BOTH.changes, said
    )


def test_a_task_that_the_plan_leaves_alone_is_reported_with_all_its_problems():
    problems = (
        TaskProblem(Kind.EMPTY_DATA, "no data is left", "keep a key"),
        TaskProblem(Kind.LABEL_CONFIG, "a label needs it", "keep it"),
    )
    task = TaskPlan(1, 7, Status.BLOCKED, SOURCE, BOTH.changes, problems)
    assert mark_left_alone(task) == TaskOutcome(
        1, Outcome.BLOCKED, (), "no data is left; a label needs it", accepted=True
    )


def test_an_integer_that_is_written_with_an_exponent_is_sent_as_an_integer():
    task = update(1, change("inner_id", 1, 1e16), change("data.x", ABSENT, 1e16))
    patch = decide_now(task, Found(LIVE))
    assert isinstance(patch, Patch)
    assert repr(patch.body) == repr({"inner_id": 10**16, "data": {"text": "A.", "x": 1e16}})
