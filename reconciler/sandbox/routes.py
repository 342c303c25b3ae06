"""The routes of the sandbox; ``handle`` is the whole server."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reconciler.sandbox import access, projects, task_lists, task_update
from reconciler.sandbox.exchange import (
    HTML,
    Refusal,
    Request,
    Response,
    make_json,
    make_page,
    read_object,
)
from reconciler.sandbox.fields import list_options
from reconciler.sandbox.releases import build_version_body
from reconciler.sandbox.state import Project, State, Task

_Action = Callable[[State, Request, str], Response]


@dataclass(frozen=True, slots=True)
class _Route:
    """A path, its action for each method, and whether it is public or needs a token."""

    path: re.Pattern[str]
    actions: Mapping[str, _Action]
    public: bool = False


def handle(state: State, request: Request) -> Response:
    """Respond to a request, which changes ``state`` and is added to its log."""
    state.log.append((request.method, request.target))
    try:
        return _answer(state, request)
    except Refusal as refusal:
        return _build_refusal(state, refusal)
    except RecursionError as problem:
        return _build_refusal(state, Refusal(500, str(problem)))


def _answer(state: State, request: Request) -> Response:
    for route in _ROUTES:
        found = route.path.fullmatch(request.path)
        if found:
            if not route.public:
                access.authenticate(state, request)
            action = route.actions.get(request.method)
            if action is None:
                raise Refusal(405, f'Method "{request.method}" not allowed.')
            return action(state, request, found.groupdict().get("id", ""))
    return make_page(404)


def _build_refusal(state: State, refusal: Refusal) -> Response:
    body: dict[str, object] = {
        "id": state.next_error_id(),
        "status_code": refusal.status,
        "version": state.release.version,
        "detail": refusal.detail,
        "exc_info": None,
    }
    if refusal.errors is not None:
        body["validation_errors"] = refusal.errors
    return make_json(body, refusal.status, headers=refusal.headers)


def _wrap_task(act: Callable[[State, Request, Task], Response]) -> _Action:
    """Build an action on the task in the path; a task without a project is not found."""

    def action(state: State, request: Request, key: str) -> Response:
        task = state.tasks.get(int(key))
        if task is None:
            raise Refusal(404, task_update.NO_TASK)
        if not task.project:
            raise _make_lost(state, request)
        return act(state, request, task)

    return action


def _make_lost(state: State, request: Request) -> Refusal:
    """Build the refusal for a task without a project, on which some releases fail with 500."""
    named = request.method == "PATCH" and read_object(request).get("project")
    if state.release.fails_on_lost and not named:
        return Refusal(500, "'NoneType' object has no attribute 'id'")
    return Refusal(404, task_update.NO_TASK)


def _wrap_project(act: Callable[[State, Request, Project], Response]) -> _Action:
    """Build an action on the project in the path."""

    def action(state: State, request: Request, key: str) -> Response:
        project = state.projects.get(int(key))
        if project is None:
            raise Refusal(404, "No Project matches the given query.")
        return act(state, request, project)

    return action


def _wrap_plain(act: Callable[[State, Request], Response]) -> _Action:
    """Build an action on a path without an id."""
    return lambda state, request, _key: act(state, request)


def _import_tasks(state: State, request: Request, key: str) -> Response:
    """Import tasks; unlike other routes, return a page if the project does not exist."""
    if int(key) not in state.projects:
        return make_page(404)
    return projects.import_tasks(state, request, state.projects[int(key)])


def _get_options(state: State, _request: Request, _task: Task) -> Response:
    body = {
        "name": "Task Api",
        "description": "",
        "renders": ["application/json"],
        "parses": ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
        "actions": {"PUT": list_options(state.edition, state.release.stored_too)},
    }
    return make_json(body)


def _get_version(state: State, _request: Request) -> Response:
    return make_json(build_version_body(state.edition, state.release))


def _get_health(_state: State, _request: Request) -> Response:
    """Return JSON with the content type of HTML, as the real server does."""
    return Response(200, {"Content-Type": HTML}, b'{"status": "UP"}')


_TASK_ACTIONS = {
    "GET": _wrap_task(task_lists.get_task),
    "PATCH": _wrap_task(task_update.update_task),
    "OPTIONS": _wrap_task(_get_options),
}
_ROUTES = (
    _Route(re.compile(r"/api/tasks/(?P<id>\d+)/?"), _TASK_ACTIONS),
    _Route(re.compile(r"/api/tasks/?"), {"GET": _wrap_plain(task_lists.list_tasks)}),
    _Route(
        re.compile(r"/api/tasks/(?P<id>\d+)/annotations/?"),
        {"POST": _wrap_task(projects.annotate)},
    ),
    _Route(
        re.compile(r"/api/projects/?"),
        {
            "GET": _wrap_plain(projects.list_projects),
            "POST": _wrap_plain(projects.create_project),
        },
    ),
    _Route(
        re.compile(r"/api/projects/(?P<id>\d+)/?"),
        {
            "GET": _wrap_project(projects.get_project),
            "PATCH": _wrap_project(projects.update_project),
        },
    ),
    _Route(
        re.compile(r"/api/projects/(?P<id>\d+)/next/?"),
        {"GET": _wrap_project(projects.get_next_task)},
    ),
    _Route(re.compile(r"/api/token/refresh/?"), {"POST": _wrap_plain(access.refresh)}, public=True),
    # These three only without a trailing slash.
    _Route(re.compile(r"/api/projects/(?P<id>\d+)/import"), {"POST": _import_tasks}),
    _Route(re.compile(r"/api/current-user/whoami"), {"GET": _wrap_plain(access.whoami)}),
    _Route(
        re.compile(r"/api/jwt/settings"),
        {
            "GET": _wrap_plain(access.get_token_settings),
            "POST": _wrap_plain(access.change_token_settings),
        },
    ),
    _Route(re.compile(r"/api/version/?"), {"GET": _wrap_plain(_get_version)}, public=True),
    _Route(re.compile(r"/health/?"), {"GET": _wrap_plain(_get_health)}, public=True),
)
