"""Carries a plan out: fresh read, three-way check, PATCH, proof, and a last look at all of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import Final, TypeAlias

from reconciler.apply.batches import FreshBatches, whole_batches
from reconciler.apply.decisions import (
    Patch,
    decide,
    ended,
    interrupted,
    left_alone,
    otherwise,
    settled,
)
from reconciler.apply.learning import Learning
from reconciler.apply.orders import Orders, Record
from reconciler.apply.rate_limiter import RateLimiter
from reconciler.apply.report import Outcome, TaskOutcome
from reconciler.apply.rereading import Rereading
from reconciler.apply.sending import Sending
from reconciler.apply.workers import Workers
from reconciler.contract.attributes import Attributes
from reconciler.errors import ServerError
from reconciler.plan.model import Observed, Plan, Status, TaskPlan
from reconciler.server.ahead import Ahead
from reconciler.server.retrying import of_the_server, stops_all
from reconciler.server.task_api import TaskApi

AHEAD: Final = 4
"""How many times over the workers still have an update to send when the next batch is read."""

AHEAD_SECONDS: Final = 2.0
"""How long before its first update a batch is read where updates are kept apart."""

STOP_SECONDS: Final = 0.1
"""How often a wait for a read looks whether it is told to stop."""

GONE: Final = 3
"""Updates in a row that came to nothing in all their attempts, after which the server is gone."""

_NO_CANARY: Final = "the canary did not hold"

_Read: TypeAlias = tuple[float, dict[int, Observed]]
"""When a batch was read, and what it says."""

_Reader: TypeAlias = Ahead[Sequence[TaskPlan], _Read]


def carry_out(
    plan: Plan, api: TaskApi, attributes: Attributes, *, orders: Orders, record: Record
) -> list[TaskOutcome]:
    """Carry ``plan`` out and return what became of its tasks, in the plan's order.

    ``record`` gets every outcome as it happens, from one thread at a time; a later
    outcome of the same task takes the place of an earlier one. It gets none of a task that was
    not started. Raises what ``record`` raises.
    """
    return _Run(api, attributes, orders=orders, record=record).carry_out(plan)


class _Run:
    """The state of one apply."""

    def __init__(
        self, api: TaskApi, attributes: Attributes, *, orders: Orders, record: Record
    ) -> None:
        self._api = api
        self._attributes = attributes
        self._orders = orders
        self._record = record
        self._rereading = Rereading(api, attributes, orders.allow, orders.watch)
        self._learning = Learning(api.task, attributes)
        self._outcomes: dict[int, TaskOutcome] = {}
        self._to_settle: set[int] = set()
        self._noting = threading.Lock()
        self._rate = RateLimiter(orders.rps, orders.stop.wait)
        self._in_vain = 0
        api.patience.until(orders.stop)
        api.patience.watch = orders.watch

    def carry_out(self, plan: Plan) -> list[TaskOutcome]:
        self._note_all(left_alone(t) for t in plan.tasks if t.status is not Status.UPDATE)
        canary = self._orders.canary
        first, rest = plan.updates[:canary], plan.updates[canary:]
        self._carry_out(first)
        if all(self._outcomes[task.task].is_good for task in first):
            self._carry_out(rest)
        elif self._orders.stop.is_set():
            self._note_all(interrupted(rest))
        else:
            self._note_all(ended(task, Outcome.INTERRUPTED, _NO_CANARY) for task in rest)
        return [self._outcomes[task.task] for task in plan.tasks]

    def _carry_out(self, tasks: Sequence[TaskPlan]) -> None:
        """Send updates, and then look at all of them again."""
        if not tasks:
            return
        self._orders.watch.begin("applying", len(tasks))
        self._send_all(tasks)
        sent = [task for task in tasks if task.task in self._to_settle]
        self._orders.watch.begin("reading again what was changed", len(sent))
        gone: ServerError | None = None
        for batch in whole_batches(sent):
            gone = self._settle(batch, gone)

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
                self._orders.watch.advance()
            try:
                self._record(outcome)
            except BaseException:
                self._orders.stop.set()
                raise

    def _note_all(self, outcomes: Iterable[TaskOutcome]) -> None:
        for outcome in outcomes:
            self._note(outcome)

    def _send_all(self, tasks: Sequence[TaskPlan]) -> None:
        cap, stop = self._orders.concurrency, self._orders.stop
        with (
            Ahead(self._read_afresh) as reader,
            Workers(self._send_and_note, cap=cap, stop=stop) as workers,
        ):
            for patch in self._patches(tasks, reader, workers=workers):
                if not workers.begin(patch):
                    self._note_all(interrupted([patch.plan]))

    def _patches(
        self, tasks: Sequence[TaskPlan], reader: _Reader, *, workers: Workers[Patch]
    ) -> Iterator[Patch]:
        """Give what is to be sent; a batch is read while the last of the one before are sent."""
        batches = FreshBatches(lambda: len(self._to_settle), self._orders.rps).of(tasks)
        batch = next(batches, None)
        reading = reader.submit(batch) if batch and not self._orders.stop.is_set() else None
        while batch:
            patches = self._decided(batch, reading)
            ahead = max(0, len(patches) - self._ahead(workers.limit))
            yield from patches[:ahead]
            batch = next(batches, None)
            reading = reader.submit(batch) if batch and not self._orders.stop.is_set() else None
            yield from patches[ahead:]

    def _ahead(self, limit: int) -> int:
        """Tell how many updates before the end of a batch the next one is read."""
        rps = self._orders.rps
        return min(AHEAD * limit, int(AHEAD_SECONDS * rps)) if rps else AHEAD * limit

    def _decided(self, tasks: Sequence[TaskPlan], reading: Future[_Read] | None) -> list[Patch]:
        """Decide on a batch; what is not to be sent is noted. None: it was not read any more."""
        try:
            read = None if reading is None else self._until_stopped(reading)
        except ServerError as error:
            self._orders.stop.set()
            self._note_all(ended(task, Outcome.FAILED, str(error)) for task in tasks)
            return []
        if read is None:
            self._note_all(interrupted(tasks))
            return []
        read_at, observed = read
        decided = [decide(task, observed[task.task], self._rereading.terms) for task in tasks]
        self._note_all(outcome for outcome in decided if isinstance(outcome, TaskOutcome))
        return [replace(patch, read_at=read_at) for patch in decided if isinstance(patch, Patch)]

    def _until_stopped(self, reading: Future[_Read]) -> _Read | None:
        """Wait for a read; told to stop, nobody needs what it brings."""
        while not self._orders.stop.is_set():
            # Not by the time-out of ``result``: the read may have ended with one of its own.
            if wait([reading], STOP_SECONDS).done:
                return reading.result()
        return None

    def _read_afresh(self, tasks: Sequence[TaskPlan]) -> _Read:
        return self._api.patience.now(), self._rereading.read(tasks)

    def _send_and_note(self, patch: Patch) -> bool:
        """Send, and note what became of it before this worker sends anything else.

        Returns whether the server had room for it.
        """
        sending = Sending(
            self._api,
            self._rereading.terms,
            self._may_begin,
            learning=self._learning,
            stop=self._orders.stop,
        )
        try:
            outcome = sending.send(patch)
        except ServerError as error:
            self._judge(error)
            outcome = ended(sending.plan or patch.plan, Outcome.FAILED, str(error))
        else:
            self._in_vain = 0
        if sending.to_settle:
            self._to_settle.add(patch.plan.task)
        self._note(outcome)
        return not sending.crowded

    def _may_begin(self) -> bool:
        """Wait until an update may be sent; False where nothing new is to begin."""
        patience = self._api.patience
        return patience.until_welcome() and self._rate.wait() and not self._orders.stop.is_set()

    def _judge(self, error: ServerError) -> None:
        """Stop where the others would fare no better, and let another run go on."""
        self._in_vain = self._in_vain + 1 if of_the_server(error) else 0
        if stops_all(error) or self._in_vain >= GONE:
            self._orders.stop.set()

    def _settle(self, tasks: Sequence[TaskPlan], gone: ServerError | None) -> ServerError | None:
        """Read once more what was sent: only what is seen to hold counts as applied.

        Takes and returns why the server cannot be asked any more, None while it can.
        """
        try:
            if gone is not None:
                raise gone
            observed = self._rereading.read(tasks)
        except ServerError as error:
            self._note_all(self._not_seen(tasks, error))
            return error
        self._orders.watch.advance(len(tasks))
        for task in tasks:
            before = self._outcomes[task.task]
            now = settled(task, observed[task.task], before, self._attributes)
            if (now.outcome, now.error) != (before.outcome, before.error):
                self._note(now)
        return None

    def _not_seen(self, tasks: Sequence[TaskPlan], error: ServerError) -> Iterator[TaskOutcome]:
        for task in tasks:
            if self._outcomes[task.task].outcome is Outcome.APPLIED:
                said = f"stored, but not seen again: {error}"
                yield otherwise(self._outcomes[task.task], said)
