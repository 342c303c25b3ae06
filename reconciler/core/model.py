"""The data model of the core: desired, observed, change, plan."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final, NamedTuple, Protocol, TypeAlias

from reconciler.core.digest import compute_digest
from reconciler.core.notation import Path
from reconciler.core.shard import Shard, find_missing_shards
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


class DesiredTask(NamedTuple):
    """What the manifests declare for one task; a tuple, as a frozen class is three times slower.

    ``attributes`` holds declared values, including defaults. In objects that ``replaced`` names,
    all keys are managed; in other objects, only the declared paths. ``absent`` are paths that must
    not exist. ``project`` is the declared project, None if the manifest declares none.
    """

    id: int
    project: int | None
    attributes: Mapping[str, Json]
    replaced: frozenset[str]
    absent: tuple[Path, ...]
    places: Places

    @property
    def source(self) -> Source:
        """Where the first declaration of the task begins."""
        return self.places.source

    def names(self) -> set[str]:
        """Return the names of the attributes that must be read to compare this task."""
        return {*self.attributes, *(path[0] for path in self.absent)}


class DesiredTasks(Protocol):
    """What the manifests declare for all tasks; each `DesiredTask` is built on request."""

    def __len__(self) -> int:
        """Count the tasks."""
        ...

    def __getitem__(self, task: int) -> DesiredTask:
        """Return what is declared for the task with this id."""
        ...

    def filter_differing(self, found: Mapping[int, Mapping[str, Json]]) -> Iterator[int]:
        """Yield the tasks that may differ from ``found``, by a fast check; the others do not."""
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

    ``before`` is UNREADABLE if the server fails to return the stored value.
    """

    path: Path
    before: Side
    after: Side
    source: Source


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """The settings of a project that matter for changes of its tasks.

    ``labelled`` are the paths in ``data`` that its label config uses; ``unreadable`` says why that
    config could not be read, and is empty if it could. ``overlap_cohort_percentage`` and
    ``maximum_annotations`` are None if the server does not show them.
    """

    labelled: frozenset[Path] = frozenset()
    unreadable: str = ""
    overlap_cohort_percentage: int | None = None
    maximum_annotations: int | None = None


class Kind(StrEnum):
    """The kinds of problems and warnings; --allow takes the names of those in `ALLOWABLE`."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    OTHER_PROJECT = "other-project"
    PROJECT_MOVE = "project-move"
    EMPTY_DATA = "empty-data"
    LABEL_CONFIG = "label-config"
    ANNOTATED_DATA = "annotated-data"
    REWRITE_UNREADABLE = "rewrite-unreadable"
    IGNORED_ATTRIBUTE = "ignored-attribute"
    RESOLVED_ADDRESS = "resolved-address"
    EDITED_SINCE = "edited-since"
    COMPUTED = "computed"
    OVERLAP_COHORT = "overlap-cohort"
    FLAT_KEY = "flat-key"


WARNINGS = frozenset({Kind.COMPUTED, Kind.OVERLAP_COHORT, Kind.FLAT_KEY})
"""Kinds that are only reported, and block nothing."""

NEVER = frozenset({Kind.RESOLVED_ADDRESS})
"""Kinds that cannot be allowed: such a change is never intended."""

ALLOWABLE = frozenset(Kind) - WARNINGS - NEVER
"""Kinds that can be allowed."""


@dataclass(frozen=True, slots=True)
class TaskProblem:
    """A problem of one task in a plan, or a warning."""

    kind: Kind
    message: str
    hint: str = ""

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
    first read the task; they are not saved.
    """

    task: int
    project: int | None
    status: Status
    source: Source
    changes: tuple[Change, ...] = ()
    problems: tuple[TaskProblem, ...] = ()
    addresses: tuple[Path, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class User:
    """The user of a token; ``email`` is empty if the server does not show it."""

    id: int
    email: str

    def __str__(self) -> str:
        return f"{self.email} (user {self.id})" if self.email else f"user {self.id}"


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """The server of a plan; ``edition`` and ``version`` are None if it does not show them."""

    url: str
    edition: str | None
    version: str | None

    def __str__(self) -> str:
        what = " ".join(filter(None, ("Label Studio", self.edition, self.version)))
        return f"{self.url} ({what})"


@dataclass(frozen=True, repr=False)
class Plan:
    """All that differs between the manifests and the server.

    ``tasks`` are those that differ or have a problem or a warning, in order of id;
    ``unchanged`` counts all unchanged tasks. ``requests`` is how many were sent to make the plan.
    ``shards`` are the parts of the tasks that were compared; empty if all were.
    """

    server: ServerIdentity
    tasks: tuple[TaskPlan, ...]
    unchanged: int
    requests: int = 0
    shards: tuple[Shard, ...] = ()

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

    def describe(self) -> str:
        """Count the tasks by status, in words."""
        counts = self.summary()
        counted = [f"{counts[status]:,} {_IN_WORDS.get(status, status)}" for status in Status]
        return ", ".join(words for words in counted if not words.startswith("0 ")) or "no tasks"

    def __repr__(self) -> str:
        return f"<Plan for {self.server.url}: {self.describe()}>"

    def _repr_html_(self) -> str:
        """Show the plan in a notebook."""
        from reconciler.core.notebook_view import format_plan_html  # noqa: PLC0415 - it shows plans

        return format_plan_html(self)

    def summary(self) -> dict[str, int]:
        """Count the tasks by status, and all tasks as ``tasks``."""
        counts = dict.fromkeys(("tasks", *(status.value for status in Status)), 0)
        for task in self.tasks:
            counts[task.status] += 1
        counts[Status.UNCHANGED] = self.unchanged
        counts["tasks"] = sum(counts.values())
        return counts

    def list_unaccepted(self, allow: frozenset[Kind]) -> tuple[TaskPlan, ...]:
        """List the tasks that block the apply although ``allow`` is allowed."""
        return tuple(
            task
            for task in self.tasks
            if task.status is not Status.UPDATE
            and any(p.kind not in (allow - NEVER) | WARNINGS for p in task.problems)
        )
