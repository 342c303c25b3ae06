"""Ctrl-C and SIGTERM: the first finishes what is under way, the second stops at once."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Event, Thread
from types import FrameType, TracebackType
from typing import Any, Self

import click

from reconciler.cli.signals import handled_signals


def _tell(text: str) -> None:
    click.echo(text, err=True)


class Stopping:
    """While entered, a signal sets ``stop``; ``signalled`` tells afterwards whether one came.

    The handler runs in the main thread, which may hold the lock of ``stop``: to set it there could
    wait for ever. So the handler only puts the signal into a queue, and a thread sets ``stop``,
    and says so by ``tell``.
    """

    def __init__(self, stop: Event, tell: Callable[[str], None] = _tell) -> None:
        self.signalled = False
        self._stop = stop
        self._tell = tell
        self._before: dict[signal.Signals, Any] = {}
        self._numbers: SimpleQueue[int | None] = SimpleQueue()
        # A daemon: nobody ends it where an interrupt comes before all is entered.
        self._thread = Thread(target=self._stop_when_signalled, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._before = {n: signal.signal(n, self._handle) for n in handled_signals()}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._numbers.put(None)
        self._thread.join()
        for number, before in self._before.items():
            signal.signal(number, before)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self.signalled:
            # What is under way is lost sight of, but every line of the report is on disk.
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.signalled = True
        self._numbers.put(number)

    def _stop_when_signalled(self) -> None:
        if self._numbers.get() is not None:
            self._stop.set()
            with suppress(OSError, ValueError):  # Nobody reads that, and updates are under way.
                self._tell("reconciler: stopping; waiting for the updates under way")
