"""Carries a plan out: fresh read, three-way check, PATCH, proof, and a last look at all of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from reconciler.apply.decisions import (
    Patch,
    Terms,
    decide,
    ended,
    interrupted,
    left_alone,
    proved,
    settled,
)
from reconciler.apply.gate import Gate
from reconciler.apply.report import Outcome, TaskOutcome
from reconciler.contract.attributes import Attributes
from reconciler.errors import Broken, NotLabelStudio, ServerError, Unreachable
from reconciler.plan.model import Kind, Observed, Plan, Status, TaskPlan
from reconciler.plan.notation import Path
from reconciler.plan.planner import projects_to_ask
from reconciler.server.reading import BATCH, read_tasks
from reconciler.server.task_api import TaskApi

DEFAULT_CONCURRENCY: Final = 4
"""PATCHes under way at once: the built-in server does not get faster with more."""

Record = Callable[[TaskOutcome], None]


@dataclass(frozen=True, slots=True)
class Orders:
    """How to carry a plan out. ``stop`` set means: start nothing new."""

    allow: frozenset[Kind] = frozenset()
    concurrency: int = DEFAULT_CONCURRENCY
    stop: threading.Event = field(default_factory=threading.Event)


def carry_out(
    plan: Plan, api: TaskApi, attributes: Attributes, *, orders: Orders, record: Record
) -> list[TaskOutcome]:
    """Carry ``plan`` out and return what became of its tasks, in the plan's order.

    ``record`` gets every outcome as it happens, from one thread at a time; a later
    outcome of the same task takes the place of an earlier one. Raises what ``record`` raises.
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
        self._labelled: dict[int, Collection[Path]] = {}
        self._terms = Terms(attributes, Gate(attributes), orders.allow, self._labelled)
        self._outcomes: dict[int, TaskOutcome] = {}
        self._to_settle: set[int] = set()
        self._noting = threading.Lock()

    def carry_out(self, plan: Plan) -> list[TaskOutcome]:
        self._note_all(left_alone(t) for t in plan.tasks if t.status is not Status.UPDATE)
        updates = plan.updates
        for batch in _batches(updates):
            self._carry_out_batch(batch)
        for batch in _batches([task for task in updates if task.task in self._to_settle]):
            self._look_again(batch)
        return [self._outcomes[task.task] for task in plan.tasks]

    def _note(self, outcome: TaskOutcome) -> None:
        self._outcomes[outcome.task] = outcome
        self._record(outcome)

    def _note_all(self, outcomes: Iterable[TaskOutcome]) -> None:
        for outcome in outcomes:
            self._note(outcome)

    def _carry_out_batch(self, tasks: Sequence[TaskPlan]) -> None:
        if self._orders.stop.is_set():
            self._note_all(interrupted(tasks))
            return
        try:
            observed = self._read(tasks)
        except ServerError as error:
            self._orders.stop.set()
            self._note_all(ended(task, Outcome.FAILED, str(error)) for task in tasks)
            return
        decided = [decide(task, observed[task.task], self._terms) for task in tasks]
        self._note_all(outcome for outcome in decided if isinstance(outcome, TaskOutcome))
        self._send_all([patch for patch in decided if isinstance(patch, Patch)])

    def _read(self, tasks: Sequence[TaskPlan]) -> dict[int, Observed]:
        for project in sorted(projects_to_ask(tasks) - self._labelled.keys()):
            self._labelled[project] = self._api.labelled_paths(project)
        names = {change.path[0] for task in tasks for change in task.changes}
        return read_tasks(self._api, {task.task: task.project for task in tasks}, names)

    def _send_all(self, patches: Sequence[Patch]) -> None:
        if not patches:
            return
        with ThreadPoolExecutor(self._orders.concurrency) as pool:
            try:
                for done in as_completed([pool.submit(self._send_one, patch) for patch in patches]):
                    done.result()
            except BaseException:
                self._orders.stop.set()
                raise

    def _send_one(self, patch: Patch) -> None:
        """Send, and note what became of it before this worker sends anything else."""
        outcome = self._send(patch)
        with self._noting:
            try:
                self._note(outcome)
            except BaseException:
                # What cannot be recorded must not be done: start nothing that is still waiting.
                self._orders.stop.set()
                raise

    def _send(self, patch: Patch) -> TaskOutcome:
        if self._orders.stop.is_set():
            return interrupted([patch.plan])[0]
        try:
            answer = self._api.patch(patch.plan.task, patch.body)
        except ServerError as error:
            if isinstance(error, Unreachable) or error.status == HTTPStatus.UNAUTHORIZED:
                # The others would fare no better: stop, and let another run go on.
                self._orders.stop.set()
            if isinstance(error, Unreachable | NotLabelStudio | Broken):
                self._to_settle.add(patch.plan.task)
            return ended(patch.plan, Outcome.FAILED, str(error))
        self._to_settle.add(patch.plan.task)
        return proved(patch.plan, answer, self._attributes)

    def _look_again(self, tasks: Sequence[TaskPlan]) -> None:
        """Read once more what was sent: only what is seen to hold counts as applied."""
        try:
            observed = self._read(tasks)
        except ServerError as error:
            applied = (t for t in tasks if self._outcomes[t.task].outcome is Outcome.APPLIED)
            said = f"stored, but not seen again: {error}"
            self._note_all(ended(task, Outcome.FAILED, said) for task in applied)
            return
        for task in tasks:
            before = self._outcomes[task.task]
            now = settled(task, observed[task.task], before, self._attributes)
            if (now.outcome, now.error) != (before.outcome, before.error):
                self._note(now)


def _batches(tasks: Sequence[TaskPlan]) -> Iterator[Sequence[TaskPlan]]:
    for start in range(0, len(tasks), BATCH):
        yield tasks[start : start + BATCH]
