"""Making a plan against a server: read, compare, ask what the guards must know."""

from __future__ import annotations

from collections.abc import Collection

from reconciler.contract.attributes import Attributes
from reconciler.plan.model import DesiredTasks, Found, Kind, Observed, Plan, TaskPlan
from reconciler.plan.notation import Path
from reconciler.plan.planner import guarded, plan_task, projects_to_ask
from reconciler.server.reading import read_tasks
from reconciler.server.task_api import TaskApi
from reconciler.watch import NOBODY, Watch


def make_plan(
    desired: DesiredTasks,
    api: TaskApi,
    attributes: Attributes,
    *,
    allow: frozenset[Kind] = frozenset(),
    watch: Watch = NOBODY,
) -> Plan:
    """Plan ``desired`` against the live server; only reads. Raises ServerError.

    Tasks are compared as their answers come; of those that do not differ nothing is kept.
    """
    server = api.identity()
    count = len(desired)
    watch.begin("reading and comparing", count)
    guards = _Guards(api, attributes, allow)
    different: list[TaskPlan] = []
    for seen in read_tasks(api, desired.by_project(), desired.names(), watch=watch):
        for task, observed in seen:
            if isinstance(observed, Found) and desired.held_by(task, observed.attributes):
                continue
            planned = plan_task(desired[task], observed, attributes)
            if planned is not None:
                different.append(guards.judge(planned, observed))
        watch.advance(len(seen))
    different.sort(key=lambda planned: planned.task)
    return Plan(server, tuple(different), count - len(different), api.requests)


class _Guards:
    """Judges tasks, and asks the server for the label config of a project once it matters."""

    def __init__(self, api: TaskApi, attributes: Attributes, allow: frozenset[Kind]) -> None:
        self._api = api
        self._attributes = attributes
        self._allow = allow
        self._labelled: dict[int, Collection[Path]] = {}

    def judge(self, planned: TaskPlan, observed: Observed) -> TaskPlan:
        """Judge the changes of one task."""
        for project in projects_to_ask([planned]) - self._labelled.keys():
            self._labelled[project] = self._api.labelled_paths(project)
        return guarded(
            planned,
            observed,
            attributes=self._attributes,
            labelled=self._labelled,
            allow=self._allow,
        )
