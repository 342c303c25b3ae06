"""A fingerprint says that nothing differs only where nothing does, and mostly does where so."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.contract.openapi import load_contract
from reconciler.core.difference import find_changes
from reconciler.core.model import DesiredTask
from reconciler.core.values import Json
from tests.unit.core.building import desired, fingerprints_of
from tests.unit.core.generating import KEYS, OBJECTS, desired_tasks, live_tasks, reordered

bounded = settings(max_examples=400, deadline=None, derandomize=True)
ATTRIBUTES = load_contract()


@bounded
@given(st.lists(desired_tasks(1), min_size=1, max_size=4), live_tasks())
def test_what_is_held_has_no_changes(tasks: list[DesiredTask], live: dict[str, Json]):
    fingerprints = fingerprints_of(*tasks)
    for place, task in enumerate(tasks):
        if fingerprints.hold(place, live):
            assert find_changes(task, live, ATTRIBUTES) == ()


@st.composite
def beside(draw: st.DrawFn, declared: Mapping[str, Json]) -> dict[str, Json]:
    """Live values that are as declared, with other keys before and behind."""
    inner = {
        key: draw(beside(value)) if isinstance(value, dict) else value
        for key, value in declared.items()
    }
    more = draw(st.dictionaries(KEYS, st.integers(0, 3), max_size=2))
    keys = draw(st.permutations(list({**more, **inner})))
    return {key: inner.get(key, more.get(key)) for key in keys}


@bounded
@given(OBJECTS, st.data())
def test_live_values_are_held_whatever_stands_beside_them(
    declared: dict[str, Json], data: st.DataObject
):
    task = desired(1, {"data": declared, "overlap": 1})
    live: dict[str, Json] = {"id": 1, "data": data.draw(beside(declared)), "overlap": 1}
    assert not find_changes(task, live, ATTRIBUTES)
    assert fingerprints_of(task).hold(0, live)


@bounded
@given(OBJECTS, st.data())
def test_a_task_is_held_by_what_it_replaces(declared: dict[str, Json], data: st.DataObject):
    fingerprints = fingerprints_of(desired(1, {"data": declared}, replaced=("data",)))
    assert fingerprints.hold(0, {"data": declared})
    more: dict[str, Json] = {**declared, "more": None}
    assert not fingerprints.hold(0, {"data": data.draw(reordered(more))})
