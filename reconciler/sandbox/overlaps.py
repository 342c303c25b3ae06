"""The values that the server itself writes to ``overlap``: how many annotators a task gets."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.sandbox.state import Project, State, Task

_EVERY_TASK = 100


def apply_count_change(state: State, project: Project) -> None:
    """Reset overlaps after an import or a deletion, if the project has a cohort."""
    if project.overlap_cohort_percentage < _EVERY_TASK and project.maximum_annotations > 1:
        _rearrange(state, project)


def apply_settings_change(state: State, project: Project, before: tuple[int, int]) -> None:
    """Reset overlaps after a change of ``maximum_annotations`` or of the percentage.

    ``before`` holds the old values of these two settings.
    """
    most, percentage = project.maximum_annotations, project.overlap_cohort_percentage
    if percentage != before[1]:
        if most > 1:
            _rearrange(state, project)
        elif most != before[0]:
            _set_overlap(state, _list_tasks(state, project), 1)
    elif most != before[0]:
        shared = [
            task for task in _list_tasks(state, project) if _get_overlap(task) > 1 or most == 1
        ]
        if shared or percentage == _EVERY_TASK:
            _set_overlap(state, shared or _list_tasks(state, project), most)
        else:
            _rearrange(state, project)


def find_next_task(state: State, project: Project) -> Task | None:
    """Find the next task for the only user; the search writes to tasks that it passes over."""
    for task in _list_tasks(state, project):
        if state.annotations_of(task.id) or task.values["is_labeled"]:
            continue
        if _get_overlap(task) > 0:
            return task
        task.values["is_labeled"] = _get_overlap(task) < 0
    return None


def _rearrange(state: State, project: Project) -> None:
    """Set the full overlap for the share of tasks with the most annotations, and 1 for the rest.

    The server chooses at random between equals; here the lowest id comes first.
    """
    tasks = _list_tasks(state, project)
    most = project.maximum_annotations
    share = int(len(tasks) * project.overlap_cohort_percentage / _EVERY_TASK + 0.5)
    tasks.sort(key=lambda task: -len(state.annotations_of(task.id)))
    full = [task for task in tasks if len(state.annotations_of(task.id)) >= most]
    others = tasks[len(full) :]
    left = max(share - len(full), 0)
    _set_overlap(state, full + others[:left], most)
    _set_overlap(state, others[left:], 1)


def _set_overlap(state: State, tasks: Iterable[Task], overlap: int) -> None:
    for task in tasks:
        finished = any(not a.was_cancelled for a in state.annotations_of(task.id))
        task.values |= {"overlap": overlap, "is_labeled": int(finished) >= overlap}


def _list_tasks(state: State, project: Project) -> list[Task]:
    return [state.tasks[key] for key in project.task_ids]


def _get_overlap(task: Task) -> int:
    overlap = task.values["overlap"]
    return overlap if isinstance(overlap, int) else 1
