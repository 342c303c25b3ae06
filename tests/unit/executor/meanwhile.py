"""What happens on the way of a request, or in the place of its answer, and what was sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

import httpx

from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.state import State
from tests.unit.labelstudio.wired import ADDRESS, Hooked


def before_first(method: str, act: Callable[[], object]) -> Callable[[httpx.Request], None]:
    """Do something just before the server gets the first request with a method."""
    waiting = [act]

    def hook(request: httpx.Request) -> None:
        if request.method == method and waiting:
            waiting.pop()()

    return hook


def instead(task: int, answer: httpx.Response) -> Callable[[httpx.Request], httpx.Response | None]:
    """Answer the PATCH of a task in the server's place."""
    return lambda request: answer if request.url.path == f"/api/tasks/{task}/" else None


def sent_bodies(transport: Hooked) -> dict[str, Any]:
    patches = (request for request in transport.requests if request.method == "PATCH")
    return {request.url.path: json.loads(request.content) for request in patches}


def values(state: State, task: int) -> dict[str, Any]:
    return state.tasks[task].values


class Client:
    """Somebody who writes whole objects, as the web page and most scripts do."""

    def __init__(self, transport: Hooked) -> None:
        self._server = SandboxTransport(transport.state)
        self._state = transport.state

    def read(self, task: int) -> dict[str, Any]:
        data = self._state.tasks[task].values["data"]
        assert isinstance(data, dict)
        return data

    def write(self, task: int, **attributes: object) -> None:
        request = httpx.Request(
            "PATCH",
            f"{ADDRESS}/api/tasks/{task}/",
            headers={"Authorization": f"Token {SANDBOX_TOKEN}"},
            json=attributes,
        )
        assert self._server.handle_request(request).status_code == httpx.codes.OK


def after_update(
    transport: Hooked,
    act: Callable[[int], None],
    *,
    of: Collection[int] = range(1, 1_000),
    times: int = 1,
) -> None:
    """Do something just after the server stored one of the first updates of a task."""
    server, left = SandboxTransport(transport.state), dict.fromkeys(of, times)

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "PATCH":
            return None
        task = int(request.url.path.split("/")[3])
        if not left.get(task):
            return None
        left[task] -= 1
        answer = server.handle_request(request)
        act(task)
        return answer

    transport.hook = hook


def overwriting(transport: Hooked) -> Callable[[int], None]:
    """Give a client that read all tasks before, and writes its own key into what it read then."""
    client = Client(transport)
    read = {task: client.read(task) for task in transport.state.tasks}
    return lambda task: client.write(task, data={**read[task], "theirs": task})
