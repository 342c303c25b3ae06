"""Updates begin evenly apart, in a time that nobody waits for."""

from __future__ import annotations

import threading

import pytest

from reconciler.executor.rate_limiter import RateLimiter


class Clock:
    """A clock that only waiting moves on; ``stops_at`` is when somebody says to stop."""

    def __init__(self, *, stops_at: float = float("inf")) -> None:
        self.now = 1000.0
        self._stops_at = 1000.0 + stops_at

    def wait(self, seconds: float) -> bool:
        self.now = min(self.now + seconds, self._stops_at)
        return self.now == self._stops_at

    def limiter(self, rps: float | None) -> RateLimiter:
        return RateLimiter(rps, self.wait, now=lambda: self.now)


def starts(rps: float | None, count: int) -> list[float]:
    clock = Clock()
    limiter = clock.limiter(rps)
    return [clock.now - 1000.0 for _ in range(count) if limiter.wait()]


@pytest.mark.parametrize("rps", [0.5, 4, 20])
def test_the_first_begins_at_once_and_the_others_evenly_after_it(rps: float):
    assert starts(rps, 50) == pytest.approx([n / rps for n in range(50)])


def test_who_prepares_an_update_can_wait_until_shortly_before_its_turn():
    clock = Clock()
    limiter = clock.limiter(0.5)
    assert limiter.wait_until_near(0.2)
    assert clock.now == 1000.0
    limiter.wait()
    assert limiter.wait_until_near(0.2)
    assert clock.now == pytest.approx(1001.8)
    assert limiter.wait()
    assert clock.now == pytest.approx(1002.0)


def test_who_prepares_an_update_is_told_to_stop():
    clock = Clock(stops_at=1)
    limiter = clock.limiter(0.5)
    limiter.wait()
    assert not limiter.wait_until_near(0.2)


def test_without_a_number_nobody_waits():
    assert starts(None, 50) == [0.0] * 50


def test_time_that_was_not_used_is_not_made_up_for():
    clock = Clock()
    limiter = clock.limiter(2)
    limiter.wait()
    clock.now += 10
    begun = [clock.now for _ in range(3) if limiter.wait()]
    assert begun == pytest.approx([1010, 1010.5, 1011])


def test_a_wait_that_ends_too_early_is_gone_on_with():
    clock = Clock()
    limiter = RateLimiter(1, lambda seconds: clock.wait(seconds / 2 + 1e-9), now=lambda: clock.now)
    limiter.wait()
    assert limiter.wait()
    assert clock.now >= 1001


def test_told_to_stop_it_waits_no_longer():
    clock = Clock(stops_at=1.25)
    limiter = clock.limiter(1)
    assert [limiter.wait() for _ in range(3)] == [True, True, False]
    assert clock.now == 1001.25


def test_a_thread_that_waits_ends_when_the_stop_is_set():
    stop = threading.Event()
    limiter = RateLimiter(0.001, stop.wait)
    limiter.wait()
    said: list[bool] = []
    thread = threading.Thread(target=lambda: said.append(limiter.wait()))
    thread.start()
    stop.set()
    thread.join(30)
    assert said == [False]


def test_no_two_threads_get_the_same_start():
    left = list[float]()

    def wait(seconds: float) -> bool:
        left.append(seconds)
        return True

    limiter = RateLimiter(10, wait, now=lambda: 0.0)
    threads = [threading.Thread(target=limiter.wait) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(left) == pytest.approx([n / 10 for n in range(1, 16)])
