"""Pauses that take no time: a clock that only the waiting for it moves."""

from __future__ import annotations

from reconciler.labelstudio.retry import Backoff


class Patient(Backoff):
    """Notes what is waited for, in seconds, in place of waiting."""

    def __init__(self) -> None:
        super().__init__(now=lambda: self.clock, draw=lambda: 0.5)
        self.clock = 1000.0
        self.waited: list[float] = []

    def wait(self, seconds: float) -> bool:
        if self._stop.is_set():
            return True
        self.waited.append(seconds)
        self.clock += seconds
        return self._stop.is_set()
