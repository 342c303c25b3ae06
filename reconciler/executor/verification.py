"""Looking again at what was sent: only what is seen to hold counts as applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from reconciler.contract.attributes import Attributes
from reconciler.core.decision import correct, settle
from reconciler.core.model import Change, Found, Observed, TaskPlan
from reconciler.core.report import Outcome, TaskOutcome
from reconciler.errors import ServerError
from reconciler.executor.batches import split_batches
from reconciler.executor.fresh_read import FreshReader
from reconciler.executor.ledger import Ledger
from reconciler.executor.repair import UPDATED_AT, find_undone, get_updated_at
from reconciler.progress import ProgressListener


class Verification:
    """Settles what was sent, and keeps what the last look at each task showed; for one thread.

    ``due`` are the tasks of which another write undid changes by accident, ``written_since`` those
    that somebody else wrote to after our update.
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
        """Settle what was sent; False where the server could not be asked about all of it.

        Nothing is claimed then of what was not seen.
        """
        self._progress.begin("reading again what was changed", len(tasks))
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
        """Settle tasks anew; where they cannot be read now, what was seen before stays."""
        to_settle = self._ledger.select_to_settle(tasks)
        self._progress.begin("reading again what was changed", len(to_settle))
        for batch in split_batches(to_settle):
            with suppress(ServerError):
                self._settle_batch(batch)

    def find_undone(self, task: TaskPlan, observed: Observed) -> tuple[Change, ...]:
        """Give what is to be repaired of a task that reads so; any thread may ask."""
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
        """Keep what a task shows of other writes; of one whose answer proved nothing, nothing."""
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
                yield correct(outcome, f"stored, but not seen again: {error}")
