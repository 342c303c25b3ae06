"""Waiting in the main thread in short steps, so that it handles each signal soon.

Python handles a signal between two bytecodes of the main thread. A signal that comes just before
the main thread begins to wait is handled when the wait ends: for a response of a server, that may
take minutes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, Final, TypeVar

T = TypeVar("T")

STEP_SECONDS: Final = 0.2
"""The longest single wait."""


def wait_for(future: Future[Any]) -> None:
    """Wait until a future is done, whether it succeeded or failed."""
    while not wait([future], STEP_SECONDS).done:
        pass


def call_outside_main_thread(function: Callable[[], T]) -> T:
    """Call a function, through another thread if this is the main one; raises what it raises.

    An interrupt does not stop the other thread, which is a daemon and ends with the program.
    """
    if threading.current_thread() is not threading.main_thread():
        return function()
    future: Future[T] = Future()

    def call() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - raised again by result()
            future.set_exception(error)

    threading.Thread(target=call, daemon=True, name="request").start()
    wait_for(future)
    return future.result()
