"""A client of this project on a sandbox or on a script, with every request looked at."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import httpx

from reconciler.contract.openapi import load_contract
from reconciler.executor.ignored_attributes import Look
from reconciler.labelstudio.authentication import parse_token
from reconciler.labelstudio.bulk.cost import DEFAULT_LIMITS, ReadingLimits
from reconciler.labelstudio.bulk.read_concurrency import ReadConcurrency, ReadProbe
from reconciler.labelstudio.bulk.task_reader import read_task
from reconciler.labelstudio.client import CACHE_BUSTER, SIZE_MAX, Client
from reconciler.labelstudio.network import DIRECT, Network
from reconciler.labelstudio.retry import Backoff
from reconciler.labelstudio.task_api import TaskApi
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import new_state
from tests.unit.labelstudio.patient import Patient

ADDRESS = "http://label-studio.test"
TEXT = '<View><Text name="text" value="$text"/></View>'

Answer = Callable[[httpx.Request], httpx.Response]
Hook = Callable[[httpx.Request], httpx.Response | None]


class Scripted(httpx.BaseTransport):
    """Answers whatever a function answers."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answer(request)


class Hooked(SandboxTransport):
    """The sandbox, with something that happens before each request, or answers in its place."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.hook: Hook = lambda _request: None
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.hook(request) or super().handle_request(request)

    def count(self, method: str) -> int:
        return sum(request.method == method for request in self.requests)


class Noted:
    """A watch that keeps which works are begun, and what it is told of choices."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.details: list[str] = []
        self.notes: list[str] = []

    def begin(self, work: str, total: int | None = None) -> None:  # noqa: ARG002 - as a watch
        self.begun.append(work)

    def advance(self, tasks: int = 1) -> None:
        pass

    def detail(self, text: str) -> None:
        self.details.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)


def sandbox_with(count: int, *, project: int = 7, edition: str = "community") -> State:
    """A state with one project and tasks 1 to ``count`` in it."""
    state = new_state(edition)
    add_tasks(state, range(1, count + 1), project=project)
    return state


def add_tasks(state: State, numbers: range, *, project: int) -> None:
    made = state.add_project(f"Project {project}", TEXT, number=project)
    for number in numbers:
        state.add_task(made, {"data": {"text": f"Sentence {number}."}}, number=number)


@contextmanager
def client_of(
    transport: httpx.BaseTransport,
    token: str = SANDBOX_TOKEN,
    *,
    backoff: Backoff | None = None,
    size_max: int = SIZE_MAX,
    network: Network = DIRECT,
) -> Iterator[Client]:
    """A client whose pauses take no time, unless another ``backoff`` is given."""
    with Client(
        ADDRESS,
        parse_token(token),
        timeout=5,
        size_max=size_max,
        network=network,
        transport=transport,
        backoff=backoff or Patient(),
    ) as client:
        yield client


@contextmanager
def api_of(
    transport: httpx.BaseTransport,
    token: str = SANDBOX_TOKEN,
    *,
    backoff: Backoff | None = None,
    limits: ReadingLimits = DEFAULT_LIMITS,
    at_once: int = 1,
) -> Iterator[TaskApi]:
    """The requests of a client; it begins with so many reads ``at_once``."""
    concurrency = ReadConcurrency(ReadProbe(time.monotonic(), limit=at_once))
    with client_of(transport, token, backoff=backoff) as client:
        yield TaskApi(client, load_contract(), limits=limits, read_concurrency=concurrency)


def look_of(api: TaskApi) -> Look:
    """Read tasks alone, as an apply does that does not know what the server stores."""
    return lambda task, names: read_task(api, task.task, names, project=task.project)


def query_of(request: httpx.Request) -> dict[str, Any]:
    query = dict(parse_qsl(request.url.query.decode()))
    query.pop(CACHE_BUSTER, None)
    return query


def selected(request: httpx.Request) -> list[int]:
    """Give the ids that a request selects; none where it is no request for a selection."""
    selection = json.loads(query_of(request).get("query", "{}"))
    return list(selection.get("selectedItems", {}).get("included", []))
