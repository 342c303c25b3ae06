"""PATCH of a task, with the pitfalls of the real server."""

from __future__ import annotations

from reconciler.sandbox.controls import rename_undefined
from reconciler.sandbox.exchange import (
    Refusal,
    Request,
    Response,
    make_invalid,
    make_json,
    read_object,
)
from reconciler.sandbox.fields import Field, Kind
from reconciler.sandbox.state import USER, State, Task
from reconciler.sandbox.stored_values import InvalidValue, coerce
from reconciler.sandbox.task_view import list_annotations

NO_TASK = "No Task matches the given query."


def update_task(state: State, request: Request, task: Task) -> Response:
    """Store the honoured attributes of the request, ignore the others, return the stored task."""
    body = read_object(request)
    _check_project(state, body.get("project"), task)
    changes = _validate(state, body)
    _check_storable(task.values["data"])
    if isinstance(data := changes.get("data"), dict):
        changes["data"] = rename_undefined(data, state.projects[task.project].label_config)
    if changes.get("inner_id") == 0:
        changes["inner_id"] = state.next_inner_id(state.projects[task.project])
    task.values |= {**changes, "updated_at": state.timestamp()}
    if "project" in changes and changes["project"] is None:
        _lose(state, task)
    _check_storable(task.values["data"])
    return make_json(build_stored_body(state, task))


def build_stored_body(state: State, task: Task) -> dict[str, object]:
    """Build the response to a PATCH: all attributes of the serializer, none resolved."""
    read_only = {"id": task.id, "annotations": list_annotations(state, task), "predictions": []}
    values = {**task.values, **read_only}
    return {row.name: values[row.name] for row in state.fields}


def _check_project(state: State, project: object, task: Task) -> None:
    """Look up the task again in the project that the body names, if any."""
    if not project:
        return
    try:
        number = int(project)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise Refusal(500, f"Field 'id' expected a number but got {project!r}.") from None
    if number != project and not isinstance(project, str):
        raise Refusal(500, "2 validation errors for PrepareParams")
    if number not in state.projects:
        raise Refusal(500, "Project matching query does not exist.")
    if number != task.project:
        raise Refusal(404, NO_TASK)


def _validate(state: State, body: dict[str, object]) -> dict[str, object]:
    """Return the values of the body to store; one wrong value refuses all of them."""
    changes: dict[str, object] = {}
    errors: dict[str, object] = {}
    for row in state.fields:
        if row.read_only or row.name not in body:
            continue
        try:
            changes[row.name] = _coerce_value(state, row, body[row.name])
        except InvalidValue as problem:
            errors[row.name] = [str(problem)]
    if errors:
        raise make_invalid(errors)
    return changes


def _coerce_value(state: State, row: Field, value: object) -> object:
    """Return the value to store; an empty string counts as null for a key."""
    if row.kind is Kind.KEY and value == "":
        value = None
    result = coerce(row, value, edition=state.edition)
    for key in result if isinstance(result, list) and row.kind is Kind.KEYS else [result]:
        if row.kind in (Kind.KEY, Kind.KEYS) and key is not None:
            _check_key(state, row.name, key)
    return result


def _check_key(state: State, name: str, key: object) -> None:
    known: dict[str, object] = {"project": state.projects, "file_upload": ()}
    if key not in known.get(name, (USER,)):  # type: ignore[operator]
        raise InvalidValue(f'Invalid pk "{key}" - object does not exist.')


def _check_storable(data: object) -> None:
    """Fail like the server, after storing; from then on, no PATCH of the task succeeds."""
    if not isinstance(data, dict):
        raise Refusal(500, f"'{type(data).__name__}' object has no attribute 'keys'")


def _lose(state: State, task: Task) -> None:
    """Remove the task from all projects; without a project, no request finds it."""
    for project in state.projects.values():
        if task.id in project.task_ids:
            project.task_ids.remove(task.id)
