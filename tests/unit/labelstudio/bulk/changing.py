"""A sandbox whose tasks are created, deleted, edited, moved and broken while they are read."""

from __future__ import annotations

import json
import threading
from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain

import httpx

from reconciler.core.model import Found, Missing, Observed, Unreadable
from reconciler.core.values import Json
from reconciler.labelstudio.bulk.cost import DEFAULT_LIMITS, ReadingLimits
from reconciler.labelstudio.bulk.task_reader import read_tasks
from reconciler.progress import NULL_PROGRESS, ProgressListener
from reconciler.sandbox.state import State
from tests.unit.labelstudio.wired import Hook, Hooked, Scripted, api_of, query_of

Answered = list[tuple[int, Observed]]
Answers = Callable[..., Answered]
"""`answers`, where something is given beforehand."""


def answers(
    transport: Hooked | Scripted,
    wanted: Mapping[int | None, Sequence[int]],
    *,
    progress: ProgressListener = NULL_PROGRESS,
    limits: ReadingLimits = DEFAULT_LIMITS,
    at_once: int = 1,
) -> Answered:
    """All that is said of the tasks that are wanted, in the order in which it is said."""
    with api_of(transport, limits=limits, at_once=at_once) as api:
        return list(chain.from_iterable(read_tasks(api, wanted, ["overlap"], progress=progress)))


def of_kind(answered: Answered, kind: type[Found | Missing | Unreadable]) -> list[int]:
    return sorted(task for task, observed in answered if isinstance(observed, kind))


def each_once(answered: Answered) -> list[int]:
    """The ids that were answered, which must be as many as the answers."""
    told = sorted(task for task, _ in answered)
    assert len(set(told)) == len(told)
    return told


def text_of(answered: Answered, task: int) -> Json:
    observed = dict(answered)[task]
    assert isinstance(observed, Found)
    data = observed.attributes["data"]
    assert isinstance(data, dict)
    return data["text"]


def create(state: State, task: int, *, project: int, text: str = "New.") -> None:
    state.add_task(state.projects[project], {"data": {"text": text}}, number=task)


def delete(state: State, *tasks: int) -> None:
    for task in tasks:
        project = state.projects[state.tasks.pop(task).project]
        project.task_ids.remove(task)


def edit(state: State, task: int, text: str) -> None:
    state.tasks[task].values["data"] = {"text": text}


def move(state: State, task: int, *, project: int) -> None:
    state.projects[state.tasks[task].project].task_ids.remove(task)
    insort(state.projects[project].task_ids, task)
    state.tasks[task].values["project"] = project


def poison(state: State, *tasks: int) -> None:
    """Store data as real servers do for ``{"data": 1}``: every answer with the task fails."""
    for task in tasks:
        state.tasks[task].values["data"] = 1


def once(state: State, when: Callable[[httpx.Request], bool], do: Callable[[], None]) -> Hook:
    """A hook that does something once, before the first request of which ``when`` holds.

    Pages are fetched by threads: what is done before one page may come before or after another.
    """
    done = threading.Event()

    def hook(request: httpx.Request) -> None:
        with state.lock:
            if not done.is_set() and when(request):
                done.set()
                do()

    return hook


def after_the_first(state: State, do: Callable[[], None]) -> Hook:
    """A hook that does something between the first request and all others."""
    return once(state, lambda request: query_of(request).get("page") != "1", do)


def ids_of(request: httpx.Request) -> list[int] | None:
    """The ids that a request for a list selects, None where it selects none."""
    text = query_of(request).get("query")
    return json.loads(text)["selectedItems"]["included"] if text else None


def whole_pages(requests: Iterable[httpx.Request]) -> list[tuple[int, int]]:
    """Number and size of each page of a whole project that was asked for, in order of number."""
    pages = [
        query_of(request)
        for request in requests
        if request.url.path == "/api/tasks/" and ids_of(request) is None
    ]
    return sorted((int(query["page"]), int(query["page_size"])) for query in pages)


def selections(requests: Iterable[httpx.Request]) -> list[list[int]]:
    """The ids of each request for a selection, in the order in which they were sent."""
    return [ids for request in requests if (ids := ids_of(request)) is not None]


def by_id(requests: Iterable[httpx.Request]) -> list[int]:
    """The tasks that were asked for one by one."""
    paths = [request.url.path for request in requests]
    return [int(path.split("/")[3]) for path in paths if path != "/api/tasks/"]
