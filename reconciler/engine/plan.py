"""Making a plan against a server: read, compare, ask what the guards must know."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from reconciler.contract.attributes import Attributes
from reconciler.core.composition import Made
from reconciler.core.guards import list_names_to_read, may_be_ignored
from reconciler.core.inverse import plan_inverse
from reconciler.core.model import (
    DesiredTasks,
    Kind,
    Observed,
    Plan,
    ProjectSettings,
    ReadBatch,
    TaskPlan,
)
from reconciler.core.planner import (
    apply_guards,
    list_projects_to_ask,
    list_projects_to_warn_of,
    plan_task,
)
from reconciler.core.shard import Shard
from reconciler.errors import NoSuchProject, ServerError
from reconciler.labelstudio.bulk.task_reader import read_tasks
from reconciler.labelstudio.task_api import TaskApi
from reconciler.progress import NULL_PROGRESS, ProgressListener

_Different: TypeAlias = Callable[[ReadBatch], Iterator[tuple[TaskPlan, Observed]]]
"""Compares tasks with what one answer said of them, and gives those of which something differs."""


def build_plan(
    desired: DesiredTasks,
    api: TaskApi,
    attributes: Attributes,
    *,
    allow: frozenset[Kind] = frozenset(),
    progress: ProgressListener = NULL_PROGRESS,
) -> Plan:
    """Plan ``desired`` against the live server; only reads. Raises ServerError.

    Tasks are compared as their answers come; of those that do not differ nothing is kept.
    """

    def different(seen: ReadBatch) -> Iterator[tuple[TaskPlan, Observed]]:
        maybe = {task: seen.found[task] for task in desired.not_held(seen.found)}
        for task, observed in ReadBatch(maybe, seen.others):
            planned = plan_task(desired[task], observed, attributes)
            if planned is not None:
                yield planned, observed

    planning = _Planning(api, _Guards(api, attributes, allow, progress), progress)
    try:
        return planning.plan(different, desired.by_project(), desired.names(), count=len(desired))
    except NoSuchProject as error:
        source = desired.source_of_project(error.project)
        raise NoSuchProject(error.project, error.said, source=source) from error


def plan_shard(
    desired: DesiredTasks,
    api: TaskApi,
    attributes: Attributes,
    *,
    shard: Shard | None,
    allow: frozenset[Kind] = frozenset(),
    progress: ProgressListener = NULL_PROGRESS,
) -> Plan:
    """Plan ``desired``, which are the tasks of ``shard``, or all of them; see `build_plan`."""
    plan = build_plan(desired, api, attributes, allow=allow, progress=progress)
    return plan if shard is None else replace(plan, shards=(shard,))


def build_revert_plan(
    made: Mapping[int, Sequence[Made]],
    api: TaskApi,
    attributes: Attributes,
    *,
    allow: frozenset[Kind] = frozenset(),
    progress: ProgressListener = NULL_PROGRESS,
) -> Plan:
    """Plan the inverse of what was ``made``, by task; only reads. Raises ServerError."""

    def different(seen: ReadBatch) -> Iterator[tuple[TaskPlan, Observed]]:
        for task, observed in seen:
            planned = plan_inverse(task, made[task], observed, attributes)
            if planned is not None:
                yield planned, observed

    names = {one.path[0] for composed in made.values() for one in composed}
    planning = _Planning(api, _Guards(api, attributes, allow, progress), progress)
    return planning.plan(different, {None: sorted(made)}, names, count=len(made))


class _Planning:
    """Reads what is wanted, and keeps what differs."""

    def __init__(self, api: TaskApi, guards: _Guards, progress: ProgressListener) -> None:
        self._api = api
        self._guards = guards
        self._progress = progress

    def plan(
        self,
        different: _Different,
        wanted: Mapping[int | None, Sequence[int]],
        names: Collection[str],
        *,
        count: int,
    ) -> Plan:
        self._api.backoff.progress = self._progress
        server = self._api.identity()
        self._progress.begin("reading and comparing", count)
        plans: list[TaskPlan] = []
        for seen in read_tasks(
            self._api, wanted, list_names_to_read(names), progress=self._progress
        ):
            plans += (self._guards.judge(*found) for found in different(seen))
            self._progress.advance(len(seen))
        plans.sort(key=lambda planned: planned.task)
        return Plan(server, tuple(plans), count - len(plans), self._api.requests)


class _Guards:
    """Judges tasks, and asks the server for what that takes once it matters."""

    def __init__(
        self,
        api: TaskApi,
        attributes: Attributes,
        allow: frozenset[Kind],
        progress: ProgressListener,
    ) -> None:
        self._api = api
        self._attributes = attributes
        self._allow = allow
        self._progress = progress
        self._projects: dict[int, ProjectSettings] = {}
        self._not_shown: set[int] = set()

    def judge(self, planned: TaskPlan, observed: Observed) -> TaskPlan:
        """Judge the changes of one task."""
        for project in list_projects_to_ask([planned]) - self._projects.keys():
            self._projects[project] = self._api.project_settings(project)
        for project in (
            list_projects_to_warn_of([planned]) - self._projects.keys() - self._not_shown
        ):
            self._ask_if_shown(project)
        if may_be_ignored(planned.changes):
            self._attributes = self._api.capabilities.attributes(planned.task, self._progress)
        return apply_guards(
            planned,
            observed,
            attributes=self._attributes,
            projects=self._projects,
            allow=self._allow,
        )

    def _ask_if_shown(self, project: int) -> None:
        """Ask for settings that only warnings need: a plan can do without them."""
        try:
            self._projects[project] = self._api.project_settings(project)
        except ServerError as error:
            self._not_shown.add(project)
            self._progress.detail(
                f"the settings of project {project} are not known ({error.message}); whether it "
                "sets overlaps itself cannot be told"
            )
