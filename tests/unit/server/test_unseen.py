"""Which wanted tasks no answer has shown yet."""

from __future__ import annotations

from array import array

from reconciler.server.unseen import Unseen


def test_a_task_is_taken_once():
    unseen = Unseen([2, 5, 9])
    assert unseen.mark_seen(5)
    assert not unseen.mark_seen(5)
    assert list(unseen) == [2, 9]
    assert len(unseen) == 2
    assert unseen.wanted == 3


def test_what_is_not_wanted_is_not_taken():
    unseen = Unseen(array("q", [2, 5, 9]))
    assert not any(map(unseen.mark_seen, (-1, 0, 1, 3, 8, 10, 10**30)))
    assert list(unseen) == [2, 5, 9]


def test_the_last_is_the_largest_that_is_wanted_seen_or_not():
    unseen = Unseen([2, 5, 9])
    unseen.mark_seen(9)
    assert unseen.last == 9


def test_nothing_is_left_once_all_have_been_seen_in_any_order():
    unseen = Unseen(range(1, 6))
    assert all(map(unseen.mark_seen, (3, 1, 5, 4, 2)))
    assert not unseen
    assert list(unseen) == []
