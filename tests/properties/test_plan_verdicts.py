"""Laws of the three-way check."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.contract.openapi import load_contract
from reconciler.core.difference import find_changes
from reconciler.core.edit import apply_changes
from reconciler.core.model import Change, DesiredTask
from reconciler.core.paths import get_value
from reconciler.core.three_way import Verdict, is_applied, judge_change
from reconciler.core.values import ABSENT, Json, Maybe
from tests.unit.core.building import SOURCE
from tests.unit.core.generating import (
    OBJECTS,
    PATHS,
    VALUES,
    canonical,
    desired_tasks,
    live_tasks,
)

bounded = settings(max_examples=200, deadline=None, derandomize=True)
CONTRACT = load_contract()


@bounded
@given(live_tasks(), desired_tasks(1))
def test_a_change_is_to_be_done_right_after_it_was_planned_and_not_twice(
    live: dict[str, Json], desired: DesiredTask
):
    changes = find_changes(desired, live, CONTRACT)
    assert all(judge_change(change, live, CONTRACT) is Verdict.DO for change in changes)
    after = {**live, **apply_changes(live, changes)}
    assert all(judge_change(change, after, CONTRACT) is Verdict.ALREADY for change in changes)
    assert all(is_applied(change, after, CONTRACT) for change in changes)


@bounded
@given(PATHS, VALUES | st.just(ABSENT), VALUES | st.just(ABSENT), OBJECTS, VALUES)
def test_a_verdict_follows_from_what_is_live_alone(
    path: tuple[str, ...], before: Maybe, after: Maybe, data: dict[str, Json], meta: Json
):
    live: dict[str, Json] = {"data": data, "meta": meta}
    now = get_value(live, path)
    said = judge_change(Change(path, before, after, SOURCE), live, CONTRACT)
    in_object = len(path) == 1 or isinstance(get_value(live, path[:-1]), dict)
    if canonical(now) == canonical(after):
        assert said is Verdict.ALREADY
    elif canonical(now) == canonical(before) and in_object:
        assert said is Verdict.DO
    else:
        assert said is Verdict.STALE


@bounded
@given(live_tasks(), desired_tasks(1), VALUES)
def test_whoever_changes_a_declared_path_in_between_is_not_overwritten(
    live: dict[str, Json], desired: DesiredTask, other: Json
):
    for change in find_changes(desired, live, CONTRACT):
        moved = Change(change.path, change.before, other, SOURCE)
        now = {**live, **apply_changes(live, [moved])}
        unlike = canonical(other) not in (canonical(change.before), canonical(change.after))
        assert (judge_change(change, now, CONTRACT) is Verdict.STALE) == unlike
