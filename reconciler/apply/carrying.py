"""Carries a plan out: fresh read, three-way check, PATCH, proof, and a last look at all of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final

from reconciler.apply.gate import Gate
from reconciler.apply.report import Outcome, TaskOutcome
from reconciler.contract.attributes import Attributes
from reconciler.errors import NotFound as NotFoundError
from reconciler.errors import Refused, ServerError, Unreachable
from reconciler.plan.edit import edited
from reconciler.plan.model import (
    Found,
    Kind,
    NotFound,
    Observed,
    Plan,
    Status,
    TaskPlan,
    Unreadable,
)
from reconciler.plan.notation import Path, path_text
from reconciler.plan.planner import guarded, projects_to_ask
from reconciler.plan.three_way import Verdict, holds, verdict
from reconciler.plan.values import Json
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


@dataclass(frozen=True, slots=True)
class _Patch:
    """One update, ready to be sent."""

    plan: TaskPlan
    body: dict[str, Json]


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
        self._gate = Gate(attributes)
        self._labelled: dict[int, Collection[Path]] = {}
        self._outcomes: dict[int, TaskOutcome] = {}
        self._noting = threading.Lock()

    def carry_out(self, plan: Plan) -> list[TaskOutcome]:
        for task in plan.tasks:
            if task.status is not Status.UPDATE:
                self._note(_left_alone(task))
        updates = plan.updates
        for start in range(0, len(updates), BATCH):
            self._carry_out_batch(updates[start : start + BATCH])
        self._look_again(updates)
        return [self._outcomes[task.task] for task in plan.tasks]

    def _note(self, outcome: TaskOutcome) -> None:
        self._outcomes[outcome.task] = outcome
        self._record(outcome)

    def _carry_out_batch(self, tasks: Sequence[TaskPlan]) -> None:
        if self._orders.stop.is_set():
            for task in tasks:
                self._note(_interrupted(task))
            return
        try:
            observed = self._read(tasks)
        except ServerError as error:
            self._orders.stop.set()
            for task in tasks:
                self._note(_outcome(task, Outcome.FAILED, str(error)))
            return
        patches: list[_Patch] = []
        for task in tasks:
            decided = self._decide(task, observed[task.task])
            if isinstance(decided, TaskOutcome):
                self._note(decided)
            else:
                patches.append(decided)
        self._send_all(patches)

    def _read(self, tasks: Sequence[TaskPlan]) -> dict[int, Observed]:
        for project in sorted(projects_to_ask(tasks) - self._labelled.keys()):
            self._labelled[project] = self._api.labelled_paths(project)
        names = {change.path[0] for task in tasks for change in task.changes}
        return read_tasks(self._api, {task.task: task.project for task in tasks}, names)

    def _decide(self, task: TaskPlan, observed: Observed) -> TaskOutcome | _Patch:
        """Compare with what the server says now; tasks that moved since are left alone."""
        if isinstance(observed, NotFound):
            return _outcome(task, Outcome.MISSING, "the task is gone since it was planned")
        if isinstance(observed, Unreadable):
            return _outcome(task, Outcome.FAILED, observed.detail)
        live = observed.attributes
        if live.get("project") != task.project:
            return _outcome(task, Outcome.STALE, "the task is in another project than planned")
        verdicts = {c.path: verdict(c, live, self._attributes) for c in task.changes}
        stale = [path_text(path) for path, said in verdicts.items() if said is Verdict.STALE]
        if stale:
            return _outcome(
                task, Outcome.STALE, f"changed since it was planned: {', '.join(stale)}"
            )
        due = tuple(c for c in task.changes if verdicts[c.path] is Verdict.DO)
        if not due:
            return _outcome(task, Outcome.ALREADY, "")
        return self._prepare(replace(task, changes=due), observed)

    def _prepare(self, task: TaskPlan, observed: Found) -> TaskOutcome | _Patch:
        judged = guarded(
            task,
            observed,
            attributes=self._attributes,
            labelled=self._labelled,
            allow=self._orders.allow,
        )
        if judged.status is Status.BLOCKED:
            return _outcome(task, Outcome.BLOCKED, "; ".join(p.message for p in judged.problems))
        body = edited(observed.attributes, task.changes)
        try:
            self._gate.check(task.task, body)
        except Refused as error:
            return _outcome(task, Outcome.BLOCKED, str(error))
        return _Patch(task, body)

    def _send_all(self, patches: Sequence[_Patch]) -> None:
        if not patches:
            return
        with ThreadPoolExecutor(self._orders.concurrency) as pool:
            try:
                for done in as_completed([pool.submit(self._send_one, patch) for patch in patches]):
                    done.result()
            except BaseException:
                self._orders.stop.set()
                raise

    def _send_one(self, patch: _Patch) -> None:
        """Send, and note what became of it before this worker sends anything else."""
        outcome = self._send(patch)
        with self._noting:
            try:
                self._note(outcome)
            except BaseException:
                # What cannot be recorded must not be done: start nothing that is still waiting.
                self._orders.stop.set()
                raise

    def _send(self, patch: _Patch) -> TaskOutcome:
        if self._orders.stop.is_set():
            return _interrupted(patch.plan)
        try:
            answer = self._api.patch(patch.plan.task, patch.body)
        except NotFoundError as error:
            return _outcome(patch.plan, Outcome.FAILED, str(error))
        except ServerError as error:
            if isinstance(error, Unreachable) or error.status == HTTPStatus.UNAUTHORIZED:
                self._orders.stop.set()
            return _outcome(patch.plan, Outcome.FAILED, str(error))
        ignored = [
            path_text(c.path) for c in patch.plan.changes if not holds(c, answer, self._attributes)
        ]
        if ignored:
            said = f"the server answered 200 and did not store {', '.join(ignored)}"
            return _outcome(patch.plan, Outcome.NOT_HONOURED, said)
        return _outcome(patch.plan, Outcome.APPLIED, "")

    def _look_again(self, updates: Sequence[TaskPlan]) -> None:
        """Read once more what was changed: only what still holds counts as applied."""
        applied = [t for t in updates if self._outcomes[t.task].outcome is Outcome.APPLIED]
        for start in range(0, len(applied), BATCH):
            batch = applied[start : start + BATCH]
            try:
                observed = self._read(batch)
            except ServerError as error:
                for task in batch:
                    self._note(
                        _outcome(task, Outcome.FAILED, f"stored, but not seen again: {error}")
                    )
                continue
            for outcome in self._undone(batch, observed):
                self._note(outcome)

    def _undone(
        self, tasks: Sequence[TaskPlan], observed: dict[int, Observed]
    ) -> Iterator[TaskOutcome]:
        for task in tasks:
            now = observed[task.task]
            if not isinstance(now, Found):
                yield _outcome(task, Outcome.FAILED, "stored, but the task cannot be read any more")
                continue
            lost = [c for c in task.changes if not holds(c, now.attributes, self._attributes)]
            if lost:
                paths = ", ".join(path_text(change.path) for change in lost)
                said = f"stored, but it reads otherwise now: {paths}"
                yield _outcome(task, Outcome.NOT_HONOURED, said)


def _outcome(task: TaskPlan, outcome: Outcome, error: str) -> TaskOutcome:
    return TaskOutcome(task.task, outcome, task.changes, error)


def _interrupted(task: TaskPlan) -> TaskOutcome:
    return _outcome(task, Outcome.INTERRUPTED, "the run was stopped before this task")


def _left_alone(task: TaskPlan) -> TaskOutcome:
    """Report a task that the plan leaves alone; it was allowed, or nothing would be applied."""
    outcomes = {Status.MISSING: Outcome.MISSING, Status.BLOCKED: Outcome.BLOCKED}
    outcome = outcomes.get(task.status, Outcome.FAILED)
    said = "; ".join(problem.message for problem in task.problems)
    return TaskOutcome(task.task, outcome, (), said, accepted=True)
