"""Problems of many tasks, grouped by their kind, the most serious first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.core.allowances import is_blocking
from reconciler.core.annotation_impact import AnnotationImpact, add_impacts
from reconciler.core.model import TaskKey
from reconciler.core.plan_model import TaskPlan
from reconciler.core.problems import Kind, TaskProblem
from reconciler.errors import Source


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """The tasks with problems of one kind, and the first of these problems.

    ``key`` is the key that named the first task, and ``source`` declares it; ``sources`` counts the
    places that declare the tasks. ``is_blocking`` says whether the problems block the apply;
    otherwise they are allowed, or only warnings. ``different`` counts their messages.
    ``impact`` is what the changes do to the annotations of these tasks, None if it is not known.
    """

    kind: Kind
    tasks: tuple[int, ...]
    first: TaskProblem
    key: TaskKey | None
    source: Source
    sources: int
    is_blocking: bool
    different: int
    impact: AnnotationImpact | None = None

    def __len__(self) -> int:
        return len(self.tasks)


def group_problems(tasks: Iterable[TaskPlan]) -> tuple[ProblemGroup, ...]:
    """Group the problems of tasks by kind, and by whether they block; those that do come first."""
    found: dict[tuple[bool, bool, Kind], list[tuple[TaskPlan, TaskProblem]]] = {}
    for task in tasks:
        for problem in task.problems:
            place = (not is_blocking(problem, task), problem.is_warning, problem.kind)
            found.setdefault(place, []).append((task, problem))
    ordered = sorted(found.items(), key=lambda item: (item[0][:2], -len(item[1])))
    return tuple(
        _make_group(kind, rows, is_blocking=not harmless) for (harmless, _, kind), rows in ordered
    )


def _make_group(
    kind: Kind, rows: list[tuple[TaskPlan, TaskProblem]], *, is_blocking: bool
) -> ProblemGroup:
    (task, first), messages = rows[0], {problem.message for _, problem in rows}
    impacts = {row.task: row.find_impact(problem) for row, problem in rows}
    sources = {row.source for row, _ in rows}
    return ProblemGroup(
        kind,
        tuple(impacts),
        first,
        task.key,
        task.source,
        len(sources),
        is_blocking,
        len(messages),
        add_impacts(impacts.values()),
    )
