"""Making a plan against a server: read, compare, ask what the guards must know."""

from __future__ import annotations

from collections.abc import Collection

from reconciler.contract.attributes import Attributes
from reconciler.plan.model import DesiredTasks, Kind, Plan, TaskPlan
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
    labelled: dict[int, Collection[Path]] = {}
    different: list[TaskPlan] = []
    for task, observed in read_tasks(api, desired.by_project(), desired.names(), watch=watch):
        watch.advance()
        planned = plan_task(desired[task], observed, attributes)
        if planned is None:
            continue
        for project in projects_to_ask([planned]) - labelled.keys():
            labelled[project] = api.labelled_paths(project)
        different.append(
            guarded(planned, observed, attributes=attributes, labelled=labelled, allow=allow)
        )
    different.sort(key=lambda planned: planned.task)
    return Plan(server, tuple(different), count - len(different), api.requests)
