"""Threads that send updates, as many at once as the concurrency allows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from types import TracebackType
from typing import Generic, Self, TypeVar

from reconciler.executor.update_concurrency import UpdateConcurrency

Job = TypeVar("Job")


class Workers(Generic[Job]):
    """Does jobs in threads: each begins once, in the given order.

    A job keeps its place until ``work`` returns, so there are never more unfinished jobs than the
    concurrency allows; ``work`` returns whether the server had room for the job. Threads are
    created as needed. An exception of ``work`` sets ``stop`` and is raised in the thread that
    submits jobs.
    """

    def __init__(
        self,
        work: Callable[[Job], bool],
        *,
        cap: int,
        stop: threading.Event,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._work = work
        self._stop = stop
        self._now = now
        self._concurrency = UpdateConcurrency.start(cap)
        self._busy = 0
        self._held = 0.0
        self._held_until = 0.0
        self._changed = threading.Condition()
        self._jobs: SimpleQueue[tuple[Job] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._raised: BaseException | None = None

    @property
    def limit(self) -> int:
        """How many jobs may be in progress now."""
        return self._concurrency.limit

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for all jobs that have begun."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        if error is None and self._raised is not None:
            raise self._raised

    def wait_for_place(self) -> bool:
        """Wait until a job could begin; return False after a stop."""
        with self._changed:
            # A stop needs no wake-up of its own: places become free as jobs end.
            self._changed.wait_for(lambda: self._busy < self._concurrency.limit)
            if self._raised is not None:
                raise self._raised
            return not self._stop.is_set()

    def begin(self, job: Job) -> bool:
        """Begin a job as soon as there is a place; return False after a stop."""
        with self._changed:
            if not self.wait_for_place():
                return False
            self._hold(1)
            if self._busy > len(self._threads):
                self._add_thread()
        self._jobs.put((job,))
        return True

    def _hold(self, more: int) -> None:
        """Take or free places, and add up how long the former ones were in use."""
        now = self._now()
        self._held += self._busy * (now - self._held_until)
        self._held_until = now
        self._busy += more

    def _add_thread(self) -> None:
        thread = threading.Thread(target=self._run, name=f"update-{len(self._threads) + 1}")
        thread.start()
        self._threads.append(thread)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            had_room = True
            try:
                had_room = self._work(*job)
            except BaseException as error:  # noqa: BLE001 - raised again in the thread that submits jobs
                self._raised = self._raised or error
                self._stop.set()
            with self._changed:
                self._hold(-1)
                now = self._concurrency
                self._concurrency = now.note_answer(self._held) if had_room else now.note_overload()
                self._held = 0.0
                self._changed.notify()
