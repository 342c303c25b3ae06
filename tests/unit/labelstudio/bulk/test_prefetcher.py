"""Calls from a few threads, whose results and errors come to whoever asks for them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from queue import Queue

import pytest

from reconciler.labelstudio.bulk.prefetcher import Prefetcher
from reconciler.labelstudio.bulk.read_concurrency import AT_ONCE, ENOUGH, ReadConcurrency, ReadProbe


def all_at_once() -> ReadConcurrency:
    return ReadConcurrency(ReadProbe(0.0, limit=AT_ONCE, trial_after=1_000))


SOON = 5.0
"""Seconds after which a test is given up; none waits for it."""


def test_results_come_to_the_calls_that_they_are_of():
    with Prefetcher[int, int](lambda number: 2**number) as ahead:
        futures = [ahead.submit(number) for number in range(50)]
        assert [future.result(SOON) for future in futures] == [2**n for n in range(50)]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3)])
def test_an_error_is_raised_where_the_result_is_asked_for_and_ends_no_thread(
    error: BaseException,
):
    def failing(number: int) -> int:
        if number % 2:
            raise error
        return number

    with Prefetcher(failing) as ahead:
        futures = [ahead.submit(number) for number in range(20)]
        for number, future in enumerate(futures):
            assert future.exception(SOON) is (error if number % 2 else None)
        assert ahead.submit(2).result(SOON) == 2


class Held:
    """A function that waits until it is let go, and counts who is in it."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.entered = threading.Semaphore(0)
        self.threads: set[threading.Thread] = set()

    def __call__(self, number: int) -> int:
        self.threads.add(threading.current_thread())
        self.entered.release()
        assert self.go.wait(SOON)
        return number


def test_only_so_many_calls_are_under_way_at_once():
    held = Held()
    with Prefetcher(held) as ahead:
        futures = [ahead.submit(number) for number in range(3 * AT_ONCE)]
        for _ in range(AT_ONCE):
            assert held.entered.acquire(timeout=SOON)
        # All threads are in the function, and none of them comes out before it is let go.
        assert not held.entered.acquire(blocking=False)
        assert len(held.threads) == AT_ONCE
        held.go.set()
        for future in futures:
            future.result(SOON)
    assert len(held.threads) == AT_ONCE


def test_threads_are_daemons_and_end_once_they_are_not_needed():
    held = Held()
    with Prefetcher(held) as ahead:
        futures = [ahead.submit(number) for number in range(AT_ONCE)]
        held.go.set()
        for future in futures:
            future.result(SOON)
    assert all(thread.daemon for thread in held.threads)
    for thread in held.threads:
        thread.join(SOON)
    assert not any(thread.is_alive() for thread in held.threads)


def test_calls_whose_results_are_not_needed_are_not_waited_for():
    held = Held()
    futures: list[Future[int]] = []

    def interrupted() -> None:
        with Prefetcher(held) as ahead:
            futures.append(ahead.submit(1))
            assert held.entered.acquire(timeout=SOON)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not futures[0].done()
    held.go.set()
    futures[0].result(SOON)


def test_no_thread_is_begun_where_nothing_is_called():
    before = set(threading.enumerate())
    with Prefetcher[int, int](abs) as ahead:
        assert list(ahead.call_in_order(deque())) == []
        # Those of other tests may end meanwhile.
        assert set(threading.enumerate()) <= before


def numbers(ended: Iterator[tuple[int, Future[int]]]) -> Iterator[tuple[int, int]]:
    return ((argument, future.result(SOON)) for argument, future in ended)


def test_what_waits_is_given_in_its_order_whatever_ends_first():
    first = threading.Event()

    def called(number: int) -> int:
        assert number or first.wait(SOON)
        first.set()
        return -number

    with Prefetcher(called, all_at_once()) as ahead:
        assert list(numbers(ahead.call_in_order(deque(range(9))))) == [(n, -n) for n in range(9)]


def test_what_changes_what_waits_is_heeded():
    waiting = deque([1, 2, 3])
    with Prefetcher[int, int](abs) as ahead:
        seen: list[int] = []
        for number, _ in ahead.call_in_order(waiting):
            seen.append(number)
            if number == 3:
                waiting.extend([7, 8])
    assert seen == [1, 2, 3, 7, 8]


def test_the_next_call_is_under_way_before_anything_is_asked_for_and_while_one_is_worked_on():
    begun: Queue[int] = Queue()
    with Prefetcher(begun.put) as ahead:
        ended = ahead.call_in_order(deque([1, 2, 3]))
        assert begun.get(timeout=SOON) == 1
        next(ended)
        assert begun.get(timeout=SOON) == 2


def test_as_many_are_under_way_while_one_is_worked_on_as_while_one_is_waited_for():
    waiting = deque(range(9))
    with Prefetcher[int, int](abs, all_at_once()) as ahead:
        ended = ahead.call_in_order(waiting)
        assert len(waiting) == 9 - AT_ONCE
        next(ended)
        assert len(waiting) == 9 - AT_ONCE - 1


def test_nothing_is_called_while_what_should_be_the_last_is_worked_on():
    waiting = deque(range(9))
    with Prefetcher[int, int](abs, all_at_once()) as ahead:
        ended = ahead.call_in_order(waiting, to_come=lambda: 1)
        next(ended)
        assert len(waiting) == 8
        next(ended)
        assert len(waiting) == 7


@pytest.mark.parametrize(
    ("waiting", "to_come", "under_way"),
    [
        (100, lambda: 100, 2),
        (AT_ONCE + ENOUGH, lambda: 100, 2),
        (AT_ONCE + ENOUGH - 1, lambda: 100, 1),
        (100, lambda: ENOUGH, 2),
        (100, lambda: ENOUGH - 1, 1),
    ],
)
def test_more_at_a_time_is_tried_where_enough_is_left(
    waiting: int, to_come: Callable[[], int], under_way: int
):
    left = deque(range(waiting))
    with Prefetcher[int, int](abs) as ahead:
        ended = ahead.call_in_order(left, to_come=to_come)
        given = [next(ended)[0] for _ in range(AT_ONCE + 1)]
    begun_last = left[0] - 1
    assert begun_last - given[-1] == under_way


def test_what_was_learned_from_one_list_serves_the_next():
    pace = all_at_once()
    for _ in range(2):
        waiting = deque(range(9))
        with Prefetcher[int, int](abs, pace) as ahead:
            ended = ahead.call_in_order(waiting)
            assert len(waiting) == 9 - AT_ONCE
            list(ended)


def test_nothing_is_called_behind_what_failed_until_it_has_been_worked_on():
    waiting = deque([1, 2, 3])

    def failing(number: int) -> int:
        if number == 1:
            raise ValueError(number)
        return number

    with Prefetcher(failing) as ahead:
        ended = ahead.call_in_order(waiting)
        assert isinstance(next(ended)[1].exception(SOON), ValueError)
        assert list(waiting) == [2, 3]
        waiting.clear()
        assert list(ended) == []


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_no_more_are_under_way_than_are_to_come_but_one(most: int):
    held = Held()
    waiting = deque(range(9))
    with Prefetcher(held, all_at_once()) as ahead:
        ahead.call_in_order(waiting, to_come=lambda: most)
        assert len(waiting) == 9 - max(1, most)
        held.go.set()
