"""A few requests under way while the answer before them is worked on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Final, Generic, ParamSpec, Self, TypeVar

AT_ONCE: Final = 4
"""Reads under way at once: enough for a server with several workers; one with a single worker
is neither faster nor slower for it."""

P = ParamSpec("P")
T = TypeVar("T")


class Ahead(Generic[P, T]):
    """Calls one function from a few threads.

    The threads are daemons: nobody waits for reads that nobody wants any more, so that an
    interrupted run ends at once.
    """

    def __init__(self, function: Callable[P, T]) -> None:
        self._function = function
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for _thread in self._threads:
            self._calls.put(None)

    def submit(self, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Begin a call as soon as a thread is free."""
        future: Future[T] = Future()

        def call() -> None:
            try:
                result = self._function(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
                future.set_exception(error)
            else:
                future.set_result(result)

        self._calls.put(call)
        if len(self._threads) < AT_ONCE:
            thread = Thread(target=self._work, daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
