"""The data model of the core: desired, observed, change, plan."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Final, NamedTuple, Protocol, Self, TypeAlias

from reconciler.core.digest import compute_digest
from reconciler.core.notation import Path
from reconciler.core.rule import Rule, RuleRef
from reconciler.core.shard import Shard, find_missing_shards
from reconciler.core.target import EVERYTHING, Targets, describe_targets
from reconciler.core.values import Json, Side
from reconciler.errors import Source


class Places(Protocol):
    """Where a desired task and its paths are declared."""

    @property
    def source(self) -> Source:
        """Where its first declaration begins."""
        ...

    def source_of(self, path: Path) -> Source:
        """Return where ``path`` is declared, or else its nearest declared parent."""
        ...


class TaskKey(NamedTuple):
    """A value inside a task that names it on every server: a string or an integer at ``path``."""

    path: Path
    value: str | int

    def __str__(self) -> str:
        return str(self.value)


class DesiredTask(NamedTuple):
    """What the manifests declare for one task; a tuple, as a frozen class is three times slower.

    ``attributes`` holds declared values, including defaults. Of the objects named in ``replaced``,
    all keys are managed; of other objects, only the declared paths. ``absent`` are paths that must
    not exist. ``project`` is the declared project, None if the manifest declares none. ``key`` is
    the key by which the task was found, and ``allow`` what its manifests allow.
    """

    id: int
    project: int | None
    attributes: Mapping[str, Json]
    replaced: frozenset[str]
    absent: tuple[Path, ...]
    places: Places
    key: TaskKey | None = None
    allow: tuple[Allowance, ...] = ()

    @property
    def source(self) -> Source:
        """Where the first declaration of the task begins."""
        return self.places.source

    def names(self) -> set[str]:
        """Return the names of the attributes that must be read to compare this task."""
        return {*self.attributes, *(path[0] for path in self.absent)}


class KeyGroup(Protocol):
    """The keys that manifests declare for one project at one path."""

    @property
    def project(self) -> int:
        """The project of the tasks."""
        ...

    @property
    def path(self) -> Path:
        """Where the tasks hold their keys."""
        ...

    @property
    def keys(self) -> Collection[str | int]:
        """The declared keys; to look one up takes constant time."""
        ...

    def source_of(self, key: str | int) -> Source:
        """Return where a key is first declared."""
        ...


class DesiredTasks(Protocol):
    """What the manifests declare for all tasks; each `DesiredTask` is built on request."""

    @property
    def rules(self) -> Sequence[Rule]:
        """The rules, in the order of declaration."""
        ...

    def list_key_groups(self) -> Sequence[KeyGroup]:
        """List the keys that tasks are declared by."""
        ...

    def find_keys(
        self, project: int, found: Mapping[int, Mapping[str, Side]]
    ) -> Mapping[int, tuple[TaskKey, ...]]:
        """Return the declared keys that tasks of a project hold, by id."""
        ...

    def build(
        self, task: int, keys: tuple[TaskKey, ...] = (), project: int | None = ...
    ) -> DesiredTask:
        """Combine what is declared for an id and for keys of a project.

        ``project`` may be None if there are no keys, or only one project declares them.
        Raises KeyError if nothing is, and ManifestError if the declarations conflict.
        """
        ...

    def __len__(self) -> int:
        """Count the tasks."""
        ...

    def __getitem__(self, task: int) -> DesiredTask:
        """Return what is declared for the task with this id."""
        ...

    def filter_differing(
        self,
        found: Mapping[int, Mapping[str, Json]],
        keys: Mapping[int, tuple[TaskKey, ...]] = ...,
        project: int | None = ...,
    ) -> Iterator[int]:
        """Yield the declared tasks that may differ from ``found``, by a fast check.

        ``keys`` are the keys that tasks of the project are declared by, from `find_keys`.
        """
        ...

    def group_by_project(self) -> Mapping[int | None, Sequence[int]]:
        """Return the ids, in ascending order, by the declared project of the tasks."""
        ...

    def names(self) -> Collection[str]:
        """Return the names of the attributes that must be read to compare all tasks."""
        ...

    def source_of_project(self, project: int) -> Source | None:
        """Return where a project is first declared; None if no manifest declares it."""
        ...


class Found(NamedTuple):
    """The attributes that the server returned. A tuple, for the same reason as `DesiredTask`.

    ``data`` is UNREADABLE if the server fails to return it but returns everything else.
    """

    attributes: Mapping[str, Side]


@dataclass(frozen=True, slots=True)
class Missing:
    """The server returned 404: the task does not exist, or the token may not see it."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The values of the task are unknown: ``detail`` says why, ``hint`` what may help."""

    detail: str
    hint: str = ""


Observed: TypeAlias = Found | Missing | Unreadable


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """The result of one response: the attributes of found tasks, and the state of the others."""

    found: Mapping[int, Mapping[str, Json]]
    others: Mapping[int, Observed] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.found) + len(self.others)

    def __iter__(self) -> Iterator[tuple[int, Observed]]:
        for task, attributes in self.found.items():
            yield task, Found(attributes)
        yield from self.others.items()


@dataclass(frozen=True, slots=True)
class Change:
    """One path of one task: ``before`` is the live value, ``after`` the declared one, or ABSENT.

    ``before`` is UNREADABLE if the server fails to return the stored value. ``rule`` is the name of
    the rule that makes the change; empty if a task declares it.
    """

    path: Path
    before: Side
    after: Side
    source: Source
    rule: str = ""


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """The settings of a project that matter for changes of its tasks.

    ``labelled`` are the paths in ``data`` that its label config uses; ``unreadable`` says why that
    config could not be read, and is empty if it could. ``overlap_cohort_percentage`` and
    ``maximum_annotations`` are None, and ``title`` empty, if the server does not show them.
    """

    labelled: frozenset[Path] = frozenset()
    unreadable: str = ""
    overlap_cohort_percentage: int | None = None
    maximum_annotations: int | None = None
    title: str = field(default="", compare=False)


class Kind(StrEnum):
    """The kinds of problems and warnings; --allow takes the names of those in `ALLOWABLE`."""

    MISSING = "missing"
    AMBIGUOUS = "ambiguous"
    UNREADABLE = "unreadable"
    OTHER_PROJECT = "other-project"
    PROJECT_MOVE = "project-move"
    EMPTY_DATA = "empty-data"
    LABEL_CONFIG = "label-config"
    ANNOTATED_DATA = "annotated-data"
    ANNOTATED_EXTRA = "annotated-extra"
    REWRITE_UNREADABLE = "rewrite-unreadable"
    IGNORED_ATTRIBUTE = "ignored-attribute"
    RESOLVED_ADDRESS = "resolved-address"
    EDITED_SINCE = "edited-since"
    RULE_CONFLICT = "rule-conflict"
    RULE = "rule"
    COMPUTED = "computed"
    OVERLAP_COHORT = "overlap-cohort"
    FLAT_KEY = "flat-key"
    RULE_UNUSED = "rule-unused"


WARNINGS = frozenset({Kind.COMPUTED, Kind.OVERLAP_COHORT, Kind.FLAT_KEY, Kind.RULE_UNUSED})
"""Kinds that are only reported, and block nothing."""

NEVER = frozenset({Kind.RESOLVED_ADDRESS, Kind.RULE_CONFLICT, Kind.RULE})
"""Kinds that cannot be allowed: such a change is never intended, or not known."""

ALLOWABLE = frozenset(Kind) - WARNINGS - NEVER
"""Kinds that can be allowed."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """One kind of problem that somebody accepts.

    ``paths`` are where it is accepted, with everything inside; empty for everywhere. ``by`` names
    the option, or the file and line, that allows it, and ``reason`` says why; empty if unknown.
    ``source`` is its place if a manifest allows it: then it accepts only changes that this file
    declares.
    """

    kind: Kind
    paths: tuple[Path, ...] = ()
    by: str = ""
    reason: str = ""
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class TaskProblem:
    """A problem of one task in a plan, or a warning.

    ``allowed`` is all that accepts it; empty if nothing does, or if a plan of an earlier release
    does not record it. ``paths`` are what it is about; empty if it is about the whole task.
    ``may_be`` is another kind that it may be of, as nothing tells which; a denial of either holds.
    """

    kind: Kind
    message: str
    hint: str = ""
    allowed: tuple[Allowance, ...] = ()
    paths: tuple[Path, ...] = field(default=(), compare=False)
    may_be: Kind | None = field(default=None, compare=False)

    @property
    def is_warning(self) -> bool:
        """Whether the problem is only reported, and blocks nothing."""
        return self.kind in WARNINGS


class Status(StrEnum):
    """The status of one task in a plan."""

    UNCHANGED = "unchanged"
    UPDATE = "update"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    BLOCKED = "blocked"


_IN_WORDS: Final = {Status.UPDATE: "to update"}


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """The plan for one task; its changes are applied only if its status is UPDATE.

    ``addresses`` are the undeclared paths in ``data`` that held a storage address when this run
    first read the task; they are not saved. ``key`` is the key that named the task, and ``rules``
    are the rules that made some of the changes: both must still hold when the plan is applied.
    ``planned`` are all changes of this run if ``changes`` are only a part of them; they are not
    saved. ``seen`` are values of the task's own declarations that conditions of ``rules`` read.
    ``allow`` is what the manifests allow for this task; of it, plans save what accepts a problem.
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

    def narrow(self, changes: tuple[Change, ...]) -> Self:
        """Return the plan with only these of its changes, which remembers the others."""
        return replace(self, changes=changes, planned=self.planned or self.changes)

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
class User:
    """The user of a token; ``email`` is empty if the server does not show it."""

    id: int
    email: str

    def __str__(self) -> str:
        return f"{self.email} (user {self.id})" if self.email else f"user {self.id}"


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

    @cached_property
    def updates(self) -> tuple[TaskPlan, ...]:
        """The tasks that apply would change."""
        return tuple(task for task in self.tasks if task.status is Status.UPDATE)

    @cached_property
    def digest(self) -> str:
        """The name of the plan: what apply would do, digested; see `compute_digest`."""
        return compute_digest(self.updates)

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
