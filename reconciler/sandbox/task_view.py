"""A task as responses show it: which attributes, in which order, stored or computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from reconciler.sandbox.resolved_addresses import check_readable, resolve_addresses
from reconciler.sandbox.state import USER, Annotation, State, Storage, Task

_READABLE = (
    "id",
    "predictions",
    "annotations",
    "drafts",
    "annotators",
    "inner_id",
    "cancelled_annotations",
    "total_annotations",
    "total_predictions",
    "completed_at",
    "annotations_results",
    "predictions_results",
    "predictions_score",
    "file_upload",
    "storage_filename",
    "annotations_ids",
    "predictions_model_versions",
    "avg_lead_time",
    "draft_exists",
    "updated_by",
    "data",
    "meta",
    "created_at",
    "updated_at",
    "is_labeled",
    "overlap",
    "comment_count",
    "unresolved_comment_count",
    "last_comment_updated_at",
    "project",
    "comment_authors",
)
_ONLY_IN_FULL = frozenset(
    {
        "predictions",
        "annotations",
        "completed_at",
        "predictions_score",
        "avg_lead_time",
        "draft_exists",
    }
)


@dataclass(frozen=True, slots=True)
class View:
    """Which attributes a response shows, and whether addresses in its data are resolved.

    ``include`` are the attributes that the request names: those of annotations, too.
    """

    names: Sequence[str]
    resolve: bool
    include: frozenset[str] | None = None


def list_shown(state: State, *, full: bool, include: str | None = None) -> tuple[str, ...]:
    """List the attributes of a response, in order; ``include`` is from the query, with commas."""
    more = [row.name for row in state.fields if row.name not in _READABLE]
    wanted = None if include is None else {*include.split(","), *state.release.stored_too}
    return tuple(
        name
        for name in (*_READABLE, *more)
        if (full or name not in _ONLY_IN_FULL) and (wanted is None or name in wanted)
    )


def build_task(state: State, task: Task, view: View) -> dict[str, object]:
    """Build the body of a task; fails like the server if its data is not an object.

    The data is checked and resolved even if the response leaves it out.
    """
    data = task.values["data"]
    check_readable(data)
    if view.resolve:
        data = resolve_addresses(
            data, _build_storage(state, task), task=task.id, release=state.release
        )
    values = {**task.values, "data": data, "annotations": ()}
    if "annotations" in view.names:
        values["annotations"] = list_annotations(state, task, view.include)
    return {
        name: compute(state, task) if (compute := _COMPUTED.get(name)) else values.get(name)
        for name in view.names
    }


def build_annotation(annotation: Annotation) -> dict[str, object]:
    """Build the body of an annotation, without the attributes for the labelling interface."""
    return {
        "id": annotation.id,
        "result": annotation.result,
        "completed_by": annotation.completed_by,
        "was_cancelled": annotation.was_cancelled,
        "ground_truth": False,
        "created_at": annotation.created_at,
        "updated_at": annotation.created_at,
        "lead_time": annotation.lead_time,
        "task": annotation.task,
        "project": annotation.project,
        "updated_by": USER,
    }


def list_annotations(
    state: State, task: Task, include: frozenset[str] | None = None
) -> list[dict[str, object]]:
    """Return the bodies of a task's annotations, oldest first, with the attributes to include."""
    bodies = map(build_annotation, state.annotations_of(task.id))
    return [
        {name: value for name, value in body.items() if include is None or name in include}
        for body in bodies
    ]


def _build_storage(state: State, task: Task) -> Storage | None:
    return state.projects[task.project].storage


def _list_annotators(state: State, task: Task) -> object:
    return sorted({annotation.completed_by for annotation in state.annotations_of(task.id)})


def _list_annotation_ids(state: State, task: Task) -> object:
    return ",".join(str(annotation.id) for annotation in state.annotations_of(task.id))


def _compute_lead_time(state: State, task: Task) -> object:
    """Return what was written, which only enterprise stores, or else the mean."""
    if (stored := task.values.get("avg_lead_time")) is not None:
        return stored
    times = [a.lead_time for a in state.annotations_of(task.id) if a.lead_time is not None]
    return fmean(times) if times else None


def _compute_completed_at(state: State, task: Task) -> object:
    """Return what was written, which only enterprise stores, or the newest annotation's."""
    if (stored := task.values.get("completed_at")) is not None:
        return stored
    annotations = state.annotations_of(task.id)
    return annotations[-1].created_at if annotations and task.values["is_labeled"] else None


def _build_updated_by(_state: State, task: Task) -> object:
    user = task.values["updated_by"]
    return [{"user_id": user}] if user else []


_COMPUTED: Mapping[str, Callable[[State, Task], object]] = {
    "id": lambda _state, task: task.id,
    "annotations_ids": _list_annotation_ids,
    "annotations_results": lambda _state, _task: "",
    "annotators": _list_annotators,
    "avg_lead_time": _compute_lead_time,
    "completed_at": _compute_completed_at,
    "draft_exists": lambda _state, task: task.values.get("draft_exists", False),
    "drafts": lambda _state, _task: [],
    "predictions": lambda _state, _task: [],
    "predictions_model_versions": lambda _state, _task: "",
    "predictions_results": lambda _state, _task: "",
    "updated_by": _build_updated_by,
}
