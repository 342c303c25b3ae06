"""Spacing the starts of updates, so that no more begin per second than the caller allows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class RateLimiter:
    """Lets at most ``rps`` updates begin per second, evenly, in all threads; None for any number.

    ``now`` is a clock in seconds. ``wait`` waits for a number of seconds; it returns True if a
    stop ends the wait.
    """

    def __init__(
        self,
        rps: float | None,
        wait: Callable[[float], bool],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._apart = 1 / rps if rps else 0.0
        self._wait = wait
        self._now = now
        self._free_from = 0.0
        self._lock = threading.Lock()

    def wait(self) -> bool:
        """Wait until an update may start; return False after a stop."""
        if not self._apart:
            return True
        with self._lock:
            start = max(self._free_from, self._now())
            self._free_from = start + self._apart
        return self._wait_until(start)

    def wait_until_near(self, seconds: float) -> bool:
        """Wait until an update may start within ``seconds``; return False after a stop."""
        return self._wait_until(self._free_from - seconds)

    def _wait_until(self, moment: float) -> bool:
        while (left := moment - self._now()) > 0:
            if self._wait(left):
                return False
        return True
