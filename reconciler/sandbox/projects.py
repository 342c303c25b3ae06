"""Creating projects, tasks and annotations, for tests and demonstrations."""

from __future__ import annotations

from types import NoneType
from typing import Final
from urllib.parse import parse_qs

from reconciler.contract.label_config import find_required_keys, find_value_tags
from reconciler.sandbox.controls import EMPTY, parse_config, parse_controls, rename_undefined
from reconciler.sandbox.exchange import (
    Refusal,
    Request,
    Response,
    make_invalid,
    make_json,
    read_body,
    read_object,
)
from reconciler.sandbox.fields import INT64
from reconciler.sandbox.overlaps import apply_count_change, apply_settings_change, find_next_task
from reconciler.sandbox.state import EMAIL, USER, Annotation, Project, State, Task
from reconciler.sandbox.stored_values import parse_integer
from reconciler.sandbox.task_view import View, build_annotation, build_task, list_shown

_MODEL_SETTINGS = ("show_collab_predictions", "evaluate_predictions_automatically")
_SHORTEST_TITLE = 3
_PAGE_MAX = 100


def create_project(state: State, request: Request) -> Response:
    """Create a project with the title and label config of the request."""
    body = read_object(request)
    title, config = str(body.get("title", "")), str(body.get("label_config", EMPTY))
    if "title" in body and len(title) < _SHORTEST_TITLE:
        raise make_invalid({"title": ["Ensure this field has at least 3 characters."]})
    parse_config(config)
    project = state.add_project(title, config)
    _set_overlaps(project, body)
    return make_json(build_project_body(state, project), 201)


def list_projects(state: State, request: Request) -> Response:
    """Return one page of the projects, the newest first, or of those whose title contains a text.

    ``ids`` selects projects by their numbers, separated by commas. The server ignores
    case where its database does: SQLite only that of ASCII letters.
    """
    query = {name: values[-1] for name, values in parse_qs(request.query).items()}
    text = query.get("title", "").strip().casefold()
    ids = set(filter(None, query.get("ids", "").split(",")))
    found = [
        project
        for project in reversed(state.projects.values())
        if text in project.title.casefold() and (not ids or str(project.id) in ids)
    ]
    page, size = int(query.get("page", "1")), min(int(query.get("page_size", "30")), _PAGE_MAX)
    rows = found[(page - 1) * size : page * size]
    if not rows and page != 1:
        raise Refusal(404, "Invalid page.")
    body: dict[str, object] = {
        "count": len(found),
        "next": "more" if page * size < len(found) else None,
        "previous": None,
        "results": [build_project_body(state, project) for project in rows],
    }
    return make_json(body)


def update_project(state: State, request: Request, project: Project) -> Response:
    """Store settings, and update the overlaps of tasks as the server does."""
    before = (project.maximum_annotations, project.overlap_cohort_percentage)
    body = read_object(request)
    _set_overlaps(project, body)
    for name in _MODEL_SETTINGS:
        setattr(project, name, bool(body.get(name, getattr(project, name))))
    apply_settings_change(state, project, before)
    return make_json(build_project_body(state, project))


def _set_overlaps(project: Project, body: dict[str, object]) -> None:
    for name in ("maximum_annotations", "overlap_cohort_percentage"):
        setattr(project, name, parse_integer(body.get(name, getattr(project, name))))


def get_next_task(state: State, _request: Request, project: Project) -> Response:
    """Return the next task for the annotator."""
    task = find_next_task(state, project)
    if task is None:
        raise Refusal(404, f"There are no tasks for {EMAIL}")
    names = list_shown(state, full=True)
    return make_json(build_task(state, task, View(names, resolve=True)))


def get_project(state: State, _request: Request, project: Project) -> Response:
    """Return a project."""
    return make_json(build_project_body(state, project))


def build_project_body(state: State, project: Project) -> dict[str, object]:
    """Build the body of a project, with the attributes that concern tasks."""
    tasks = [state.tasks[key] for key in project.task_ids]
    return {
        "id": project.id,
        "title": project.title,
        "description": "",
        "label_config": project.label_config,
        "parsed_label_config": parse_controls(project.label_config),
        "created_at": project.created_at,
        "maximum_annotations": project.maximum_annotations,
        "overlap_cohort_percentage": project.overlap_cohort_percentage,
        "task_number": len(tasks),
        "num_tasks_with_annotations": sum(bool(state.annotations_of(task.id)) for task in tasks),
        "finished_task_number": sum(bool(task.values["is_labeled"]) for task in tasks),
        **{name: getattr(project, name) for name in _MODEL_SETTINGS},
    }


def import_tasks(state: State, request: Request, project: Project) -> Response:
    """Create tasks from a list of ``{"data": ..., "meta": ...}``; one bad item refuses them all."""
    items = read_body(request)
    if not isinstance(items, list) or not items:
        raise _make_bad_import("load_tasks: No tasks added")
    bodies = [_check(project, index, item) for index, item in enumerate(items)]
    number = state.next_inner_id(project)
    if number is not None and number + len(bodies) > INT64:
        raise Refusal(500, "Python int too large to convert to SQLite INTEGER")
    tasks = [
        state.add_task(project, {**body, "inner_id": None if number is None else number + index})
        for index, body in enumerate(bodies)
    ]
    apply_count_change(state, project)
    counts: dict[str, object] = {"task_count": len(tasks), "annotation_count": 0}
    if "return_task_ids=true" in request.query:
        counts["task_ids"] = [task.id for task in tasks]
    return make_json(counts, 201)


def annotate(state: State, request: Request, task: Task) -> Response:
    """Add an annotation and recount those of the task, whatever its counter was set to."""
    annotation = state.add_annotation(task, read_object(request))
    _recount(state, task, annotation)
    return make_json(build_annotation(annotation), 201)


def _recount(state: State, task: Task, newest: Annotation) -> None:
    """Update only the counter of the annotation's own kind.

    A task is labelled once ``overlap`` people have finished it; the sandbox has one user.
    """
    annotations = state.annotations_of(task.id)
    counter = "cancelled_annotations" if newest.was_cancelled else "total_annotations"
    finished = any(not a.was_cancelled and a.result is not None for a in annotations)
    overlap = task.values["overlap"]
    task.values |= {
        counter: sum(a.was_cancelled == newest.was_cancelled for a in annotations),
        "is_labeled": isinstance(overlap, int) and int(finished) >= overlap,
        "updated_by": USER,
        "updated_at": newest.created_at,
    }


def _check(project: Project, index: int, item: object) -> dict[str, object]:
    """Return the attributes to store for an item; an item without ``data`` is the data itself."""
    if not isinstance(item, dict):
        raise _make_bad_import(f"Error at item {index}: Task root must be dict")
    data = item.get("data", item)
    if not isinstance(data, dict):
        raise _make_bad_import(f"Error at item {index}: Task[data] must be dict or list :: {item}")
    data = rename_undefined(data, project.label_config)
    for required in find_required_keys(project.label_config):
        key = required.partition("[")[0]
        if not _has(data, key.split(".")):
            text = f'Error at item {index}: "{key}" key is expected in task data'
            raise _make_bad_import(
                f'{text} [assume: item["data"] = task root with values] :: {item}'
            )
    _check_kinds(project, index, data)
    return {"data": data, "meta": item.get("meta", {})} if "data" in item else {"data": data}


def _check_kinds(project: Project, index: int, data: dict[str, object]) -> None:
    """Refuse a value of a kind that the last element with its key does not take."""
    for key, tag in find_value_tags(project.label_config).items():
        name, bracket, _ = key.partition("[")
        value: object = data
        for step in name.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        expected = (list,) if bracket else _DATA_TYPES.get(tag, (str,))
        if not isinstance(value, expected):
            names = [kind.__name__ for kind in expected]
            raise _make_bad_import(
                f"Error at item {index}: data['{name}']={value} is of type "
                f"'{type(value).__name__}', but the object tag {tag} expects the following types: "
                f'{names} [assume: item["data"] = task root with values]'
            )


_DATA_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "Text": (str, int, float, list),
    "Header": (str, int, float),
    "HyperText": (str,),
    "Image": (str, list),
    "Paragraphs": (list, str),
    "Chat": (list, str),
    "Table": (dict, list, str),
    "TimeSeries": (dict, list, str),
    "TimeSeriesChannel": (dict, list, str),
    "List": (list, str),
    "Choices": (str, list),
    "PolygonLabels": (str, list),
    "Labels": (str, list),
    "BrushLabels": (str, list),
    "EllipseLabels": (str, list),
    "HyperTextLabels": (str, list),
    "KeyPointLabels": (str, list),
    "ParagraphLabels": (str, list),
    "RectangleLabels": (str, list),
    "TimeSeriesLabels": (str, list),
    "Taxonomy": (str, list, NoneType),
    "Ranker": (list, str),
}
"""What import takes for the value of an element; of all others, only strings."""


def _has(data: object, path: list[str]) -> bool:
    """Tell whether the data has a value at a path, which a config writes with dots."""
    return not path or (
        isinstance(data, dict) and path[0] in data and _has(data[path[0]], path[1:])
    )


def _make_bad_import(message: str) -> Refusal:
    return make_invalid({"non_field_errors": [message]})
