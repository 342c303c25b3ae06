"""Ctrl-C and SIGTERM before anything is changed: the first ends the program where it is.

Imported before anything else, so that it holds from the beginning: it imports hardly anything.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import time

_AGAIN_SECONDS = 0.01
"""After which a signal that was lost is sent again; should that one be lost too, it comes again."""

_received: list[int] = []
"""The signals that came so far, without those that are sent again."""


def handled_signals() -> list[signal.Signals]:
    """Return the signals to handle: those that whoever started the program does not ignore."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


def install_handlers() -> None:
    """Let a signal raise KeyboardInterrupt, and come again where Python only prints that."""
    for number in handled_signals():
        signal.signal(number, _interrupt)
    sys.unraisablehook = _send_lost_again


def raise_if_interrupted() -> None:
    """Raise KeyboardInterrupt if a signal came and was lost all the same."""
    if _received:
        raise KeyboardInterrupt


def _interrupt(number: int, _frame: object) -> None:
    """Raise KeyboardInterrupt; the second time, while that takes its course, end at once."""
    if _received:
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
    _received.append(number)
    raise KeyboardInterrupt


def _send_lost_again(unraisable: sys.UnraisableHookArgs) -> None:
    """Send a signal again that came in a callback, as when an import lets go of its lock.

    What is raised there Python only prints, and goes on. `threading` cannot be used here: the main
    thread may be inside it.
    """
    if isinstance(unraisable.exc_value, KeyboardInterrupt) and _received:
        _thread.start_new_thread(_send_again, (_received.pop(),))
    else:
        sys.__unraisablehook__(unraisable)


def _send_again(number: int) -> None:
    time.sleep(_AGAIN_SECONDS)
    # To the process: `_thread.interrupt_main` would not wake a main thread that waits.
    os.kill(os.getpid(), number)
