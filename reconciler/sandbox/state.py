"""The state of the sandbox: projects, tasks, tokens, and the log of requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from uuid import NAMESPACE_URL, uuid5

from reconciler.sandbox.controls import EMPTY
from reconciler.sandbox.fields import Edition, Field, list_fields
from reconciler.sandbox.releases import Release, find_release
from reconciler.sandbox.stored_values import format_date_time

USER = 1
EMAIL = "sandbox@example.com"


def now() -> datetime:
    """Return the current time, the default clock of a sandbox."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Storage:
    """A cloud storage connected to a project: one S3 bucket, or all buckets if it is None.

    ``presign`` tells whether clients fetch objects from the bucket itself.
    """

    bucket: str | None = None
    presign: bool = True


@dataclass(slots=True)
class Project:
    """A project; ``task_ids`` is kept in ascending order, which is the order of the task list.

    ``model_runs`` counts the reads for which the server would run a model of the project.
    """

    id: int
    title: str
    created_at: str
    label_config: str = EMPTY
    storage: Storage | None = None
    maximum_annotations: int = 1
    overlap_cohort_percentage: int = 100
    evaluate_predictions_automatically: bool = False
    show_collab_predictions: bool = True
    model_runs: int = 0
    task_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Task:
    """A task; ``values`` holds every attribute that is stored, by name."""

    id: int
    values: dict[str, object]

    @property
    def project(self) -> int:
        """The id of its project; 0 if it has none, and so cannot be found any more."""
        number = self.values["project"]
        return number if isinstance(number, int) else 0


@dataclass(frozen=True, slots=True)
class Annotation:
    """An annotation of a task by a user; ``lead_time`` is in seconds."""

    id: int
    task: int
    project: int
    created_at: str
    result: object
    was_cancelled: bool = False
    lead_time: float | None = None
    completed_by: int = USER


@cache
def _list_fields(edition: Edition, release: Release) -> tuple[Field, ...]:
    return list_fields(edition, release.stored_too)


@cache
def _build_defaults(edition: Edition, release: Release) -> Mapping[str, object]:
    return {row.name: row.default for row in _list_fields(edition, release) if not row.read_only}


@dataclass(slots=True)
class State:
    """The state of the sandbox, which only ``handle`` changes and tests may read.

    ``log`` lists the received requests: method, and path with query. ``page_size_max`` is the
    limit that a server may set for pages of the task list. ``legacy_tokens`` and
    ``personal_tokens`` tell which kinds of token are accepted. ``lock`` is for use from threads.
    """

    edition: Edition = Edition.COMMUNITY
    release: Release = field(default_factory=partial(find_release, Edition.COMMUNITY))
    clock: Callable[[], datetime] = now
    page_size_max: int | None = None
    legacy_tokens: bool = True
    personal_tokens: bool = True
    projects: dict[int, Project] = field(default_factory=dict)
    tasks: dict[int, Task] = field(default_factory=dict)
    annotations: dict[int, list[Annotation]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    refresh_tokens: set[str] = field(default_factory=set)
    access_tokens: dict[str, datetime] = field(default_factory=dict)
    highest_task: int = 0
    log: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The attributes that PATCH knows, in the order of its responses."""
        return _list_fields(self.edition, self.release)

    def timestamp(self) -> str:
        """Return the current time, as the server writes date-times."""
        return format_date_time(self.clock())

    def next_error_id(self) -> str:
        """Return the identifier for an error body, the same in every run."""
        return str(uuid5(NAMESPACE_URL, f"sandbox:{len(self.log)}"))

    def requests(self, method: str) -> int:
        """Count the received requests with this method."""
        return sum(1 for seen, _ in self.log if seen == method)

    def add_project(
        self, title: str, label_config: str = EMPTY, *, number: int | None = None
    ) -> Project:
        """Add a project with the id ``number``, or the next free one."""
        key = number or max(self.projects, default=0) + 1
        self.projects[key] = Project(key, title, self.timestamp(), label_config)
        return self.projects[key]

    def add_task(
        self, project: Project, values: Mapping[str, object], *, number: int | None = None
    ) -> Task:
        """Add a task with ``values``, and the defaults of its edition for the others."""
        key = number or self.highest_task + 1
        self.highest_task = max(key, self.highest_task)
        moment = self.timestamp()
        self.tasks[key] = Task(
            key,
            {
                **_build_defaults(self.edition, self.release),
                "meta": {},
                "inner_id": len(project.task_ids) + 1,
                "overlap": project.maximum_annotations,
                **values,
                "project": project.id,
                "created_at": moment,
                "updated_at": moment,
            },
        )
        project.task_ids.append(key)
        if len(project.task_ids) > 1 and project.task_ids[-2] > key:
            project.task_ids.sort()
        return self.tasks[key]

    def next_inner_id(self, project: Project) -> int | None:
        """Return the ``inner_id`` for a new task of a project; None if no task has one."""
        numbers = [self.tasks[key].values["inner_id"] for key in project.task_ids]
        highest = max((number for number in numbers if isinstance(number, int)), default=None)
        if highest is None:
            return None if numbers else 1
        return highest + 1

    def add_annotation(self, task: Task, body: Mapping[str, object]) -> Annotation:
        """Add an annotation of a task, without any effect on the counters of the task."""
        lead_time, user = body.get("lead_time"), body.get("completed_by")
        annotation = Annotation(
            id=sum(map(len, self.annotations.values())) + 1,
            task=task.id,
            project=task.project,
            created_at=self.timestamp(),
            result=body.get("result"),
            was_cancelled=bool(body.get("was_cancelled")),
            lead_time=float(lead_time) if isinstance(lead_time, (int, float)) else None,
            completed_by=user if isinstance(user, int) else USER,
        )
        self.annotations.setdefault(task.id, []).append(annotation)
        return annotation

    def annotations_of(self, task: int) -> list[Annotation]:
        """Return the annotations of a task, oldest first."""
        return self.annotations.get(task, [])
