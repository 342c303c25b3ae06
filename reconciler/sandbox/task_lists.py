"""GET of one task and of the task list."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from reconciler.sandbox.exchange import Refusal, Request, Response, make_invalid, make_json
from reconciler.sandbox.state import State, Task
from reconciler.sandbox.task_filters import filter_tasks
from reconciler.sandbox.task_view import View, build_task, list_shown

PAGE_SIZE = 100
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "not", "off", "0"})
_INVALID_PAGE = "Invalid page."


def get_task(state: State, request: Request, task: Task) -> Response:
    """Return one task, with all attributes or those that ``include`` names."""
    query = _read_parameters(request)
    if state.release.single_reads_resolve:
        query.pop("resolve_uri", None)
    project = state.projects[task.project]
    if project.evaluate_predictions_automatically or project.show_collab_predictions:
        project.model_runs += 1
    return make_json(build_task(state, task, _read_view(state, query, full=True)))


def list_tasks(state: State, request: Request) -> Response:
    """Return one page of a project's tasks, in order of id."""
    query = _read_parameters(request)
    number = _read_integer(query, "project")
    if not number:
        return make_json({"detail": "Neither project nor view id specified"}, 404)
    if number not in state.projects:
        raise Refusal(404, "No Project matches the given query.")
    everything = state.projects[number].task_ids
    ids = _select(everything, query, state)
    view = _read_view(state, query, full=query.get("fields") == "all")
    page = _build_page(ids, query, cap=state.page_size_max)
    if state.projects[number].evaluate_predictions_automatically and not _read_flag(
        query, "review", default=False
    ):
        state.projects[number].model_runs += 1
    body = {
        "total_annotations": _count_annotations(state, number, ids),
        "total_predictions": 0,
        "total": len(ids),
        "tasks": [build_task(state, state.tasks[key], view) for key in page],
    }
    return make_json(body)


def _read_parameters(request: Request) -> dict[str, str]:
    """Return the query's parameters; the last one counts if a name is repeated."""
    return {name: values[-1] for name, values in _split_pairs(request.query).items()}


def _split_pairs(query: str) -> dict[str, list[str]]:
    return parse_qs(query, keep_blank_values=True)


def _read_view(state: State, query: Mapping[str, str], *, full: bool) -> View:
    include = query.get("include")
    names = list_shown(state, full=full, include=include)
    named = None if include is None else frozenset(include.split(","))
    return View(names, _read_flag(query, "resolve_uri", default=True), named)


def _select(ids: list[int], query: Mapping[str, str], state: State) -> list[int]:
    """Return the tasks that ``query`` selects; an empty list means all, as on the server."""
    asked = _read_json(query.get("query", "{}"))
    if "ordering" in asked:
        raise Refusal(500, "The sandbox does not order tasks")
    if "filters" in asked:
        return filter_tasks(ids, asked["filters"], state)
    selected = asked.get("selectedItems", {})
    if not isinstance(selected, dict):
        raise Refusal(500, "selectedItems must be dict")
    included = set(_read_numbers(selected.get("included", [])))
    excluded = set(_read_numbers(selected.get("excluded", [])))
    if selected.get("all", True):
        return [key for key in ids if key not in excluded] if excluded else ids
    return [key for key in sorted(included) if _contains(ids, key)] if included else ids


def _contains(ids: list[int], key: int) -> bool:
    """Tell whether an ascending list contains a number, by binary search."""
    place = bisect_left(ids, key)
    return place < len(ids) and ids[place] == key


def _read_json(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except ValueError:
        raise Refusal(500, "Expected object or value") from None
    if not isinstance(value, dict):
        raise Refusal(500, f"'{type(value).__name__}' object has no attribute 'get'")
    return value


def _read_numbers(value: object) -> list[int]:
    try:
        return [int(item) for item in value]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise Refusal(500, "1 validation error for PrepareParams") from None


def _build_page(ids: Sequence[int], query: Mapping[str, str], *, cap: int | None) -> Sequence[int]:
    size = _read_page_size(query.get("page_size", ""), cap)
    pages = max(1, -(-len(ids) // size))
    text = query.get("page", "1")
    number = pages if text == "last" else int(text) if text.isdecimal() else 0
    if not 1 <= number <= pages:
        raise Refusal(404, _INVALID_PAGE)
    return ids[(number - 1) * size : number * size]


def _read_page_size(text: str, cap: int | None) -> int:
    """Return the requested size, limited to the cap; 100 unless it is a positive number."""
    if not text.isdecimal() or not int(text):
        return PAGE_SIZE
    return min(int(text), cap or int(text))


def _read_flag(query: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = query.get(name, str(default)).lower()
    if text in _TRUE | _FALSE:
        return text in _TRUE
    allowed = "It should be one of [1, 0, true, false, yes, no]"
    raise make_invalid({name: f'Incorrect bool value "{query[name]}". {allowed}'})


def _read_integer(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "0")
    try:
        return int(text)
    except ValueError:
        message = f'Incorrect value in key "{name}" = "{text}". It should be digit string.'
        raise make_invalid({name: message}) from None


def _count_annotations(state: State, project: int, ids: list[int]) -> int:
    chosen = None if ids is state.projects[project].task_ids else set(ids)
    return sum(
        not annotation.was_cancelled
        for task, annotations in state.annotations.items()
        for annotation in annotations
        if annotation.project == project and (chosen is None or task in chosen)
    )
