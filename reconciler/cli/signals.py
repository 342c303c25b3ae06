"""Ctrl-C and SIGTERM: before the first change they interrupt the run, from then on they stop it.

Handlers are installed before the rest of the program is imported, and until then a signal ends in
a traceback: so this module does without `typing`, which takes 10 ms to import.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class SignalInterrupt(KeyboardInterrupt):
    """A signal came before the first change.

    A class of its own: after a KeyboardInterrupt inside ``exec``, as where a dataclass is made,
    Python ends as if killed by SIGINT, even if it was caught.
    """


class SignalRecord:
    """The signals that came so far, each recorded before it has any effect.

    The first one raises SignalInterrupt, and ``interrupted`` stays true whatever becomes of that;
    while signals are only recorded, it makes ``stopped`` true and raises nothing. The second one
    ends the program as if there were no handler.
    """

    def __init__(self) -> None:
        self.interrupted = False
        self.stopped = False
        self._records_only = False

    def install(self) -> None:
        """Handle signals, but for those that whoever started the program had it ignore."""
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._receive)

    @contextmanager
    def record_only(self) -> Iterator[None]:
        """Let no signal interrupt the block, which makes changes and prints what they were.

        Raises SignalInterrupt if an earlier one was swallowed on its way.
        """
        self._records_only = True
        try:
            if self.interrupted:
                raise SignalInterrupt
            yield
        finally:
            self._records_only = False

    @contextmanager
    def exit_when_interrupted(self) -> Iterator[None]:
        """Handle signals from now on; exit with 130 if the block raises anything after one."""
        self.install()
        try:
            yield
        except SystemExit:
            raise
        except BaseException:
            if not self.interrupted:
                raise
            print_interrupted()
            sys.exit(130)  # `exit_codes.INTERRUPTED`
        finally:
            # The exit code is settled: a signal while Python shuts down changes nothing.
            self._records_only = True

    def _receive(self, number: int, _frame: object) -> None:
        if self.interrupted or self.stopped:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        if self._records_only:
            self.stopped = True
        else:
            self.interrupted = True
            raise SignalInterrupt


SIGNALS = SignalRecord()
"""The signals that this process got."""


def print_interrupted() -> None:
    """Say that the run was interrupted; without click, which may not be imported yet."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            print("reconciler: interrupted; nothing more is done", file=sys.stderr)  # noqa: T201 - see above
