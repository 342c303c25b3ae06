"""Calls from a few threads, whose results and errors come to whoever asks for them."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from reconciler.server.ahead import AT_ONCE, Ahead

SOON = 5.0
"""Seconds after which a test is given up; none waits for it."""


def test_results_come_to_the_calls_that_they_are_of():
    with Ahead(pow) as ahead:
        futures = [ahead.submit(2, number) for number in range(50)]
        assert [future.result(SOON) for future in futures] == [2**n for n in range(50)]


def test_names_of_arguments_are_passed_on():
    def told(first: int, *, second: int) -> tuple[int, int]:
        return first, second

    with Ahead(told) as ahead:
        assert ahead.submit(1, second=2).result(SOON) == (1, 2)


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3)])
def test_an_error_is_raised_where_the_result_is_asked_for_and_ends_no_thread(
    error: BaseException,
):
    def failing(number: int) -> int:
        if number % 2:
            raise error
        return number

    with Ahead(failing) as ahead:
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

    def __call__(self) -> None:
        self.threads.add(threading.current_thread())
        self.entered.release()
        assert self.go.wait(SOON)


def test_only_so_many_calls_are_under_way_at_once():
    held = Held()
    with Ahead(held) as ahead:
        futures = [ahead.submit() for _ in range(3 * AT_ONCE)]
        for _ in range(AT_ONCE):
            assert held.entered.acquire(timeout=SOON)
        # All threads are in the function, and none of them comes out before it is let go.
        assert not held.entered.acquire(blocking=False)
        assert len(held.threads) == AT_ONCE
        held.go.set()
        for future in futures:
            future.result(SOON)
    assert len(held.threads) == AT_ONCE


def test_threads_are_daemons_and_end_once_nobody_needs_them():
    held = Held()
    with Ahead(held) as ahead:
        futures = [ahead.submit() for _ in range(AT_ONCE)]
        held.go.set()
        for future in futures:
            future.result(SOON)
    assert all(thread.daemon for thread in held.threads)
    for thread in held.threads:
        thread.join(SOON)
    assert not any(thread.is_alive() for thread in held.threads)


def test_nobody_waits_for_calls_whose_results_nobody_wants():
    held = Held()
    futures: list[Future[None]] = []

    def interrupted() -> None:
        with Ahead(held) as ahead:
            futures.append(ahead.submit())
            assert held.entered.acquire(timeout=SOON)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not futures[0].done()
    held.go.set()
    futures[0].result(SOON)


def test_no_thread_is_begun_where_nothing_is_called():
    before = threading.active_count()
    with Ahead(pow):
        assert threading.active_count() == before
