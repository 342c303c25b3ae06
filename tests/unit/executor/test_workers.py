"""Threads that do each job once, in order, and never more at a time than is allowed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from reconciler.executor.workers import Workers


class Counting:
    """Counts the jobs under way at once; ``together`` of them wait for one another."""

    def __init__(self, together: int = 1) -> None:
        self.most = 0
        self.done: list[int] = []
        self._now = 0
        self._lock = threading.Lock()
        self._together = threading.Barrier(together)

    def __call__(self, job: int) -> bool:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self._together.wait(30)
        with self._lock:
            self._now -= 1
            self.done.append(job)
        return True


def do(
    work: Callable[[int], bool], count: int, *, cap: int, stop: threading.Event | None = None
) -> list[int]:
    """Do jobs 1 to ``count``; return those that were begun."""
    with Workers(work, cap=cap, stop=stop or threading.Event()) as workers:
        return [job for job in range(1, count + 1) if workers.begin(job)]


@pytest.mark.parametrize("cap", [1, 3, 8, 64])
def test_every_job_is_done_once(cap: int):
    work = Counting()
    assert do(work, 300, cap=cap) == sorted(work.done) == list(range(1, 301))
    assert work.most <= cap


def test_one_at_a_time_they_are_done_in_order():
    work = Counting()
    do(work, 50, cap=1)
    assert work.done == list(range(1, 51))


def test_as_many_are_under_way_as_a_run_begins_with():
    work = Counting(together=4)
    do(work, 4, cap=8)
    assert work.most == 4


def test_no_thread_is_made_before_there_is_a_place_for_it():
    before = threading.active_count()
    with Workers(Counting(), cap=64, stop=threading.Event()) as workers:
        assert threading.active_count() == before
        for job in range(20):
            workers.begin(job)
        assert threading.active_count() <= before + 4
    assert threading.active_count() == before


def test_threads_are_named_and_numbered():
    names: set[str] = set()
    together = threading.Barrier(3)

    def work(_: int) -> bool:
        together.wait(30)
        names.add(threading.current_thread().name)
        return True

    do(work, 3, cap=8)
    assert names == {"update-1", "update-2", "update-3"}


def test_a_server_without_room_gets_one_at_a_time():
    def refused(_: int) -> bool:
        return False

    with Workers(refused, cap=8, stop=threading.Event()) as workers:
        for job in range(100):
            workers.begin(job)
        assert workers.limit == 1


def test_once_told_to_stop_no_job_is_begun_and_those_under_way_end():
    stop = threading.Event()
    work = Counting()

    def work_and_stop(job: int) -> bool:
        if job == 3:
            stop.set()
        return work(job)

    begun = do(work_and_stop, 20, cap=1, stop=stop)
    assert begun == work.done == [1, 2, 3]


def test_what_a_job_raises_stops_the_others_and_is_raised():
    stop = threading.Event()
    done: list[int] = []

    def work(job: int) -> bool:
        done.append(job)
        if job == 2:
            raise ValueError(job)
        return True

    with pytest.raises(ValueError, match="2"):
        do(work, 20, cap=1, stop=stop)
    assert done == [1, 2]
    assert stop.is_set()


def test_what_the_last_job_raises_is_raised_too():
    def work(job: int) -> bool:
        raise ValueError(job)

    with pytest.raises(ValueError, match="1"):
        do(work, 1, cap=4)


def test_what_is_raised_between_jobs_waits_for_those_under_way():
    work = Counting()

    def begin_and_be_interrupted() -> None:
        with Workers(work, cap=4, stop=threading.Event()) as workers:
            for job in (1, 2, 3):
                workers.begin(job)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begin_and_be_interrupted()
    assert sorted(work.done) == [1, 2, 3]
