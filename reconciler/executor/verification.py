"""Reading tasks again after their updates: only what is seen to be stored counts as applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from reconciler.contract.attributes import Attributes
from reconciler.core.decision import correct, settle
from reconciler.core.model import Change, Found, Observed
from reconciler.core.plan_model import TaskPlan
from reconciler.core.report import Outcome, TaskOutcome
from reconciler.errors import ServerError
from reconciler.executor.batches import split_batches
from reconciler.executor.fresh_read import FreshReader
from reconciler.executor.ledger import Ledger
from reconciler.executor.repair import UPDATED_AT, find_undone, get_updated_at
from reconciler.progress import ProgressListener


class Verification:
    """Verifies sent updates, and keeps what the last read of each task showed; for one thread.

    ``due`` are the tasks whose changes another write undid by accident, ``written_since`` those
    that another client wrote to after our update.
    """

    def __init__(
        self,
        reader: FreshReader,
        ledger: Ledger,
        *,
        attributes: Attributes,
        progress: ProgressListener,
    ) -> None:
        self.due: set[int] = set()
        self.written_since: set[int] = set()
        self._reader = reader
        self._ledger = ledger
        self._attributes = attributes
        self._progress = progress

    def settle(self, tasks: Sequence[TaskPlan]) -> bool:
        """Read tasks again and settle their outcomes; return False if not all could be read.

        A task that could not be read does not count as applied.
        """
        self._progress.begin("verifying the changes", len(tasks))
        gone: ServerError | None = None
        for batch in split_batches(tasks):
            try:
                if gone is not None:
                    raise gone
                self._settle_batch(batch)
            except ServerError as error:
                gone = error
                self._ledger.note_all(self._iterate_doubtful(batch, error))
        return gone is None

    def settle_again(self, tasks: Sequence[TaskPlan]) -> None:
        """Settle tasks again; tasks that cannot be read keep their outcomes."""
        to_settle = self._ledger.select_to_settle(tasks)
        self._progress.begin("verifying the changes", len(to_settle))
        for batch in split_batches(to_settle):
            with suppress(ServerError):
                self._settle_batch(batch)

    def find_undone(self, task: TaskPlan, observed: Observed) -> tuple[Change, ...]:
        """Return the changes of a task that must be repaired; safe from any thread."""
        stored = self._ledger.get_stored(task)
        if stored is None or not isinstance(observed, Found):
            return ()
        return find_undone(task, observed.attributes, stored, self._attributes)

    def _settle_batch(self, tasks: Sequence[TaskPlan]) -> None:
        fresh = self._reader.read(tasks, also={UPDATED_AT})
        self._progress.advance(len(tasks))
        for task in tasks:
            observed = fresh.observed[task.task]
            self._note_other_writes(task, observed)
            before = self._ledger.get_outcome(task)
            now = settle(task, observed, before, self._attributes)
            now = replace(now, repairs=self._ledger.count_repairs(task))
            if now != before:
                self._ledger.note(now)

    def _note_other_writes(self, task: TaskPlan, observed: Observed) -> None:
        """Note what a task shows of other writes, if its update was proved to be stored."""
        self.due.discard(task.task)
        self.written_since.discard(task.task)
        stored = self._ledger.get_stored(task)
        if stored is None or not isinstance(observed, Found):
            return
        if self.find_undone(task, observed):
            self.due.add(task.task)
        if get_updated_at(observed.attributes) not in {None, stored.at}:
            self.written_since.add(task.task)

    def _iterate_doubtful(
        self, tasks: Sequence[TaskPlan], error: ServerError
    ) -> Iterator[TaskOutcome]:
        for task in tasks:
            outcome = self._ledger.get_outcome(task)
            if outcome.outcome is Outcome.APPLIED:
                yield correct(outcome, f"stored, but could not be read again: {error}")
