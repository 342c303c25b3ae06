"""Progress of long work: one changing line on a terminal, a line every ten seconds in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Final, Self

import click

from reconciler.cli.console import Console
from reconciler.renderers.wording import escape_invisible

TERMINAL_SECONDS: Final = 0.2
LOG_SECONDS: Final = 10.0
_CLEAR: Final = "\r\x1b[K"


@dataclass(frozen=True, slots=True)
class Work:
    """Work in progress: its name, its start by `time.monotonic`, and its number of tasks."""

    name: str
    started: float
    total: int | None


def format_work(work: Work, done: int, now: float) -> str:
    """Write how many tasks are done, how fast, and how long the rest will take.

    A total that turned out to be too low, as tasks are searched, is not shown.
    """
    spent = now - work.started
    rate = done / spent if spent > 0 else 0.0
    total = None if work.total is None or done > work.total else work.total
    of_all = "" if total is None else f" of {total:,}"
    message = f"{work.name}: {done:,}{of_all} tasks, {rate:,.0f}/s"
    if total is None or not rate:
        return f"{message}, {_format_duration(spent)} so far"
    return f"{message}, {_format_duration((total - done) / rate)} left"


def _format_duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class ProgressBar:
    """A `ProgressListener` that writes to standard error.

    It writes from its own thread, so that it also shows work that hangs. The first line comes
    after ``every`` seconds: short work is not shown.
    """

    def __init__(
        self,
        console: Console,
        *,
        terminal: bool | None = None,
        every: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._terminal = _is_terminal() if terminal is None else terminal
        self._every = every or (TERMINAL_SECONDS if self._terminal else LOG_SECONDS)
        self._clock = clock
        self._work: Work | None = None
        self._done = 0
        self._shown = False
        self._ended = Event()
        self._writing = Lock()
        self._thread = Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        if not self._console.quiet:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._clear()

    def begin(self, work: str, total: int | None = None) -> None:
        """Show ``work`` from now on, in place of earlier work."""
        self._done = 0
        self._work = Work(work, self._clock(), total)

    def advance(self, tasks: int = 1) -> None:
        """Count ``tasks`` more as done."""
        self._done += tasks

    def detail(self, text: str) -> None:
        """Write a line on how the work is done, if verbose."""
        with self._writing:
            self._clear()
            self._console.detail(text)

    def note(self, text: str) -> None:
        """Write a line for the user, unless quiet."""
        with self._writing:
            self._clear()
            self._console.note(text)

    def announce(self, text: str) -> None:
        """Write a line, even if quiet."""
        with self._writing:
            self._clear()
            _write(escape_invisible(text) + "\n")

    def _tick(self) -> None:
        while not self._ended.wait(self._every):
            if self._work is not None:
                with self._writing:
                    self._show(format_work(self._work, self._done, self._clock()))

    def _show(self, text: str) -> None:
        if self._terminal:
            self._shown = True
            _write(_CLEAR + escape_invisible(text))
        else:
            _write(escape_invisible(text) + "\n")

    def _clear(self) -> None:
        if self._shown:
            self._shown = False
            _write(_CLEAR)


def _write(text: str) -> None:
    """Write to standard error; a failure, such as a closed pipe, must not end the work."""
    with suppress(OSError, ValueError):
        click.echo(text, err=True, nl=False, color=True)


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
