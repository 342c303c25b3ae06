"""Carrying out a plan: read again, decide, send, verify, and repair what other clients undid."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from functools import partial
from typing import Final, TypeAlias, TypeVar

from reconciler.contract.attributes import Attributes
from reconciler.core.decision import Patch, make_outcome, mark_interrupted, mark_left_alone
from reconciler.core.model import Observed
from reconciler.core.notation import count_noun
from reconciler.core.plan_model import Plan, Status, TaskPlan
from reconciler.core.report import Outcome, TaskOutcome
from reconciler.errors import ServerError
from reconciler.executor.batches import AHEAD_SECONDS, FRESH_SECONDS, FreshBatches
from reconciler.executor.execution_options import ExecutionOptions, Record
from reconciler.executor.fresh_read import FreshRead, FreshReader
from reconciler.executor.ignored_attributes import IgnoredAttributes
from reconciler.executor.ledger import Ledger
from reconciler.executor.rate_limiter import RateLimiter
from reconciler.executor.repair import LOOK_SECONDS, PAUSE_SECONDS, ROUNDS, UPDATED_AT
from reconciler.executor.update import UpdateSender
from reconciler.executor.verification import Verification
from reconciler.executor.workers import Workers
from reconciler.labelstudio.bulk.cost import BATCH
from reconciler.labelstudio.bulk.prefetcher import Prefetcher
from reconciler.labelstudio.bulk.task_reader import read_task
from reconciler.labelstudio.task_api import TaskApi

STOP_SECONDS: Final = 0.1
"""How often a wait for a read checks for a stop."""

_NO_CANARY: Final = "the canary failed: not all of its tasks are as declared"

_Prefetcher: TypeAlias = Prefetcher[Sequence[TaskPlan], FreshRead]

_Job = TypeVar("_Job")


def execute(
    plan: Plan,
    api: TaskApi,
    attributes: Attributes,
    *,
    options: ExecutionOptions,
    record: Record,
    rate: RateLimiter | None = None,
) -> list[TaskOutcome]:
    """Carry out ``plan`` and return the outcomes of its tasks, in the plan's order.

    ``record`` receives every outcome as it happens, from one thread at a time; a later outcome of
    a task replaces an earlier one. It receives no outcome for a task that was not started. Raises
    what ``record`` raises. ``rate`` replaces the limiter that ``options`` describe.
    """
    rate = rate or RateLimiter(options.rps, options.stop.wait)
    return _Execution(api, attributes, options=options, record=record, rate=rate).carry_out(plan)


class _Execution:
    """One apply: the state that all of its steps share."""

    def __init__(
        self,
        api: TaskApi,
        attributes: Attributes,
        *,
        options: ExecutionOptions,
        record: Record,
        rate: RateLimiter,
    ) -> None:
        progress, stop = options.progress, options.stop
        self._options = options
        self._backoff = api.backoff
        self._rate = rate
        self._ledger = Ledger(record=record, progress=progress, stop=stop)
        self._reader = FreshReader(api, attributes, allow=options.allow, progress=progress)
        self._sender = UpdateSender(
            api=api,
            reader=self._reader,
            ignored=IgnoredAttributes(partial(_read_one, api), attributes),
            stop=stop,
            may_begin=self._may_begin,
            turn=rate.wait,
            fresh=0.0 if options.careful else FRESH_SECONDS,
        )
        self._verification = Verification(
            self._reader, self._ledger, attributes=attributes, progress=progress
        )
        self._backoff.stop_on(stop)
        self._backoff.progress = progress

    def carry_out(self, plan: Plan) -> list[TaskOutcome]:
        ledger = self._ledger
        differing = [task for task in plan.tasks if task.status is not Status.UNCHANGED]
        ledger.note_all(mark_left_alone(t) for t in differing if t.status is not Status.UPDATE)
        canary = self._options.canary
        first, rest = plan.updates[:canary], plan.updates[canary:]
        self._update_all(first)
        if all(ledger.get_outcome(task).is_good for task in first):
            self._update_all(rest)
        elif self._options.stop.is_set():
            ledger.note_all(mark_interrupted(rest))
        else:
            ledger.note_all(make_outcome(task, Outcome.INTERRUPTED, _NO_CANARY) for task in rest)
        return [ledger.get_outcome(task) for task in differing]

    def _update_all(self, tasks: Sequence[TaskPlan]) -> None:
        """Send updates, read the tasks again, and repair what other clients undid meanwhile."""
        if not tasks:
            return
        self._options.progress.begin("applying", len(tasks))
        self._send_all(tasks)
        sent = self._ledger.select_to_settle(tasks)
        if self._verification.settle(sent):
            self._repair_all(sent)

    # Read again, decide, send.

    def _send_all(self, tasks: Sequence[TaskPlan]) -> None:
        if self._options.careful:
            left = self._begin_each(tasks, self._read_and_send)
            self._ledger.note_all(mark_interrupted(left))
            return
        with Prefetcher(self._reader.read) as prefetcher:
            unsent = self._begin_each(self._iterate_patches(tasks, prefetcher), self._send)
            self._ledger.note_all(mark_interrupted(patch.plan for patch in unsent))

    def _begin_each(self, jobs: Iterable[_Job], work: Callable[[_Job], bool]) -> list[_Job]:
        """Have workers do jobs; return those that were not begun because of a stop."""
        cap, stop = self._options.concurrency, self._options.stop
        with Workers(work, cap=cap, stop=stop) as workers:
            return [
                job
                for job in jobs
                # Wait here for a place and a turn: in a worker, the values read would age.
                if not (workers.wait_for_place() and self._rate.wait() and workers.begin(job))
            ]

    def _iterate_patches(
        self, tasks: Sequence[TaskPlan], prefetcher: _Prefetcher
    ) -> Iterator[Patch]:
        """Yield the patches to send; each batch is read while the one before is being sent."""
        options, ledger = self._options, self._ledger
        batches = FreshBatches(tasks, lambda: ledger.sent, options.rps, limits=options.batches)
        batch, reading = self._begin_reading(batches, prefetcher)
        while batch:
            patches = self._decide(batch, partial(self._wait_for_read, reading))
            patches = batches.keep(patches)
            ahead = max(0, len(patches) - batches.ahead)
            yield from patches[:ahead]
            batch, reading = self._begin_reading(batches, prefetcher)
            yield from patches[ahead:]

    def _begin_reading(
        self, batches: FreshBatches, prefetcher: _Prefetcher
    ) -> tuple[Sequence[TaskPlan], Future[FreshRead] | None]:
        """Begin to read the next batch shortly before it can be sent; None after a stop."""
        if batches:
            self._rate.wait_until_near(AHEAD_SECONDS)
        batch = batches.take()
        stopped = self._options.stop.is_set()
        return batch, None if stopped or not batch else prefetcher.submit(batch)

    def _wait_for_read(self, reading: Future[FreshRead] | None) -> FreshRead | None:
        """Wait for a read; return None after a stop, when its result is no longer needed."""
        while reading is not None and not self._options.stop.is_set():
            # ``result(timeout)`` cannot tell its own TimeoutError from one that the read raised.
            if wait([reading], STOP_SECONDS).done:
                return reading.result()
        return None

    def _decide(
        self, tasks: Sequence[TaskPlan], read: Callable[[], FreshRead | None]
    ) -> Sequence[Patch]:
        """Return the patches to send, and note other outcomes; ``read`` gives None after a stop."""
        try:
            fresh = read()
        except ServerError as error:
            self._options.stop.set()
            self._ledger.note_all(make_outcome(t, Outcome.FAILED, str(error)) for t in tasks)
            return []
        if fresh is None:
            self._ledger.note_all(mark_interrupted(tasks))
            return []
        decided = [self._reader.decide(task, fresh) for task in tasks]
        self._ledger.note_all(one for one in decided if isinstance(one, TaskOutcome))
        return [one for one in decided if isinstance(one, Patch)]

    def _read_and_send(self, task: TaskPlan) -> bool:
        """Read a task and send its update at once; return whether the server had room for it."""
        patches = self._decide([task], partial(self._reader.read, [task]))
        return all(self._send(patch) for patch in patches)

    def _send(self, patch: Patch) -> bool:
        """Send an update and note its outcome before this worker sends anything else.

        Returns whether the server had room for it.
        """
        result = self._sender.send(patch)
        self._ledger.note_update(result)
        return not result.crowded

    def _may_begin(self) -> bool:
        """Wait until the server accepts updates again; return False after a stop."""
        return self._backoff.until_welcome() and not self._options.stop.is_set()

    # Repair.

    def _repair_all(self, sent: Sequence[TaskPlan]) -> None:
        """Apply again what other writes undid by accident, and verify it again."""
        latest = {task.task for task in sent[-BATCH:]}
        found = self._verification
        # A client that writes to the same tasks may be about to undo the last updates.
        if not found.due and found.written_since & latest:
            self._look_again(sent, latest)
        for number in range(1, ROUNDS + 1):
            due = [task for task in self._ledger.select_to_settle(sent) if task.task in found.due]
            if not due or self._options.stop.is_set():
                return
            self._options.progress.note(
                f"{count_noun(len(due), 'task')}: another client undid stored changes; applying "
                f"them again (round {number} of {ROUNDS})"
            )
            if self._backoff.wait_between(*PAUSE_SECONDS):
                return
            self._options.progress.begin("applying undone changes again", len(due))
            self._begin_each(due, self._repair)
            self._look_again(sent, latest.union(task.task for task in due))

    def _look_again(self, sent: Sequence[TaskPlan], numbers: Collection[int]) -> None:
        """Verify some tasks again, after other clients had time to undo them."""
        self._backoff.wait(LOOK_SECONDS)
        self._verification.settle_again([task for task in sent if task.task in numbers])

    def _repair(self, task: TaskPlan) -> bool:
        """Apply again what is still undone; return whether the server had room for it."""
        try:
            patch = self._decide_undone(task)
        except ServerError as error:
            self._ledger.note_failure(error)
            crowded = False
        else:
            crowded = patch is not None and self._send_again(patch)
        self._options.progress.advance()
        return not crowded

    def _decide_undone(self, task: TaskPlan) -> Patch | None:
        """Decide on the undone changes as on any plan; None if there is nothing to send."""
        fresh = self._reader.read([task], also={UPDATED_AT})
        changes = self._verification.find_undone(task, fresh.observed[task.task])
        decided = self._reader.decide(task.narrow(changes), fresh) if changes else None
        if isinstance(decided, Patch):
            return decided
        self._ledger.note_failure(None)
        return None

    def _send_again(self, patch: Patch) -> bool:
        """Send the undone changes; return whether the server had no room for them."""
        result = self._sender.send(patch)
        self._ledger.note_repair(result)
        return result.crowded


def _read_one(api: TaskApi, task: TaskPlan, names: Collection[str]) -> Observed:
    return read_task(api, task.task, names, project=task.project)
