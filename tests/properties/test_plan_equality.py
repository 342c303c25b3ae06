"""Equality of values and names of plans, held to slow definitions."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.model import Change
from reconciler.core.plan_model import Plan
from reconciler.core.values import ABSENT, Maybe, is_same
from tests.unit.core.building import SOURCE, plan_of, update
from tests.unit.core.generating import (
    KEYS,
    NUMBERS,
    VALUES,
    canonical,
    canonical_change,
    reordered,
)

bounded = settings(max_examples=200, deadline=None, derandomize=True)
MAYBES = VALUES | st.just(ABSENT)
CLOSE = st.one_of(NUMBERS, st.booleans(), st.none(), st.just(ABSENT), st.lists(NUMBERS, max_size=1))


@bounded
@given(MAYBES, MAYBES)
def test_same_agrees_with_the_digits_as_they_are_written(left: Maybe, right: Maybe):
    assert is_same(left, right) == (canonical(left) == canonical(right))


@bounded
@given(CLOSE, CLOSE, CLOSE)
def test_same_is_an_equivalence(a: Maybe, b: Maybe, c: Maybe):
    assert is_same(a, b) == is_same(b, a) == (canonical(a) == canonical(b))
    assert not (is_same(a, b) and is_same(b, c)) or is_same(a, c)


@bounded
@given(VALUES, st.data())
def test_a_value_is_the_same_as_itself_with_its_keys_in_another_order(
    value: Maybe, data: st.DataObject
):
    assert value is ABSENT or is_same(value, data.draw(reordered(value)))


CHANGES = st.builds(
    Change,
    st.tuples(st.sampled_from(["data", "meta"]), KEYS),
    MAYBES,
    MAYBES,
    st.just(SOURCE),
)
PLANS = st.dictionaries(
    st.integers(1, 3), st.lists(CHANGES, min_size=1, max_size=3, unique_by=lambda c: c.path)
)


def made(changes: dict[int, list[Change]]) -> Plan:
    return plan_of(*(update(task, *of_task) for task, of_task in changes.items()))


def meaning(changes: dict[int, list[Change]]) -> object:
    return {task: frozenset(map(canonical_change, of_task)) for task, of_task in changes.items()}


@bounded
@given(PLANS, PLANS)
def test_two_plans_have_one_digest_only_if_their_changes_are_the_same(
    left: dict[int, list[Change]], right: dict[int, list[Change]]
):
    assert (made(left).digest == made(right).digest) == (meaning(left) == meaning(right))


@bounded
@given(PLANS, st.data())
def test_a_plan_in_another_order_has_the_same_digest(
    changes: dict[int, list[Change]], data: st.DataObject
):
    tasks = data.draw(st.permutations(list(changes)))
    shuffled = {task: data.draw(st.permutations(changes[task])) for task in tasks}
    assert made(shuffled).digest == made(changes).digest


@bounded
@given(PLANS.filter(bool), st.data())
def test_a_plan_with_one_value_changed_has_another_digest(
    changes: dict[int, list[Change]], data: st.DataObject
):
    task = data.draw(st.sampled_from(sorted(changes)))
    first, *others = changes[task]
    other = Change(first.path, first.before, data.draw(MAYBES), first.source)
    spoiled = {**changes, task: [other, *others]}
    unlike = canonical(other.after) != canonical(first.after)
    assert (made(spoiled).digest != made(changes).digest) == unlike
