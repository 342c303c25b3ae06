"""Running a few requests while the caller works on an earlier response."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from math import inf
from queue import SimpleQueue
from threading import Thread
from typing import Generic, Self, TypeVar

from reconciler.labelstudio.bulk.read_concurrency import AT_ONCE, ReadConcurrency
from reconciler.labelstudio.main_thread import wait_for

A = TypeVar("A")
T = TypeVar("T")


class Prefetcher(Generic[A, T]):
    """Calls one function from a few threads.

    The threads are daemons: an interrupted run ends at once, without waiting for reads that it no
    longer needs.
    """

    def __init__(
        self, function: Callable[[A], T], concurrency: ReadConcurrency | None = None
    ) -> None:
        self._function = function
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._concurrency = concurrency or ReadConcurrency()
        self._left = inf

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for _thread in self._threads:
            self._calls.put(None)

    def call_in_order(
        self, waiting: deque[A], *, to_come: Callable[[], float] = lambda: inf
    ) -> Iterator[tuple[A, Future[T]]]:
        """Start calls for the arguments in ``waiting``, and yield those that have ended, in order.

        While the caller works on one, the next calls run: at most ``to_come`` of them, an estimate
        that the caller updates, but always one. After a failed call, no other starts until the
        caller has handled the failure, which may change ``waiting``.
        """
        running: deque[tuple[A, Future[T]]] = deque()
        self._concurrency.begin()

        def fill(*, unknown: int) -> None:
            expected = to_come()
            at_most = min(self._concurrency.limit, max(1, expected) - unknown)
            while waiting and len(running) < at_most:
                argument = waiting.popleft()
                self._left = min(len(waiting), expected)
                running.append((argument, self.submit(argument)))

        def ended() -> Iterator[tuple[A, Future[T]]]:
            while running:
                argument, future = running.popleft()
                wait_for(future)
                if future.exception() is None:
                    fill(unknown=1)
                yield argument, future
                fill(unknown=0)

        fill(unknown=0)
        return ended()

    def submit(self, argument: A) -> Future[T]:
        """Call as soon as a thread is free."""
        future: Future[T] = Future()

        def call() -> None:
            try:
                result = self._call(argument)
            except BaseException as error:  # noqa: BLE001 - raised again by result()
                future.set_exception(error)
            else:
                future.set_result(result)

        self._calls.put(call)
        if len(self._threads) < AT_ONCE:
            thread = Thread(target=self._work, daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def _call(self, argument: A) -> T:
        try:
            return self._function(argument)
        finally:
            self._concurrency.note_answer(left=self._left)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
