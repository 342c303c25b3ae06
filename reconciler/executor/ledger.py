"""What is known of a run so far: written by all of its workers, and read when it is looked back."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from reconciler.core.decision import correct
from reconciler.core.model import TaskPlan
from reconciler.core.report import Outcome, TaskOutcome
from reconciler.errors import ServerError
from reconciler.executor.execution_options import Record
from reconciler.executor.repair import StoredChanges
from reconciler.executor.update import UpdateResult
from reconciler.labelstudio.retry import ends_run, is_about_server
from reconciler.progress import ProgressListener

GONE: Final = 3
"""Updates in a row that came to nothing in all their attempts, after which the server is gone."""


class Ledger:
    """The outcome of each task, what must be read again, and what answers proved.

    For any number of threads: all of it lies behind one lock, and ``record`` is called by one
    thread at a time. ``stop`` is set where the tasks still waiting would fare no better.
    """

    def __init__(
        self, *, record: Record, progress: ProgressListener, stop: threading.Event
    ) -> None:
        self._record = record
        self._progress = progress
        self._stop = stop
        self._lock = threading.Lock()
        self._outcomes: dict[int, TaskOutcome] = {}
        self._to_settle: set[int] = set()
        self._stored: dict[int, StoredChanges] = {}
        self._repairs: Counter[int] = Counter()
        self._failures = 0

    @property
    def sent(self) -> int:
        """How many tasks were updated, as far as their answers tell."""
        with self._lock:
            return len(self._to_settle)

    def get_outcome(self, task: TaskPlan) -> TaskOutcome:
        """Tell what became of a task, as far as is known."""
        with self._lock:
            return self._outcomes[task.task]

    def get_stored(self, task: TaskPlan) -> StoredChanges | None:
        """Tell what answers proved to be stored of a task; None where they proved nothing."""
        with self._lock:
            return self._stored.get(task.task)

    def count_repairs(self, task: TaskPlan) -> int:
        """Count how often changes of a task were applied again."""
        with self._lock:
            return self._repairs[task.task]

    def select_to_settle(self, tasks: Iterable[TaskPlan]) -> list[TaskPlan]:
        """Select those of ``tasks`` that must be read again before anything is claimed of them."""
        with self._lock:
            return [task for task in tasks if task.task in self._to_settle]

    def note(self, outcome: TaskOutcome) -> None:
        """Note what became of a task; what cannot be recorded stops all that is still waiting.

        Nothing became of a task that was not started: it is no progress, and no record.
        """
        with self._lock:
            self._note(outcome)

    def note_all(self, outcomes: Iterable[TaskOutcome]) -> None:
        """Note what became of several tasks."""
        for outcome in outcomes:
            self.note(outcome)

    def note_update(self, result: UpdateResult) -> None:
        """Note what an update came to."""
        task = result.outcome.task
        with self._lock:
            self._note_failure(result.error)
            if result.to_settle:
                self._to_settle.add(task)
            if result.stored is not None:
                self._stored[task] = result.stored
            self._note(result.outcome)

    def note_repair(self, result: UpdateResult) -> None:
        """Note what sending changes again came to: what was stored before is stored again.

        What became of the task is for the next look to tell, as the update itself was made before:
        unless the answer shows undeclared keys to be stored otherwise, which no look can tell.
        """
        outcome, task = result.outcome, result.outcome.task
        with self._lock:
            self._note_failure(result.error)
            if result.stored is not None:
                self._repairs[task] += 1
                self._stored[task] = replace(self._stored[task], at=result.stored.at)
            harmed = outcome.outcome is Outcome.FAILED and not result.to_settle
            if harmed and result.error is None:
                self._to_settle.discard(task)
                self._note(correct(self._outcomes[task], outcome.error))

    def note_failure(self, error: ServerError | None) -> None:
        """Note that a server could not be asked, or that it could: None.

        The run stops where others would fare no better, and another run goes on.
        """
        with self._lock:
            self._note_failure(error)

    def _note_failure(self, error: ServerError | None) -> None:
        if error is None:
            self._failures = 0
            return
        self._failures = self._failures + 1 if is_about_server(error) else 0
        if ends_run(error) or self._failures >= GONE:
            self._stop.set()

    def _note(self, outcome: TaskOutcome) -> None:
        new = outcome.task not in self._outcomes
        self._outcomes[outcome.task] = outcome
        if outcome.outcome is Outcome.INTERRUPTED:
            return
        if new:
            self._progress.advance()
        try:
            self._record(outcome)
        except BaseException:
            self._stop.set()
            raise
