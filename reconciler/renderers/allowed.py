"""Which problems of a plan are allowed."""

from __future__ import annotations

from collections import Counter

from reconciler.core.model import WARNINGS, Kind, Plan, Status, TaskPlan, TaskProblem
from reconciler.core.notation import count_noun


def is_allowed(problem: TaskProblem, task: TaskPlan, allow: frozenset[Kind]) -> bool:
    """Tell whether a problem would block the task, had it not been allowed.

    A task is only planned as an update if its problems were allowed when the plan was made.
    """
    if problem.kind in WARNINGS:
        return False
    return problem.kind in allow or task.status is Status.UPDATE


def describe_allowed(plan: Plan, allow: frozenset[Kind]) -> str:
    """Write the kinds of allowed problems: ``missing (1 task), annotated-data (2 tasks)``."""
    found = Counter(
        kind
        for task in plan.tasks
        for kind in {p.kind for p in task.problems if is_allowed(p, task, allow)}
    )
    return ", ".join(
        f"{kind.value} ({count_noun(found[kind], 'task')})" for kind in Kind if found[kind]
    )
