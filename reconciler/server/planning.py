"""Making a plan against a server: read, compare, ask what the guards must know."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.contract.attributes import Attributes
from reconciler.plan.model import DesiredTask, Kind, Plan, Status
from reconciler.plan.planner import guarded, plan_tasks, projects_to_ask
from reconciler.server.reading import read_tasks
from reconciler.server.task_api import TaskApi


def make_plan(
    desired: Sequence[DesiredTask],
    api: TaskApi,
    attributes: Attributes,
    *,
    allow: frozenset[Kind] = frozenset(),
) -> Plan:
    """Plan ``desired`` against the live server; only reads. Raises ServerError."""
    server = api.identity()
    names = set().union(*(task.names() for task in desired))
    observed = read_tasks(api, {task.id: task.project for task in desired}, names)
    compared = plan_tasks(desired, observed, attributes)
    labelled = {
        project: api.labelled_paths(project) for project in sorted(projects_to_ask(compared))
    }
    tasks = [
        guarded(task, observed[task.task], attributes=attributes, labelled=labelled, allow=allow)
        for task in compared
    ]
    different = tuple(task for task in tasks if task.status is not Status.UNCHANGED)
    return Plan(server, different, len(tasks) - len(different), api.requests)
