"""How many tasks are read afresh at once: few enough that the last of them is still fresh."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from reconciler.plan.model import TaskPlan
from reconciler.server.cost import BATCH

FRESH_SECONDS: Final = 10.0
"""For how long what was read is good enough to be merged into. What somebody else writes to the
same object meanwhile is overwritten: Label Studio has no conditional requests."""

FIRST: Final = 100
"""Tasks of the first batch, while it is not known how fast the server is: slow ones do ten a
second."""


class FreshBatches:
    """Cuts the updates of a plan into batches that take about `FRESH_SECONDS` each.

    ``sent`` tells how many updates have been sent; ``rps`` is how many may begin a second, None
    for any number.
    """

    def __init__(
        self,
        sent: Callable[[], int],
        rps: float | None,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sent = sent
        self._rps = rps
        self._now = now

    def of(self, tasks: Sequence[TaskPlan]) -> Iterator[Sequence[TaskPlan]]:
        """Give the batches in order; each is as large as it should be when it is asked for."""
        # Those of a canary were sent before, and while another clock ran.
        began, sent_before = self._now(), self._sent()
        start = 0
        while start < len(tasks):
            end = start + self._size(self._sent() - sent_before, self._now() - began)
            yield tasks[start:end]
            start = end

    def _size(self, sent: int, seconds: float) -> int:
        size = FRESH_SECONDS * sent / seconds if sent and seconds else FIRST
        if self._rps:
            size = min(size, FRESH_SECONDS * self._rps)
        return max(1, min(BATCH, int(size)))


def whole_batches(tasks: Sequence[TaskPlan]) -> Iterator[Sequence[TaskPlan]]:
    """Cut tasks into batches that are as large as one request can be."""
    for start in range(0, len(tasks), BATCH):
        yield tasks[start : start + BATCH]
