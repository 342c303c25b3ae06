"""Ctrl-C and SIGTERM: before the first change they end the run, later they only stop new updates.

The handlers are installed before the rest of the program is imported, as a signal before that ends
in a traceback. So this module does not import `typing`, which takes 10 ms.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class SignalInterrupt(KeyboardInterrupt):
    """A signal arrived before the first change.

    It is a class of its own because after a KeyboardInterrupt inside ``exec``, as in the making of
    a dataclass, Python exits as if killed by SIGINT even if the exception was caught.
    """


class SignalRecord:
    """The signals received so far, each recorded before it has any effect.

    The first one raises SignalInterrupt, and ``interrupted`` stays true even if that is caught.
    Inside `record_only` it sets ``stopped`` and raises nothing. The second one ends the program as
    if there were no handler.
    """

    def __init__(self) -> None:
        self.interrupted = False
        self.stopped = False
        self._records_only = False

    def install(self) -> None:
        """Handle signals, except those that the parent process set to be ignored."""
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._receive)

    @contextmanager
    def record_only(self) -> Iterator[None]:
        """Let no signal interrupt the block, which makes changes and prints them.

        Raises SignalInterrupt if an earlier one was caught before it ended the run.
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
        """Handle signals; exit with 130 if the block raises an exception after one."""
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
            # The exit code is final: a signal while Python shuts down must not change it.
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
"""The signals that this process received."""


def print_interrupted() -> None:
    """Print that the run was interrupted, without click, which may not be imported yet."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            print("reconciler: interrupted; nothing more will be changed", file=sys.stderr)  # noqa: T201 - see above
