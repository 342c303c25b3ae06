"""Which wanted tasks no answer has shown yet."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from reconciler.labelstudio.bulk.pending_ids import PendingIds


def test_a_task_is_taken_once():
    unseen = PendingIds([2, 5, 9])
    assert unseen.mark_seen(5)
    assert not unseen.mark_seen(5)
    assert list(unseen) == [2, 9]
    assert len(unseen) == 2
    assert unseen.wanted == 3


def test_what_is_not_wanted_is_not_taken():
    unseen = PendingIds(array("q", [2, 5, 9]))
    assert not any(map(unseen.mark_seen, (-1, 0, 1, 3, 8, 10, 10**30)))
    assert list(unseen) == [2, 5, 9]


def test_the_last_is_the_largest_that_is_wanted_seen_or_not():
    unseen = PendingIds([2, 5, 9])
    unseen.mark_seen(9)
    assert unseen.last == 9


def test_nothing_is_left_once_all_have_been_seen_in_any_order():
    unseen = PendingIds(range(1, 6))
    assert all(map(unseen.mark_seen, (3, 1, 5, 4, 2)))
    assert not unseen
    assert list(unseen) == []


@given(
    st.lists(st.integers(0, 30), unique=True).map(sorted),
    st.lists(st.lists(st.integers(0, 30), unique=True), max_size=6),
)
def test_taking_many_is_taking_each(wanted: list[int], pages: list[list[int]]):
    at_once, one_by_one = PendingIds(array("q", wanted)), PendingIds(wanted)
    for page in pages:
        assert at_once.take(page) == [task for task in page if one_by_one.mark_seen(task)]
        assert list(at_once) == list(one_by_one)
        assert len(at_once) == len(one_by_one)


def test_a_page_that_is_wanted_as_a_whole_is_taken_once():
    unseen = PendingIds(range(1, 2_001))
    page = list(range(1, 1_001))
    assert unseen.take(page) == page
    assert unseen.take(page) == []
    assert unseen.take(list(range(990, 1_011))) == list(range(1_001, 1_011))
    assert list(unseen) == list(range(1_011, 2_001))
