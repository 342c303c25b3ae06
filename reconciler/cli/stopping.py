"""Ctrl-C and SIGTERM: the first finishes what is under way, the second stops at once."""

from __future__ import annotations

import signal
from contextlib import suppress
from queue import SimpleQueue
from threading import Event, Thread
from types import FrameType, TracebackType
from typing import Any, Self

import click

from reconciler.cli.interrupts import heard


class Stopping:
    """While entered, a signal sets ``stop``; ``signalled`` tells afterwards whether one came.

    A signal comes in the middle of anything that the main thread does, locks held: of its handler,
    which no lock may keep waiting, a thread takes over at once.
    """

    def __init__(self, stop: Event) -> None:
        self.signalled = False
        self._stop = stop
        self._before: dict[signal.Signals, Any] = {}
        self._is_signal: SimpleQueue[bool] = SimpleQueue()
        self._thread = Thread(target=self._stop_if_signalled, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._before = {number: signal.signal(number, self._handle) for number in heard()}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        self._is_signal.put(False)  # noqa: FBT003 - no signal came
        self._thread.join()

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self.signalled:
            # What is under way is lost sight of, but every line of the report is on disk.
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.signalled = True
        self._is_signal.put(True)  # noqa: FBT003 - one came

    def _stop_if_signalled(self) -> None:
        if self._is_signal.get():
            self._stop.set()
            with suppress(OSError, ValueError):  # Nobody reads that, and updates are under way.
                click.echo("reconciler: stopping; waiting for the updates under way", err=True)
