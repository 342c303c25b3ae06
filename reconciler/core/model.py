"""The data model of the core: what is declared, what the server has, and what changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

from reconciler.core.contrast import format_brief
from reconciler.core.notation import format_path
from reconciler.core.paths import Path
from reconciler.core.problems import Allowance
from reconciler.core.rule import Rule
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

    def __repr__(self) -> str:
        return f"<TaskKey in {self.path[0]}>"

    def __str__(self) -> str:
        return str(self.value)


class HeldKeys(Mapping[int, tuple[TaskKey, ...]]):
    """The declared keys that tasks of a ``project`` hold, by the id of the task.

    ``by_path`` has them by the path of the keys, without an object for each: most tasks are read
    only to find that nothing differs.
    """

    def __init__(self, project: int, by_path: Mapping[Path, Mapping[int, str | int]]) -> None:
        self.project = project
        self.by_path = by_path
        held = tuple(by_path.values())
        self._tasks: Collection[int] = held[0] if len(held) == 1 else set().union(*held)

    def __getitem__(self, task: int) -> tuple[TaskKey, ...]:
        if task not in self._tasks:
            raise KeyError(task)
        return tuple(
            TaskKey(path, held[task]) for path, held in self.by_path.items() if task in held
        )

    def __contains__(self, task: object) -> bool:
        return task in self._tasks

    def __iter__(self) -> Iterator[int]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)


NO_KEYS = HeldKeys(0, {})
"""The keys of tasks that are not declared by keys."""


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

    def find_keys(self, project: int, found: Mapping[int, Mapping[str, Side]]) -> HeldKeys:
        """Return the declared keys that tasks of a project hold."""
        ...

    def select_declared(self, tasks: Iterable[int]) -> set[int]:
        """Return those of some tasks that are declared by their ids."""
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
        keys: HeldKeys = ...,
    ) -> Iterator[int]:
        """Yield the declared tasks that may differ from ``found``, by a fast check.

        ``keys`` are those that `find_keys` found in these tasks.
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


@dataclass(frozen=True, slots=True, repr=False)
class Change:
    """One path of one task: ``before`` is the live value, ``after`` the declared one, or ABSENT.

    ``before`` is UNREADABLE if the server fails to return the stored value. ``rule`` is the name of
    the rule that makes the change; empty if a task declares it. Printed, it shows its values. Its
    repr shows none, and no path inside an attribute: logs and notebooks keep it, and do not know
    what is redacted.
    """

    path: Path
    before: Side
    after: Side
    source: Source
    rule: str = ""

    def __repr__(self) -> str:
        return f"<Change of {self.path[0]} at {self.source}>"

    def __str__(self) -> str:
        before, after = format_brief(self.before, self.after)
        return f"{format_path(self.path)}: {before} -> {after} ({self.source})"


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """The settings of a project that matter for changes of its tasks.

    ``labelled`` are the paths in ``data`` that its label config uses; ``unreadable`` says why that
    config could not be read, and is empty if it could. ``overlap_cohort_percentage`` and
    ``maximum_annotations`` are None, and ``title`` empty, if the server does not show them.
    ``label_config`` is its text. ``may_run_models`` is whether a list of its tasks may make the
    server run a model.
    """

    labelled: frozenset[Path] = frozenset()
    unreadable: str = ""
    overlap_cohort_percentage: int | None = None
    maximum_annotations: int | None = None
    label_config: str | None = field(default=None, compare=False, repr=False)
    title: str = field(default="", compare=False)
    may_run_models: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class User:
    """The user of a token; ``email`` is empty if the server does not show it."""

    id: int
    email: str

    def __str__(self) -> str:
        return f"{self.email} (user {self.id})" if self.email else f"user {self.id}"
