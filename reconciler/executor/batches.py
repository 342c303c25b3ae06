"""How many tasks to read at once: few enough that the last is still fresh when it is updated."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from reconciler.core.decision import Patch
from reconciler.core.plan_model import TaskPlan
from reconciler.labelstudio.bulk.cost import BATCH

FRESH_SECONDS: Final = 1.0
"""A batch is what can be sent in this time. Our update overwrites what another client writes to the
same object after we read it: Label Studio has no conditional requests. Listing ten tasks takes
about 25 ms, ten updates take one second."""

AHEAD_SECONDS: Final = 0.2
"""How long before its first update a batch is read, so that workers do not wait for it."""

FIRST: Final = 8
"""Tasks of a batch until the speed of the server is known."""

GROWS: Final = 4
"""How many times larger the next batch is after one that needed no update."""

REMEMBERED: Final = 4
"""Batches over which the pace of the server is averaged; the pace may change at any time."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How large batches are: initially ``first`` tasks, then what can be sent in ``seconds``."""

    first: int = FIRST
    seconds: float = FRESH_SECONDS


DEFAULT_LIMITS: Final = BatchLimits()


class FreshBatches:
    """Splits the updates of a plan into batches that take about ``limits.seconds`` each.

    ``sent`` returns how many updates have been sent; ``rps`` is how many may begin per second,
    None for any number.
    """

    def __init__(
        self,
        tasks: Sequence[TaskPlan],
        sent: Callable[[], int],
        rps: float | None,
        *,
        limits: BatchLimits = DEFAULT_LIMITS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._waiting = deque(tasks)
        self._sent = sent
        self._rps = rps or inf
        self._limits = limits
        self._now = now
        self._size = 0
        self._idle = False
        # The updates of a canary, sent earlier, must not count.
        self._marks = deque([(now(), sent())], maxlen=REMEMBERED + 1)

    def __len__(self) -> int:
        """Count the tasks that are in no batch yet, or were put back."""
        return len(self._waiting)

    def take(self) -> Sequence[TaskPlan]:
        """Take the next batch to read; an empty one if nothing is left."""
        # A batch without updates takes no time: grow fast, so that an applied plan ends soon.
        self._size = min(BATCH, GROWS * self._size) if self._idle else self._limit
        self._marks.append((self._now(), self._sent()))
        return [self._waiting.popleft() for _ in range(min(self._size, len(self._waiting)))]

    def keep(self, patches: Sequence[Patch]) -> Sequence[Patch]:
        """Keep the patches that can be sent while they are fresh, and put the others back.

        This matters if the server became much slower since the batch was sized.
        """
        self._idle = not patches
        most = self._limit
        if len(patches) <= 2 * most:
            return patches
        self._waiting.extendleft(patch.plan for patch in reversed(patches[most:]))
        return patches[:most]

    @property
    def ahead(self) -> int:
        """How many updates are still to begin when the next batch is read."""
        return max(0, round(AHEAD_SECONDS * (self._pace or 0)) - 1)

    @property
    def _limit(self) -> int:
        """How many updates can be sent while they are fresh."""
        pace, seconds = self._pace, self._limits.seconds
        size = min(self._limits.first, seconds * self._rps) if pace is None else seconds * pace
        return max(1, min(BATCH, round(size)))

    @property
    def _pace(self) -> float | None:
        """Updates per second, lately; None if not known."""
        began, sent_before = self._marks[0]
        seconds, sent = self._now() - began, self._sent() - sent_before
        return min(sent / seconds, self._rps) if sent and seconds else None


def split_batches(tasks: Sequence[TaskPlan]) -> Iterator[Sequence[TaskPlan]]:
    """Split tasks into batches as large as one request allows."""
    for start in range(0, len(tasks), BATCH):
        yield tasks[start : start + BATCH]
