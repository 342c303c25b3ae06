"""The name of a plan."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from reconciler.core.model import Change
from reconciler.core.plan_model import Plan, ServerIdentity, Status
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.values import ABSENT, Json
from reconciler.errors import Source
from tests.unit.core.building import change, plan_of, update

OVERLAP, KEY = change("overlap", 1, 2), change("data.key", ABSENT, {"a": [1, None], "b": 1e30})
PLAN = plan_of(update(1, OVERLAP, KEY), update(2, OVERLAP))


def test_a_digest_is_made_of_a_line_for_each_task_that_is_to_be_updated():
    lines = (
        b'[1,[[["data","key"],[],[{"a":[1,null],"b":1%s}]],[["overlap"],[1],[2]]]]\n'
        b'[2,[[["overlap"],[1],[2]]]]\n'
    ) % (b"0" * 30)
    assert PLAN.digest == f"sha256:{hashlib.sha256(lines).hexdigest()}"


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, requests=99, unchanged=5),
        replace(PLAN, server=ServerIdentity("http://other.test", None, None)),
        plan_of(update(1, KEY, OVERLAP), update(2, OVERLAP)),
        plan_of(update(2, OVERLAP), update(1, OVERLAP, KEY)),
        plan_of(
            update(1, replace(OVERLAP, source=Source("b.yaml", 1, 1)), KEY), update(2, OVERLAP)
        ),
        plan_of(update(1, OVERLAP, change("data.key", ABSENT, {"b": 10**30, "a": [1.0, None]})),
                update(2, OVERLAP)),
        plan_of(*PLAN.tasks, replace(update(3, OVERLAP), status=Status.BLOCKED)),
        plan_of(update(1, OVERLAP, KEY, problems=(TaskProblem(Kind.COMPUTED, "x"),)),
                update(2, OVERLAP)),
    ],
)  # fmt: skip
def test_times_places_order_and_what_is_left_alone_do_not_count(other: Plan):
    assert other.digest == PLAN.digest


def after(value: Json) -> Change:
    return change("data.key", ABSENT, value)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (after(1), after(2)),
        (after(1), after("1")),
        (after(1), after(True)),  # noqa: FBT003 - a value
        (after(None), change("data.key", None, ABSENT)),
        (change("data.key", None, 1), change("data.key", ABSENT, 1)),
        (after([1, 2]), after([2, 1])),
        (after("caf\u00e9"), after("cafe\u0301")),
        (change("data.a", 1, 2), change("meta.a", 1, 2)),
        (change('data["a.b"]', 1, 2), change("data.a.b", 1, 2)),
        (after(2**53), after(2**53 + 1)),
    ],
)
def test_another_change_has_another_digest(left: Change, right: Change):
    assert plan_of(update(1, left)).digest != plan_of(update(1, right)).digest


def test_the_same_change_of_another_task_has_another_digest():
    one, other = plan_of(update(1, OVERLAP)), plan_of(update(2, OVERLAP))
    both = plan_of(update(1, OVERLAP), update(2, KEY))
    assert len({one.digest, other.digest, both.digest}) == 3
