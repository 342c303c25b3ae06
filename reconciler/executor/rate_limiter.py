"""Keeps the starts of updates apart: no more of them a second than somebody asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class RateLimiter:
    """Starts at most ``rps`` updates a second, evenly, whatever thread asks; None: any number.

    ``now`` is a clock in seconds; ``wait`` waits for so many seconds, or until told to stop, and
    then returns True.
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
        """Wait until an update may start; False where told to stop before that."""
        if not self._apart:
            return True
        with self._lock:
            start = max(self._free_from, self._now())
            self._free_from = start + self._apart
        return self._wait_until(start)

    def wait_until_near(self, seconds: float) -> bool:
        """Wait until an update may start within so many seconds; False where told to stop."""
        return self._wait_until(self._free_from - seconds)

    def _wait_until(self, moment: float) -> bool:
        while (left := moment - self._now()) > 0:
            if self._wait(left):
                return False
        return True
