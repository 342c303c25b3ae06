"""Ctrl-C and SIGTERM before anything is changed: each ends the program where it is.

Imported before anything else, so that it holds from the beginning: it imports hardly anything.
"""

from __future__ import annotations

import signal

_came: list[int] = []


def heard() -> list[signal.Signals]:
    """Tell which signals are listened to: those that whoever started the program lets through."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


def end_by_signals() -> None:
    """Raise KeyboardInterrupt where a signal comes."""
    for number in heard():
        signal.signal(number, _end)


def end_if_told_to() -> None:
    """Raise KeyboardInterrupt again, should one have been lost.

    Python goes on after what is raised in some places, as where a module that has been imported
    is let go: nothing may be changed after that.
    """
    if _came:
        raise KeyboardInterrupt


def _end(number: int, _frame: object) -> None:
    _came.append(number)
    raise KeyboardInterrupt
