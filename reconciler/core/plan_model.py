"""The data model of a plan: what it says of each task, key and rule, and of the server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Final, Self

from reconciler.core.annotation_impact import AnnotationImpact
from reconciler.core.digest import compute_digest
from reconciler.core.model import Change, TaskKey
from reconciler.core.paths import Path
from reconciler.core.problems import Allowance, Kind, TaskProblem
from reconciler.core.redaction import SHOW_ALL, RedactionNote, RedactionSettings
from reconciler.core.rule import RuleRef
from reconciler.core.shard import Shard, find_missing_shards
from reconciler.core.target import EVERYTHING, Targets, describe_targets
from reconciler.core.values import Side
from reconciler.errors import Source


class Status(StrEnum):
    """The status of one task in a plan."""

    UNCHANGED = "unchanged"
    UPDATE = "update"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    BLOCKED = "blocked"


_IN_WORDS: Final = {Status.UPDATE: "to update"}


@dataclass(frozen=True, slots=True, repr=False)
class TaskPlan:
    """The plan for one task; its changes are applied only if its status is UPDATE.

    ``addresses`` are the undeclared paths in ``data`` that held a storage address when this run
    first read the task; they are not saved. ``key`` is the key that named the task, and ``rules``
    are the rules that made some of the changes: both must still hold when the plan is applied.
    ``planned`` are all changes of this run if ``changes`` are only a part of them; they are not
    saved. ``seen`` are values of the task's own declarations that conditions of ``rules`` read.
    ``allow`` is what the manifests allow for this task; of it, plans save what accepts a problem.
    ``impact`` is what the changes do to the annotations of the task; None if these were not read.
    """

    task: int
    project: int | None
    status: Status
    source: Source
    changes: tuple[Change, ...] = ()
    problems: tuple[TaskProblem, ...] = ()
    addresses: tuple[Path, ...] = field(default=(), compare=False)
    key: TaskKey | None = None
    rules: tuple[RuleRef, ...] = ()
    allow: tuple[Allowance, ...] = field(default=(), compare=False)
    planned: tuple[Change, ...] = field(default=(), compare=False)
    seen: tuple[tuple[Path, Side], ...] = ()
    impact: AnnotationImpact | None = None

    def __repr__(self) -> str:
        return f"<Plan of task {self.task}: {self.status}>"

    def narrow(self, changes: tuple[Change, ...]) -> Self:
        """Return the plan with only these of its changes, which remembers the others."""
        return replace(self, changes=changes, planned=self.planned or self.changes)

    def find_impact(self, problem: TaskProblem) -> AnnotationImpact | None:
        """Return the impact on annotations that belongs to a problem; None if there is none."""
        return self.impact if problem.kind is Kind.ANNOTATED_DATA else None

    def names(self) -> set[str]:
        """Return the names of the attributes that must be read to judge the task again."""
        names = {change.path[0] for change in self.changes}
        names |= {condition.path[0] for rule in self.rules for condition in rule.where}
        return names | {self.key.path[0]} if self.key else names


@dataclass(frozen=True, slots=True)
class UnresolvedKey:
    """A declared key that does not name exactly one task: the problem is MISSING or AMBIGUOUS."""

    key: TaskKey
    project: int
    source: Source
    problem: TaskProblem

    @property
    def status(self) -> Status:
        """Its status in the plan."""
        return Status.MISSING if self.problem.kind is Kind.MISSING else Status.BLOCKED


@dataclass(frozen=True, slots=True)
class PlannedRule:
    """What a rule did in a plan, over its whole project.

    ``matched`` counts the tasks that its condition holds for, ``overruled`` those of them that
    declare some of its paths themselves. ``problem`` blocks the plan, or is a warning.
    """

    rule: RuleRef
    matched: int
    overruled: int = 0
    problem: TaskProblem | None = None

    @property
    def is_blocked(self) -> bool:
        """Whether the rule blocks the plan."""
        return self.problem is not None and not self.problem.is_warning


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """The server of a plan; ``edition`` and ``version`` are None if it does not show them.

    ``environment`` is the name that the settings gave it for the run; None if they gave none.
    """

    url: str
    edition: str | None
    version: str | None
    environment: str | None = None

    def __str__(self) -> str:
        what = " ".join(filter(None, ("Label Studio", self.edition, self.version)))
        return f"{self.name} ({what})"

    @property
    def name(self) -> str:
        """The address, with the environment if there is one."""
        return f"environment {self.environment}: {self.url}" if self.environment else self.url


def have_same_tasks(one: ServerIdentity, other: ServerIdentity) -> bool:
    """Tell whether ids mean the same tasks on both servers, whatever their versions.

    A server without an environment is taken for that of any environment.
    """
    environments = {one.environment, other.environment} - {None}
    return (one.url, one.edition) == (other.url, other.edition) and len(environments) <= 1


@dataclass(frozen=True, repr=False)
class Plan:
    """All that differs between the manifests and the server.

    ``tasks`` are those that differ, and unchanged ones with a warning, in order of id;
    ``unchanged`` counts all unchanged ones. ``requests`` is how many were sent to make the plan.
    ``shards`` are the parts of the tasks that were compared; empty if all were. ``unresolved`` are
    the keys that do not name one task, ``rules`` the rules of the manifests, in their order.
    ``targets`` are what was looked at, ``tasks_left_out`` how many declared tasks were not, or
    differ only elsewhere, and ``changes_left_out`` how many changes of the others were not.
    ``redacted`` is set if values are masked: such a plan is only to be shown. ``hidden`` is what
    is masked wherever the plan is shown; it holds the values itself, which apply needs.
    """

    server: ServerIdentity
    tasks: tuple[TaskPlan, ...]
    unchanged: int
    requests: int = 0
    shards: tuple[Shard, ...] = ()
    unresolved: tuple[UnresolvedKey, ...] = ()
    rules: tuple[PlannedRule, ...] = ()
    targets: Targets = EVERYTHING
    tasks_left_out: int = 0
    changes_left_out: int = 0
    redacted: RedactionNote | None = None
    hidden: RedactionSettings = field(default=SHOW_ALL, compare=False)

    @cached_property
    def updates(self) -> tuple[TaskPlan, ...]:
        """The tasks that apply would change."""
        return tuple(task for task in self.tasks if task.status is Status.UPDATE)

    @cached_property
    def digest(self) -> str:
        """The name of the plan: what apply would do, digested; see `compute_digest`.

        A redacted plan has that of the original, signed, or none.
        """
        return self.redacted.digest if self.redacted else compute_digest(self.updates)

    @property
    def missing_shards(self) -> tuple[Shard, ...]:
        """The shards that the plan lacks to cover all tasks."""
        return tuple(find_missing_shards(self.shards))

    @property
    def declared(self) -> int:
        """How many tasks are declared, those that targets leave out included."""
        return self.summary()["tasks"] + self.tasks_left_out

    def describe_targets(self) -> str:
        """Say what was looked at, and what was left out; empty if all was looked at."""
        return describe_targets(self.targets, self.tasks_left_out, self.changes_left_out)

    def describe(self) -> str:
        """Count the tasks by status, in words."""
        counts = self.summary()
        counted = [f"{counts[status]:,} {_IN_WORDS.get(status, status)}" for status in Status]
        return ", ".join(words for words in counted if not words.startswith("0 ")) or "no tasks"

    def __repr__(self) -> str:
        return f"<Plan for {self.server.name}: {self.describe()}>"

    def _repr_html_(self) -> str:
        """Show the plan in a notebook."""
        from reconciler.core.notebook_view import format_plan_html  # noqa: PLC0415 - it shows plans

        return format_plan_html(self)

    def summary(self) -> dict[str, int]:
        """Count the tasks by status, and all tasks as ``tasks``."""
        counts = dict.fromkeys(("tasks", *(status.value for status in Status)), 0)
        for task in self.tasks:
            counts[task.status] += 1
        for key in self.unresolved:
            counts[key.status] += 1
        counts[Status.UNCHANGED] = self.unchanged
        counts["tasks"] = sum(counts.values())
        return counts

    def list_unaccepted(self, allow: Iterable[Kind] = ()) -> tuple[TaskPlan, ...]:
        """List the tasks that block the apply although ``allow`` is allowed too."""
        from reconciler.core.allowances import (  # noqa: PLC0415 - it judges plans
            Allowances,
            list_blocked,
            mark_plan,
        )

        return list_blocked(mark_plan(self, Allowances(tuple(map(Allowance, allow)))))
