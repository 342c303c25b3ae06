"""Ids that are looked up and packed, values that are packed: nothing is lost, in any order."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.ids import SortedIds
from reconciler.core.values import Json
from reconciler.labelstudio.bulk.cost import BATCH, IDS_LENGTH_MAX, estimate_selection, split_ids
from reconciler.labelstudio.bulk.pending_ids import PendingIds
from reconciler.manifest.readers.document import PackedTasks

IDS = st.integers(1, 30)
NUMBERS = (
    st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text()
VALUES: st.SearchStrategy[Json] = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(st.lists(IDS), st.lists(st.integers(0, 31)))
def test_an_id_stands_where_the_first_of_its_kind_does(ids: list[int], asked: list[int]):
    ordered = sorted(ids)
    places = SortedIds(array("q", ordered))
    assert len(places) == len(ids)
    # In the order asked, then in that of the ids, then backwards: each look-up begins anew.
    for task in [*asked, *ordered, *reversed(ordered), *asked]:
        assert places.index_of(task) == (ordered.index(task) if task in ordered else None)


@given(st.sets(IDS), st.lists(st.integers(0, 31)))
def test_what_has_been_taken_is_not_left_and_all_else_is(wanted: set[int], taken: list[int]):
    unseen = PendingIds(sorted(wanted))
    left = set(wanted)
    for task in taken:
        assert unseen.mark_seen(task) == (task in left)
        left.discard(task)
        assert len(unseen) == len(left)
    assert list(unseen) == sorted(left)


@given(
    st.lists(st.integers(1, 10**25) | st.integers(10**1000, 10**2000)),
    st.integers(1, BATCH) | st.just(BATCH),
)
def test_batches_hold_all_ids_in_order_and_none_is_too_long(ids: list[int], at_most: int):
    packed = list(split_ids(ids, at_most=at_most))
    assert [task for batch in packed for task in batch] == ids
    assert all(0 < len(batch) <= at_most for batch in packed)
    assert all(length_of(batch) <= IDS_LENGTH_MAX for batch in packed)
    # No batch would have held the first id of the next one as well.
    for batch, following in pairwise(packed):
        assert len(batch) == at_most or length_of([*batch, following[0]]) > IDS_LENGTH_MAX


def length_of(batch: Sequence[int]) -> int:
    """Characters that ids take in an address, each with the comma behind it, escaped."""
    return sum(len(f"{task}%2C") for task in batch)


@given(st.integers(0, 5000), st.integers(1, 10**18))
def test_a_selection_is_as_many_requests_as_batches(count: int, first: int):
    ids = range(first, first + count)
    assert estimate_selection(ids).requests == len(list(split_ids(ids)))


@given(st.lists(VALUES))
def test_packed_values_come_out_as_they_went_in(values: list[Json]):
    packed = PackedTasks()
    for node, value in enumerate(values):
        packed.append(value, node=3 * node, end=3 * node + 3)
    for found in (list(packed), [packed[n] for n in range(len(packed))]):
        assert list(map(written, found)) == list(map(written, values))
    assert [packed.get_node(n) for n in range(len(values))] == [3 * n for n in range(len(values))]
    assert packed.extent == 3 * len(values)
    assert [(index, written(value)) for index, value, _ in packed.iterate_entries()] == list(
        enumerate(map(written, values))
    )


def written(value: Json) -> str:
    """A value by its types and all of its digits: ``1`` is not ``1.0``, nor ``0.0`` ``-0.0``."""
    return repr(value)
