"""The words of the core as data: desired, observed, change, plan."""

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
        """Tell where ``path``, or failing that its nearest declared parent, stands."""
        ...


class DesiredTask(NamedTuple):
    """What the manifests declare of one task; a tuple, as a frozen class takes thrice the time.

    ``attributes`` holds declared values, defaults included. Of those named in ``replaced`` the
    whole object is managed; of other objects only the paths declared. ``absent`` are paths
    that must not exist. ``project`` is where the manifest says that the task lies, None where
    it does not say.
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
        """Name the attributes that must be read to compare this task."""
        return {*self.attributes, *(path[0] for path in self.absent)}


class DesiredTasks(Protocol):
    """What the manifests declare of all tasks: each is made anew when it is asked for."""

    def __len__(self) -> int:
        """Count the tasks."""
        ...

    def __getitem__(self, task: int) -> DesiredTask:
        """Give what is declared of the task with this id."""
        ...

    def filter_differing(self, found: Mapping[int, Mapping[str, Json]]) -> Iterator[int]:
        """Name those tasks of which something may differ from what was found: quickly, few."""
        ...

    def group_by_project(self) -> Mapping[int | None, Sequence[int]]:
        """Give the ids, in ascending order, by the project that the tasks are said to be in."""
        ...

    def names(self) -> Collection[str]:
        """Name the attributes that must be read to compare all of them."""
        ...

    def source_of_project(self, project: int) -> Source | None:
        """Tell where a project is first declared; None where it is in no manifest."""
        ...


class Found(NamedTuple):
    """The server answered: the attributes it gave. A tuple, for the reason given above.

    ``data`` is UNREADABLE where the server gives all else, and fails with it.
    """

    attributes: Mapping[str, Side]


@dataclass(frozen=True, slots=True)
class Missing:
    """The server says that there is no such task, or none that this token may see."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What the task holds is not known: ``detail`` says why, ``hint`` what may help."""

    detail: str
    hint: str = ""


Observed: TypeAlias = Found | Missing | Unreadable


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """What one answer says: the attributes of tasks that were found, and what became of others."""

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
    """One path of one task: ``before`` is live, ``after`` declared; ABSENT is 'not there'.

    ``before`` is UNREADABLE where the server cannot write out what it stores.
    """

    path: Path
    before: Side
    after: Side
    source: Source


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """What a project says that bears on changes of its tasks.

    ``labelled`` are the paths in ``data`` that its label config uses; ``unreadable`` tells why
    that config could not be read, and is empty where it was. ``overlap_cohort_percentage`` and
    ``maximum_annotations`` are None where the server does not show them.
    """

    labelled: frozenset[Path] = frozenset()
    unreadable: str = ""
    overlap_cohort_percentage: int | None = None
    maximum_annotations: int | None = None


class Kind(StrEnum):
    """What can stand between a declared task and its apply; the names that --allow takes."""

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
"""Told, never in the way."""

NEVER = frozenset({Kind.RESOLVED_ADDRESS})
"""Cannot be allowed: there is no case in which it is meant."""

ALLOWABLE = frozenset(Kind) - WARNINGS - NEVER
"""What can be allowed."""


@dataclass(frozen=True, slots=True)
class TaskProblem:
    """Why a task is not, or not simply, brought to what is declared."""

    kind: Kind
    message: str
    hint: str = ""

    @property
    def is_warning(self) -> bool:
        """Whether the problem is only reported, and blocks nothing."""
        return self.kind in WARNINGS


class Status(StrEnum):
    """What the plan says of one task."""

    UNCHANGED = "unchanged"
    UPDATE = "update"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    BLOCKED = "blocked"


_IN_WORDS: Final = {Status.UPDATE: "to update"}


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """What the plan says of one task; only with status UPDATE are its changes carried out.

    ``addresses`` are the undeclared places in ``data`` that held a storage address when this run
    read the task first; they are not saved.
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
    """Whose token it is; ``email`` is empty where the server does not tell it."""

    id: int
    email: str

    def __str__(self) -> str:
        return f"{self.email} (user {self.id})" if self.email else f"user {self.id}"


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """Which server a plan was made against; None for what it does not tell."""

    url: str
    edition: str | None
    version: str | None

    def __str__(self) -> str:
        what = " ".join(filter(None, ("Label Studio", self.edition, self.version)))
        return f"{self.url} ({what})"


@dataclass(frozen=True, repr=False)
class Plan:
    """All that differs between the manifests and the server.

    ``tasks`` are those that differ, and those unchanged of which a warning tells, in order of id.
    ``unchanged`` counts all unchanged tasks.
    ``requests`` is how many were sent to find out. ``shards`` are the parts of the tasks that
    were looked at; empty where it was all of them.
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
        """The shards that the plan lacks to be about all tasks."""
        return tuple(find_missing_shards(self.shards))

    def describe(self) -> str:
        """Count the tasks by status, in words."""
        counts = self.summary()
        told = [f"{counts[status]:,} {_IN_WORDS.get(status, status)}" for status in Status]
        return ", ".join(words for words in told if not words.startswith("0 ")) or "no tasks"

    def __repr__(self) -> str:
        return f"<Plan for {self.server.url}: {self.describe()}>"

    def _repr_html_(self) -> str:
        """Show the plan in a notebook."""
        from reconciler.core.notebook_view import format_plan_html  # noqa: PLC0415 - it shows plans

        return format_plan_html(self)

    def summary(self) -> dict[str, int]:
        """Count the tasks by status, and all of them, as ``tasks``."""
        counts = dict.fromkeys(("tasks", *(status.value for status in Status)), 0)
        for task in self.tasks:
            counts[task.status] += 1
        counts[Status.UNCHANGED] = self.unchanged
        counts["tasks"] = sum(counts.values())
        return counts

    def list_unaccepted(self, allow: frozenset[Kind]) -> tuple[TaskPlan, ...]:
        """List the tasks that stand in the way of an apply, for all that is allowed."""
        return tuple(
            task
            for task in self.tasks
            if task.status is not Status.UPDATE
            and any(p.kind not in (allow - NEVER) | WARNINGS for p in task.problems)
        )
