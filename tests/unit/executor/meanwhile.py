"""What happens on the way of a request, or in the place of its answer, and what was sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

from reconciler.sandbox.state import State
from tests.unit.labelstudio.wired import Hooked


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
