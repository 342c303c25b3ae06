"""What is repaired was stored, lies inside an object, and was undone soon after: no more is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.contract.openapi import load_contract
from reconciler.core.edit import apply_changes
from reconciler.core.model import Change
from reconciler.core.plan_model import TaskPlan
from reconciler.core.values import ABSENT, Json
from reconciler.executor.repair import StoredChanges, find_undone
from tests.unit.core.building import change, update

CONTRACT = load_contract()
AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
CHANGES = (
    change("data.a", "old", "new"),
    change("data.added", ABSENT, 1),
    change("data.o.removed", 3, ABSENT),
    change("meta.m", None, {"n": [1, 2]}),
    change("overlap", 1, 2),
    change("inner_id", 1, None),
)
INSIDE = frozenset(CHANGES[place].path for place in range(4))
THEIRS: dict[str, Json] = {"data": "somebody's", "meta": "somebody's", "overlap": 9, "inner_id": 9}


@dataclass(frozen=True)
class Case:
    """A task as it reads after a run: ``reads`` tells of each change which value is there."""

    task: TaskPlan
    reads: dict[tuple[str, ...], str]
    stored: frozenset[tuple[str, ...]]
    after: timedelta

    @property
    def live(self) -> dict[str, Any]:
        values: dict[str, Any] = {
            "data": {"text": "t", "o": {"kept": 1}, "theirs": 1},
            "meta": {"theirs": 1},
            "overlap": 1,
            "inner_id": 1,
            "updated_at": (AT + self.after).isoformat().replace("+00:00", "Z"),
        }
        for one in self.task.changes:
            read = self.reads[one.path]
            value = {"before": one.before, "after": one.after, "other": THEIRS[one.path[0]]}[read]
            _set(values, one.path, value)
        return values

    def undone(self) -> list[Change]:
        changes = tuple(c for c in self.task.changes if c.path in self.stored)
        return list(find_undone(self.task, self.live, StoredChanges(changes, AT), CONTRACT))


def _set(values: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    *parents, key = path
    for parent in parents:
        values = values[parent]
    if value is ABSENT:
        values.pop(key, None)
    else:
        values[key] = value


@st.composite
def cases(draw: st.DrawFn) -> Case:
    changes = draw(st.lists(st.sampled_from(CHANGES), min_size=1, unique_by=lambda c: c.path))
    paths = [one.path for one in changes]
    return Case(
        update(1, *changes),
        {path: draw(st.sampled_from(["before", "after", "other"])) for path in paths},
        draw(st.frozensets(st.sampled_from(paths))),
        timedelta(seconds=draw(st.sampled_from([0, 0.001, 5, 59.9, 60, 60.001, 3600]))),
    )


@given(cases())
def test_what_is_repaired_is_what_can_only_have_been_undone_by_accident(case: Case):
    soon = case.after <= timedelta(seconds=60)
    meant = "other" in case.reads.values()
    expected = {
        path for path in case.stored & INSIDE if soon and not meant and case.reads[path] == "before"
    }
    assert {one.path for one in case.undone()} == expected


@given(cases())
def test_a_repair_leaves_nothing_to_repair_and_touches_nothing_else(case: Case):
    due = case.undone()
    live = case.live
    repaired = {**live, **apply_changes(live, tuple(due))}
    assert find_undone(case.task, repaired, StoredChanges(tuple(due), AT), CONTRACT) == ()
    reads = case.reads | dict.fromkeys((one.path for one in due), "after")
    assert repaired == replace(case, reads=reads).live


@given(cases(), st.sampled_from([None, 5, "yesterday", "2026-11-28"]))
def test_where_nobody_can_tell_when_it_was_written_it_is_left_alone(case: Case, told: Json):
    changes = tuple(case.task.changes)
    live = {**case.live, "updated_at": told}
    assert find_undone(case.task, live, StoredChanges(changes, AT), CONTRACT) == ()
    del live["updated_at"]
    assert find_undone(case.task, live, StoredChanges(changes, AT), CONTRACT) == ()
