"""Carries a plan out: fresh read, three-way check, PATCH, proof, and a last look at all of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias, TypeVar

from reconciler.contract.attributes import Attributes
from reconciler.core.decision import (
    Patch,
    correct,
    decide,
    make_outcome,
    mark_interrupted,
    mark_left_alone,
    settle,
)
from reconciler.core.model import Observed, Plan, Status, TaskPlan
from reconciler.core.notation import count_noun
from reconciler.core.report import Outcome, TaskOutcome
from reconciler.errors import ServerError
from reconciler.executor.apply_options import ApplyOptions, Record
from reconciler.executor.batches import AHEAD_SECONDS, FRESH_SECONDS, FreshBatches, split_batches
from reconciler.executor.fresh_read import FreshReader
from reconciler.executor.ignored_attributes import IgnoredAttributes
from reconciler.executor.rate_limiter import RateLimiter
from reconciler.executor.repair import (
    LOOK_SECONDS,
    PAUSE_SECONDS,
    ROUNDS,
    UPDATED_AT,
    Repairs,
)
from reconciler.executor.update import UpdateSender
from reconciler.executor.workers import Workers
from reconciler.labelstudio.bulk.cost import BATCH
from reconciler.labelstudio.bulk.prefetcher import Prefetcher
from reconciler.labelstudio.bulk.task_reader import read_task
from reconciler.labelstudio.retry import ends_run, is_about_server
from reconciler.labelstudio.task_api import TaskApi

STOP_SECONDS: Final = 0.1
"""How often a wait for a read looks whether it is told to stop."""

GONE: Final = 3
"""Updates in a row that came to nothing in all their attempts, after which the server is gone."""

_NO_CANARY: Final = "the canary did not hold"

_Read: TypeAlias = tuple[float, dict[int, Observed]]
"""When a batch was read, and what it says."""

_Reader: TypeAlias = Prefetcher[Sequence[TaskPlan], _Read]

_Job = TypeVar("_Job")


def execute(
    plan: Plan, api: TaskApi, attributes: Attributes, *, options: ApplyOptions, record: Record
) -> list[TaskOutcome]:
    """Carry ``plan`` out and return what became of its tasks, in the plan's order.

    ``record`` gets every outcome as it happens, from one thread at a time; a later
    outcome of the same task takes the place of an earlier one. It gets none of a task that was
    not started. Raises what ``record`` raises.
    """
    return _Execution(api, attributes, options=options, record=record).carry_out(plan)


class _Execution:
    """The state of one apply."""

    def __init__(
        self, api: TaskApi, attributes: Attributes, *, options: ApplyOptions, record: Record
    ) -> None:
        self._api = api
        self._attributes = attributes
        self._options = options
        self._record = record
        self._fresh_reader = FreshReader(api, attributes, options.allow, options.progress)
        self._ignored = IgnoredAttributes(self._look, attributes)
        self._outcomes: dict[int, TaskOutcome] = {}
        self._to_settle: set[int] = set()
        self._repairs = Repairs(attributes)
        self._noting = threading.Lock()
        self._rate = RateLimiter(options.rps, options.stop.wait)
        self._in_vain = 0
        api.backoff.until(options.stop)
        api.backoff.progress = options.progress

    def carry_out(self, plan: Plan) -> list[TaskOutcome]:
        self._note_all(mark_left_alone(t) for t in plan.tasks if t.status is not Status.UPDATE)
        canary = self._options.canary
        first, rest = plan.updates[:canary], plan.updates[canary:]
        self._carry_out(first)
        if all(self._outcomes[task.task].is_good for task in first):
            self._carry_out(rest)
        elif self._options.stop.is_set():
            self._note_all(mark_interrupted(rest))
        else:
            self._note_all(make_outcome(task, Outcome.INTERRUPTED, _NO_CANARY) for task in rest)
        return [self._outcomes[task.task] for task in plan.tasks]

    def _carry_out(self, tasks: Sequence[TaskPlan]) -> None:
        """Send updates, look at all of them again, and repair what others undid meanwhile."""
        if not tasks:
            return
        self._options.progress.begin("applying", len(tasks))
        self._send_all(tasks)
        sent = [task for task in tasks if task.task in self._to_settle]
        gone: ServerError | None = None
        self._options.progress.begin("reading again what was changed", len(sent))
        for batch in split_batches(sent):
            gone = self._settle(batch, gone)
        if gone is None:
            self._repair_all(sent)

    def _note(self, outcome: TaskOutcome) -> None:
        """Note what became of a task; what cannot be recorded stops all that is still waiting.

        Nothing became of a task that was not started: it is no progress, and no record.
        """
        with self._noting:
            new = outcome.task not in self._outcomes
            self._outcomes[outcome.task] = outcome
            if outcome.outcome is Outcome.INTERRUPTED:
                return
            if new:
                self._options.progress.advance()
            try:
                self._record(outcome)
            except BaseException:
                self._options.stop.set()
                raise

    def _note_all(self, outcomes: Iterable[TaskOutcome]) -> None:
        for outcome in outcomes:
            self._note(outcome)

    def _send_all(self, tasks: Sequence[TaskPlan]) -> None:
        if self._options.careful:
            self._note_all(mark_interrupted(self._begin_each(tasks, self._read_and_send)))
            return
        with Prefetcher(self._read_afresh) as reader:
            patches = self._patches(tasks, reader)
            left = self._begin_each(patches, self._send_and_note)
            self._note_all(mark_interrupted(patch.plan for patch in left))

    def _begin_each(self, jobs: Iterable[_Job], work: Callable[[_Job], bool]) -> list[_Job]:
        """Have workers do jobs; gives those that were not begun because of a stop."""
        cap, stop = self._options.concurrency, self._options.stop
        with Workers(work, cap=cap, stop=stop) as workers:
            return [
                job
                for job in jobs
                # First a place, then its turn: what waits for either in a worker would grow old.
                if not (workers.wait_for_place() and self._rate.wait() and workers.begin(job))
            ]

    def _patches(self, tasks: Sequence[TaskPlan], reader: _Reader) -> Iterator[Patch]:
        """Give what is to be sent; a batch is read while the last of the one before are sent."""
        batches = FreshBatches(tasks, lambda: len(self._to_settle), self._options.rps)
        batch, reading = self._begin_reading(batches, reader)
        while batch:
            patches = batches.keep(self._decided(batch, partial(self._until_stopped, reading)))
            ahead = max(0, len(patches) - batches.ahead)
            yield from patches[:ahead]
            batch, reading = self._begin_reading(batches, reader)
            yield from patches[ahead:]

    def _begin_reading(
        self, batches: FreshBatches, reader: _Reader
    ) -> tuple[Sequence[TaskPlan], Future[_Read] | None]:
        """Begin to read the next batch, not long before it can be sent; None where told to stop."""
        if batches:
            self._rate.wait_until_near(AHEAD_SECONDS)
        batch = batches.take()
        return batch, None if self._options.stop.is_set() or not batch else reader.submit(batch)

    def _read_and_send(self, task: TaskPlan) -> bool:
        """Read a task, and send its update at once; returns whether the server had room for it."""
        patches = self._decided([task], partial(self._read_afresh, [task]))
        return all(self._send_and_note(patch) for patch in patches)

    def _decided(
        self, tasks: Sequence[TaskPlan], read_afresh: Callable[[], _Read | None]
    ) -> list[Patch]:
        """Decide on tasks; what is not to be sent is noted. None: they were not read any more."""
        try:
            read = read_afresh()
        except ServerError as error:
            self._options.stop.set()
            self._note_all(make_outcome(task, Outcome.FAILED, str(error)) for task in tasks)
            return []
        if read is None:
            self._note_all(mark_interrupted(tasks))
            return []
        read_at, observed = read
        decided = [decide(task, observed[task.task], self._fresh_reader.facts) for task in tasks]
        self._note_all(outcome for outcome in decided if isinstance(outcome, TaskOutcome))
        return [replace(patch, read_at=read_at) for patch in decided if isinstance(patch, Patch)]

    def _until_stopped(self, reading: Future[_Read] | None) -> _Read | None:
        """Wait for a read; told to stop, nobody needs what it brings."""
        while reading is not None and not self._options.stop.is_set():
            # Not by the time-out of ``result``: the read may have ended with one of its own.
            if wait([reading], STOP_SECONDS).done:
                return reading.result()
        return None

    def _read_afresh(self, tasks: Sequence[TaskPlan], also: Collection[str] = ()) -> _Read:
        return self._api.backoff.now(), self._fresh_reader.read(tasks, also=also)

    def _send_and_note(self, patch: Patch) -> bool:
        """Send, and note what became of it before this worker sends anything else.

        Returns whether the server had room for it.
        """
        sending = self._sending()
        try:
            outcome = sending.send(patch)
        except ServerError as error:
            self._judge(error)
            outcome = make_outcome(sending.plan or patch.plan, Outcome.FAILED, str(error))
        else:
            self._in_vain = 0
        if sending.to_settle:
            self._to_settle.add(patch.plan.task)
        self._repairs.note(patch.plan, sending.stored)
        self._note(outcome)
        return not sending.crowded

    def _look(self, task: TaskPlan, names: Collection[str]) -> Observed:
        return read_task(self._api, task.task, names, project=task.project)

    def _sending(self) -> UpdateSender:
        return UpdateSender(
            self._api,
            self._fresh_reader.facts,
            self._may_begin,
            turn=self._rate.wait,
            fresh=0.0 if self._options.careful else FRESH_SECONDS,
            ignored=self._ignored,
            stop=self._options.stop,
        )

    def _may_begin(self) -> bool:
        """Wait until the server takes updates; False where nothing new is to begin."""
        return self._api.backoff.until_welcome() and not self._options.stop.is_set()

    def _judge(self, error: ServerError) -> None:
        """Stop where the others would fare no better, and let another run go on."""
        self._in_vain = self._in_vain + 1 if is_about_server(error) else 0
        if ends_run(error) or self._in_vain >= GONE:
            self._options.stop.set()

    def _settle(self, tasks: Sequence[TaskPlan], gone: ServerError | None) -> ServerError | None:
        """Read once more what was sent: only what is seen to hold counts as applied.

        Takes and returns why the server cannot be asked any more, None while it can.
        """
        try:
            if gone is not None:
                raise gone
            self._settle_read(tasks)
        except ServerError as error:
            self._note_all(self._not_seen(tasks, error))
            return error
        return None

    def _settle_read(self, tasks: Sequence[TaskPlan]) -> None:
        observed = self._fresh_reader.read(tasks, also={UPDATED_AT})
        self._options.progress.advance(len(tasks))
        for task in tasks:
            self._repairs.look(task, observed[task.task])
            before = self._outcomes[task.task]
            now = settle(task, observed[task.task], before, self._attributes)
            now = replace(now, repairs=self._repairs.made[task.task])
            if now != before:
                self._note(now)

    def _not_seen(self, tasks: Sequence[TaskPlan], error: ServerError) -> Iterator[TaskOutcome]:
        for task in tasks:
            if self._outcomes[task.task].outcome is Outcome.APPLIED:
                message = f"stored, but not seen again: {error}"
                yield correct(self._outcomes[task.task], message)

    def _repair_all(self, sent: Sequence[TaskPlan]) -> None:
        """Apply again what other writes undid by accident, and look at that again."""
        backoff, latest = self._api.backoff, {task.task for task in sent[-BATCH:]}
        # Who writes to the same tasks may be about to undo the last updates.
        if not self._repairs.due and self._repairs.written_since & latest:
            backoff.wait(LOOK_SECONDS)
            self._look_again(sent, latest)
        for number in range(1, ROUNDS + 1):
            due = [task for task in sent if task.task in self._repairs.due]
            if not due or self._options.stop.is_set():
                return
            self._options.progress.note(
                f"{count_noun(len(due), 'task')}: another client undid stored changes; applying "
                f"them again (round {number} of {ROUNDS})"
            )
            if backoff.wait_between(*PAUSE_SECONDS):
                return
            self._options.progress.begin("applying again what another write undid", len(due))
            self._begin_each(due, self._repair)
            backoff.wait(LOOK_SECONDS)
            self._look_again(sent, latest.union(task.task for task in due))

    def _look_again(self, sent: Sequence[TaskPlan], numbers: set[int]) -> None:
        """Settle some tasks anew; where they cannot be read now, what was seen before stays."""
        tasks = [task for task in sent if task.task in numbers & self._to_settle]
        self._options.progress.begin("reading again what was changed", len(tasks))
        for batch in split_batches(tasks):
            with suppress(ServerError):
                self._settle_read(batch)

    def _repair(self, task: TaskPlan) -> bool:
        """Apply again what still reads as undone; returns whether the server had room for it.

        What becomes of it is for the next look to tell: the update itself was made before.
        """
        sending = self._sending()
        try:
            read_at, observed = self._read_afresh([task], also={UPDATED_AT})
            judged = self._judged_undone(task, observed[task.task])
            if isinstance(judged, Patch):
                outcome = sending.send(replace(judged, read_at=read_at))
                self._note_harm(outcome, sending)
        except ServerError as error:
            self._judge(error)
        else:
            self._in_vain = 0
        self._repairs.note_again(task, sending.stored)
        self._options.progress.advance()
        return not sending.crowded

    def _note_harm(self, outcome: TaskOutcome, sending: UpdateSender) -> None:
        """Note that an answer showed undeclared keys to be stored otherwise: no look tells that."""
        if outcome.outcome is Outcome.FAILED and not sending.to_settle:
            self._to_settle.discard(outcome.task)
            self._repairs.due.discard(outcome.task)
            self._note(correct(self._outcomes[outcome.task], outcome.error))

    def _judged_undone(self, task: TaskPlan, observed: Observed) -> Patch | TaskOutcome | None:
        """Decide on what is undone of a task as on any plan; None where nothing is."""
        changes = self._repairs.undone(task, observed)
        again = replace(task, changes=changes)
        return decide(again, observed, self._fresh_reader.facts) if changes else None
