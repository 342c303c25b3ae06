"""What is known about a run so far: written by all workers, read by the verification."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from reconciler.core.decision import correct
from reconciler.core.plan_model import TaskPlan
from reconciler.core.report import Outcome, TaskOutcome
from reconciler.errors import ServerError
from reconciler.executor.execution_options import Record
from reconciler.executor.repair import StoredChanges
from reconciler.executor.update import UpdateResult
from reconciler.labelstudio.retry import ends_run, is_about_server
from reconciler.progress import ProgressListener

GONE: Final = 3
"""Updates in a row that failed in all their attempts, after which the run stops."""


class Ledger:
    """The outcome of each task, which tasks to read again, and what responses proved.

    Safe to use from several threads: one lock protects it, and one thread at a time calls
    ``record``. ``stop`` is set if the tasks that still wait would probably fail as well.
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
        """How many tasks were updated, according to the responses."""
        with self._lock:
            return len(self._to_settle)

    def get_outcome(self, task: TaskPlan) -> TaskOutcome:
        """Return the latest outcome of a task."""
        with self._lock:
            return self._outcomes[task.task]

    def get_stored(self, task: TaskPlan) -> StoredChanges | None:
        """Return what responses proved to be stored of a task; None if nothing was proved."""
        with self._lock:
            return self._stored.get(task.task)

    def count_repairs(self, task: TaskPlan) -> int:
        """Count how often changes of a task were applied again."""
        with self._lock:
            return self._repairs[task.task]

    def select_to_settle(self, tasks: Iterable[TaskPlan]) -> list[TaskPlan]:
        """Select the ``tasks`` that must be read again to know their outcomes."""
        with self._lock:
            return [task for task in tasks if task.task in self._to_settle]

    def note(self, outcome: TaskOutcome) -> None:
        """Note the outcome of a task; if it cannot be recorded, the run stops.

        A task that was not started is neither recorded nor counted as progress.
        """
        with self._lock:
            self._note(outcome)

    def note_all(self, outcomes: Iterable[TaskOutcome]) -> None:
        """Note the outcomes of several tasks."""
        for outcome in outcomes:
            self.note(outcome)

    def note_update(self, result: UpdateResult) -> None:
        """Note the result of an update."""
        task = result.outcome.task
        with self._lock:
            self._note_failure(result.error)
            if result.to_settle:
                self._to_settle.add(task)
            if result.stored is not None:
                self._stored[task] = result.stored
            self._note(result.outcome)

    def note_repair(self, result: UpdateResult) -> None:
        """Note the result of applying changes again.

        The next verification settles the outcome of the task, except if the response shows that
        undeclared keys were stored with other values, which a verification cannot see.
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
        """Note that a request failed, or with None that one succeeded.

        The run stops if other tasks would probably fail as well; a later run can continue.
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
