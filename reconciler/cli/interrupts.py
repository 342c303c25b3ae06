"""Ctrl-C and SIGTERM before anything is changed: each ends the program where it is.

Imported before anything else, so that it holds from the beginning: it imports hardly anything.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import time

_AGAIN_SECONDS = 0.01
"""After which a signal that was lost is raised again: by then Python is elsewhere."""

_came: list[int] = []


def heard() -> list[signal.Signals]:
    """Tell which signals are listened to: those that whoever started the program lets through."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


def end_by_signals() -> None:
    """Raise KeyboardInterrupt where a signal comes, and again where Python has no use for it."""
    for number in heard():
        signal.signal(number, _end)
    sys.unraisablehook = _once_more


def end_if_told_to() -> None:
    """Raise KeyboardInterrupt if one was raised and lost all the same: nothing may be changed."""
    if _came:
        raise KeyboardInterrupt


def _end(number: int, _frame: object) -> None:
    _came.append(number)
    raise KeyboardInterrupt


def _once_more(lost: sys.UnraisableHookArgs) -> None:
    """Raise a signal again that came where Python only prints what is raised.

    As where a module that has been imported is let go, which is most of a start.
    """
    if isinstance(lost.exc_value, KeyboardInterrupt) and _came:
        _thread.start_new_thread(_raise_again, (_came[-1],))
    else:
        sys.__unraisablehook__(lost)


def _raise_again(number: int) -> None:
    time.sleep(_AGAIN_SECONDS)
    os.kill(os.getpid(), number)  # The process: from here only its main thread can be woken so.
