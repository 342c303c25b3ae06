"""What a plan does to annotations: reading those of the tasks whose labelled data changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.contract.label_config import UnreadableLabelConfigError
from reconciler.contract.label_elements import LabelElement, find_elements
from reconciler.core.annotation_impact import UNREAD, AnnotationImpact
from reconciler.core.model import ProjectSettings
from reconciler.core.notation import count_noun
from reconciler.core.plan_model import Plan, TaskPlan
from reconciler.core.problems import Kind
from reconciler.labelstudio.bulk.annotation_reader import count_requests, read_annotations
from reconciler.labelstudio.task_api import TaskApi
from reconciler.progress import ProgressListener


def add_impact(
    plan: Plan,
    api: TaskApi,
    projects: Mapping[int, ProjectSettings],
    *,
    progress: ProgressListener,
) -> Plan:
    """Add to a plan what it does to the annotations of tasks; only reads.

    ``projects`` are the settings that the plan has read. Before the first request, ``progress``
    notes how many there will be. Raises ServerError.
    """
    concerned = _list_concerned(plan)
    if not concerned:
        return plan
    tasks = sum(map(len, concerned.values()))
    requests = sum(count_requests([task.task for task in group]) for group in concerned.values())
    progress.note(
        f"reading the annotations of {count_noun(tasks, 'task')} takes at least "
        f"{count_noun(requests, 'request')}"
    )
    progress.begin("reading annotations", tasks)
    impacts: dict[int, AnnotationImpact] = {}
    for project, group in sorted(concerned.items()):
        settings = projects.get(project, ProjectSettings())
        impacts |= _measure_project(api, project, group, settings=settings, progress=progress)
    added = (replace(task, impact=impacts.get(task.task, task.impact)) for task in plan.tasks)
    return replace(plan, tasks=tuple(added), requests=api.requests)


def _list_concerned(plan: Plan) -> Mapping[int, Sequence[TaskPlan]]:
    """List the tasks whose labelled data would change, by project."""
    found: defaultdict[int, list[TaskPlan]] = defaultdict(list)
    for task in plan.tasks:
        if task.project is not None and any(p.kind is Kind.ANNOTATED_DATA for p in task.problems):
            found[task.project].append(task)
    return found


def _measure_project(
    api: TaskApi,
    project: int,
    tasks: Sequence[TaskPlan],
    *,
    settings: ProjectSettings,
    progress: ProgressListener,
) -> Mapping[int, AnnotationImpact]:
    from reconciler.core.region_fit import RegionJudge  # noqa: PLC0415 - not for every plan

    elements = _find_elements(settings)
    planned = {task.task: task for task in tasks}
    impacts = dict.fromkeys(planned, UNREAD)
    for batch in read_annotations(
        api, project, list(planned), may_run_models=settings.may_run_models
    ):
        for number, made in batch.items():
            impacts[number] = RegionJudge(elements, planned[number].changes).measure(made)
        progress.advance(len(batch))
    return impacts


def _find_elements(settings: ProjectSettings) -> Mapping[str, LabelElement] | None:
    try:
        return find_elements(settings.label_config) if settings.label_config else None
    except UnreadableLabelConfigError:
        return None
