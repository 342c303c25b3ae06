"""Reading in order of id: each task once, whatever happens meanwhile."""

from __future__ import annotations

from itertools import chain

import httpx
import pytest

from reconciler.core.model import Found, Unreadable
from reconciler.core.values import UNREADABLE
from reconciler.errors import Broken, NoSuchProject, NotLabelStudio
from reconciler.labelstudio.bulk.cost import ReadingLimits
from reconciler.labelstudio.bulk.ordered_pages import read_in_order
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import new_state
from tests.unit.labelstudio.wired import Hooked, Scripted, api_of


def sandbox(count: int) -> State:
    state = new_state()
    project = state.add_project("reviews")
    for number in range(count):
        state.add_task(project, {"data": {"text": f"t {number}"}})
    return state


def limits(size: int) -> ReadingLimits:
    return ReadingLimits(page_size=size)


def test_no_task_is_missed_or_repeated_while_others_come_and_go() -> None:
    state = sandbox(40)
    wire = Hooked(state)

    def move(_: httpx.Request) -> None:
        """Delete the first task, and create one, before each page."""
        project = state.projects[1]
        first = project.task_ids.pop(0)
        del state.tasks[first]
        state.add_task(project, {"data": {"text": "new"}})

    wire.hook = move
    with api_of(wire, limits=limits(5)) as api:
        read = [t for batch in read_in_order(api, 1, {"overlap"}) for t in batch.found]

    assert read == sorted(set(read))
    assert set(range(15, 41)) <= set(read)


def test_the_ids_are_bounded() -> None:
    with api_of(Hooked(sandbox(9)), limits=limits(2)) as api:
        read = [t for b in read_in_order(api, 1, (), after=2, up_to=7) for t in b.found]

    assert read == [3, 4, 5, 6, 7]


def test_broken_tasks_are_found_and_the_others_are_read() -> None:
    state = sandbox(20)
    for task in (1, 7, 8, 20):
        state.tasks[task].values["data"] = 7
    state.tasks[12].values["data"] = {"text": "\ud800"}
    with api_of(Hooked(state), limits=limits(6)) as api:
        read = dict(chain.from_iterable(read_in_order(api, 1, ())))

    assert sorted(read) == list(range(1, 21))
    assert [task for task, one in read.items() if isinstance(one, Unreadable)] == [1, 7, 8, 20]
    damaged = read[12]
    assert isinstance(damaged, Found)
    assert damaged.attributes["data"] is UNREADABLE


def test_a_server_that_fails_on_everything_ends_the_run() -> None:
    state = sandbox(60)
    for task in state.tasks.values():
        task.values["data"] = 7
    with api_of(Hooked(state)) as api, pytest.raises(Broken):
        list(read_in_order(api, 1, ()))


def test_a_project_that_does_not_exist_is_named() -> None:
    with api_of(Hooked(sandbox(1))) as api, pytest.raises(NoSuchProject):
        list(read_in_order(api, 9, ()))


def test_a_server_that_ignores_the_filter_is_noticed() -> None:
    row = {"id": 1, "project": 1, "data": {}}
    wire = Scripted(lambda _: httpx.Response(200, json={"total": 5, "tasks": [row]}))

    with api_of(wire) as api, pytest.raises(NotLabelStudio, match="does not list tasks after"):
        list(read_in_order(api, 1, ()))
