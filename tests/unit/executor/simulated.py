"""Servers as arithmetic: when each update would be answered, in a time that nobody waits for."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.executor.update_concurrency import UpdateConcurrency

Server = Callable[[float], tuple[float, bool]]
"""Takes when an update is begun; returns when it is answered, and whether there was room for it."""


def around(seconds: float, *, spread: float = 0.4, seed: int = 0) -> Callable[[], float]:
    """Draw times that vary as those of servers do: most a little, some a lot; never negative."""
    # A gamma distribution of this shape has its standard deviation at ``spread`` of its mean.
    shape, drawn = 1 / spread**2, random.Random(seed)  # noqa: S311 - nothing secret
    return lambda: drawn.gammavariate(shape, seconds / shape)


def with_workers(count: int, service: Callable[[], float]) -> Server:
    """Work on ``count`` updates at a time, the others wait in a row; 1 is a server with a lock."""
    free_from = [0.0] * count

    def serve(now: float) -> tuple[float, bool]:
        ends = max(now, free_from[0]) + service()
        heapq.heapreplace(free_from, ends)
        return ends, True

    return serve


def unlimited(service: Callable[[], float]) -> Server:
    """Take as long for each update however many there are."""
    return lambda now: (now + service(), True)


def one_in(count: int, server: Server, *, takes: float) -> Server:
    """Take so many seconds more for one update in ``count``."""
    served = iter(range(1, 1_000_000))

    def serve(now: float) -> tuple[float, bool]:
        ends, taken = server(now)
        return ends + (0.0 if next(served) % count else takes), taken

    return serve


def changing(at: float, first: Server, then: Server) -> Server:
    """Be one server up to a time, and another from then on."""
    return lambda now: (first if now < at else then)(now)


def limited(per_second: int, service: Callable[[], float]) -> Server:
    """Take so many updates in any one second, and answer 429 to the others at once."""
    taken: deque[float] = deque()

    def serve(now: float) -> tuple[float, bool]:
        while taken and taken[0] <= now - 1:
            taken.popleft()
        if len(taken) >= per_second:
            return now + 0.01, False
        taken.append(now)
        return now + service(), True

    return serve


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a run: the limit after each answer, and how many were refused."""

    limits: list[int]
    refused: int
    seconds: float

    @property
    def moves(self) -> int:
        """How often the limit changed."""
        return sum(one != next_ for one, next_ in zip(self.limits, self.limits[1:], strict=False))

    def settled(self, *, after: int = 0) -> float:
        """Tell the mean limit once ``after`` answers had come."""
        return sum(self.limits[after:]) / len(self.limits[after:])


def run(server: Server, count: int, *, cap: int = 8) -> Run:
    """Send ``count`` updates, always as many at a time as the pace allows."""
    pace = UpdateConcurrency.start(cap)
    now, under_way, limits, refused = 0.0, list[tuple[float, bool]](), list[int](), 0
    while len(limits) < count:
        while len(under_way) < pace.limit:
            heapq.heappush(under_way, server(now))
        held, before = len(under_way), now
        now, taken = heapq.heappop(under_way)
        pace = pace.note_answer(held * (now - before)) if taken else pace.note_overload()
        refused += not taken
        limits.append(pace.limit)
    return Run(limits, refused, now)
