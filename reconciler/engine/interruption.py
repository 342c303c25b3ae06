"""Running work in a thread, which the waiting thread can stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import TypeVar

from reconciler.labelstudio.main_thread import STEP_SECONDS

T = TypeVar("T")


def run_until_stopped(
    work: Callable[[], T],
    stop: threading.Event,
    *,
    is_signalled: Callable[[], bool] = lambda: False,
    on_stop: Callable[[], None] = lambda: None,
) -> T:
    """Do ``work`` in another thread and return its result; raises what ``work`` raises.

    As soon as ``is_signalled`` returns True, ``stop`` is set and ``on_stop`` is called, once. A
    KeyboardInterrupt in this thread sets ``stop`` as well, and is raised again when ``work`` has
    ended; further ones are ignored until then, because updates are in flight.
    """
    future: Future[T] = Future()
    try:
        threading.Thread(target=_run, args=(future, work), name="work").start()
        if _wait_until_signalled(future, is_signalled):
            stop.set()
            on_stop()
            _wait_until_signalled(future, lambda: False)
    except BaseException:
        stop.set()
        if not future.cancel():  # It has begun.
            _wait_uninterrupted(future)
        raise
    return future.result()


def _run(future: Future[T], work: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - raised again by Future.result
        future.set_exception(error)


def _wait_uninterrupted(future: Future[T]) -> None:
    while not future.done():
        with suppress(KeyboardInterrupt):
            _wait_until_signalled(future, lambda: False)


def _wait_until_signalled(future: Future[T], is_signalled: Callable[[], bool]) -> bool:
    """Wait for a signal and return True, or for the end of the work and return False."""
    while not is_signalled():
        if wait([future], STEP_SECONDS).done:
            return False
    return True
