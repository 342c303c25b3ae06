"""Ctrl-C and SIGTERM: the first finishes what is under way, the second stops at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Final, Self

import click

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """While entered, a signal sets ``stop``; ``signalled`` tells afterwards whether one came."""

    def __init__(self, stop: threading.Event) -> None:
        self.signalled = False
        self._stop = stop
        self._before: list[Any] = []

    def __enter__(self) -> Self:
        self._before = [signal.signal(number, self._handle) for number in _SIGNALS]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, before in zip(_SIGNALS, self._before, strict=True):
            signal.signal(number, before)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self.signalled:
            # What is under way is lost sight of, but every line of the report is on disk.
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.signalled = True
        self._stop.set()
        click.echo("reconciler: stopping; waiting for the updates under way", err=True)
