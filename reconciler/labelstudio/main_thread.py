"""The main thread, which waits in steps, so that it notices each signal.

Python handles a signal between two steps of its own. One that comes just before the main thread
begins to wait is seen when the wait ends: for an answer of a server, that may take minutes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, Final, TypeVar

T = TypeVar("T")

STEP_SECONDS: Final = 0.2
"""How long a single wait lasts, at most."""


def wait_for(future: Future[Any]) -> None:
    """Wait until a future has ended, whatever it ended with."""
    while not wait([future], STEP_SECONDS).done:
        pass


def call_beside_main(function: Callable[[], T]) -> T:
    """Call a function, in the main thread by way of another one; raises what it raises.

    An interrupt leaves the other thread alone: it is a daemon, and ends with the program.
    """
    if threading.current_thread() is not threading.main_thread():
        return function()
    future: Future[T] = Future()

    def call() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            future.set_exception(error)

    threading.Thread(target=call, daemon=True, name="request").start()
    wait_for(future)
    return future.result()
