"""Reading many tasks: how many requests it takes, and what is said of each task."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import httpx
import pytest

from reconciler.core.model import Found, Missing, Observed, Unreadable
from reconciler.core.values import UNREADABLE
from reconciler.errors import Broken, NotFound, NotLabelStudio
from reconciler.labelstudio.bulk import task_reader
from reconciler.labelstudio.bulk.cost import ReadingLimits
from reconciler.labelstudio.bulk.task_reader import read_tasks, read_whole_project
from reconciler.sandbox.state import State
from tests.unit.labelstudio.wired import (
    Hooked,
    Scripted,
    add_tasks,
    api_of,
    query_of,
    sandbox_with,
    selected,
)

Wanted = Mapping[int, int | None]


def read(
    transport: Hooked | Scripted, wanted: Wanted, names: Sequence[str] = ("overlap",)
) -> dict[int, Observed]:
    by_project: dict[int | None, list[int]] = {}
    for number, project in sorted(wanted.items()):
        by_project.setdefault(project, []).append(number)
    with api_of(transport) as api:
        return dict(chain.from_iterable(read_tasks(api, by_project, names)))


def in_project(project: int | None, numbers: Sequence[int]) -> Wanted:
    return dict.fromkeys(numbers, project)


def poison(state: State, *tasks: int) -> None:
    """Store data as real servers do for ``{"data": 1}``: every answer with the task fails."""
    for task in tasks:
        state.tasks[task].values["data"] = 1


def all_found(observed: Mapping[int, Observed]) -> bool:
    return all(isinstance(found, Found) for found in observed.values())


@pytest.mark.parametrize(
    ("tasks", "requests"), [(1, 1), (500, 1), (501, 1), (1000, 1), (1001, 2), (2600, 3)]
)
def test_a_whole_project_is_read_a_thousand_tasks_a_request(tasks: int, requests: int):
    transport = Hooked(sandbox_with(tasks))
    observed = read(transport, in_project(7, range(1, tasks + 1)))
    assert len(observed) == tasks
    assert all_found(observed)
    assert len(transport.requests) == requests


def test_nothing_is_asked_about_no_tasks():
    transport = Hooked(sandbox_with(1))
    assert read(transport, {}) == {}
    assert transport.requests == []


def test_a_request_names_the_tasks_and_the_attributes_and_wants_no_address_resolved():
    transport = Hooked(sandbox_with(3))
    read(transport, in_project(7, [3, 1]), ["overlap", "meta"])
    assert query_of(transport.requests[0]) == {
        "project": "7",
        "page": "1",
        "page_size": "2",
        "include": "data,id,meta,overlap,project",
        "query": '{"selectedItems":{"all":false,"included":[1,3]}}',
        "resolve_uri": "false",
    }


@pytest.mark.parametrize(
    ("name", "fields"), [("overlap", None), ("avg_lead_time", "all"), ("draft_exists", "all")]
)
def test_all_fields_are_asked_for_only_where_the_short_list_lacks_one(
    name: str, fields: str | None
):
    transport = Hooked(sandbox_with(1))
    assert all_found(read(transport, {1: 7}, [name]))
    assert query_of(transport.requests[0]).get("fields") == fields


def test_long_ids_are_packed_so_that_addresses_stay_below_eight_kilobytes():
    numbers = range(10**18, 10**18 + 500)
    state = sandbox_with(0)
    add_tasks(state, numbers, project=8)
    transport = Hooked(state)
    observed = read(transport, in_project(8, numbers), ["overlap", "last_comment_updated_at"])
    assert all_found(observed)
    assert len(transport.requests) == 2
    assert max(len(str(request.url)) for request in transport.requests) < 8_000


def test_pages_that_come_shorter_than_asked_are_all_read():
    transport = Hooked(sandbox_with(20))
    transport.state.page_size_max = 7
    assert all_found(read(transport, in_project(7, range(1, 21))))
    assert [query_of(request)["page"] for request in transport.requests] == ["1", "2", "3"]


@pytest.mark.parametrize(("broken", "requests"), [(1, 9), (4, 8), (8, 7)])
def test_a_broken_task_costs_its_halvings_and_little_more(broken: int, requests: int):
    transport = Hooked(sandbox_with(8))
    poison(transport.state, broken)
    observed = read(transport, in_project(7, range(1, 9)))
    assert [n for n, o in observed.items() if isinstance(o, Unreadable)] == [broken]
    assert sum(isinstance(o, Found) for o in observed.values()) == 7
    # 8; then the left half of each, and the right one only where the left is broken; at last 1,
    # which is asked for twice, as a failure may pass, and once more without its data.
    assert len(transport.requests) == requests


def test_five_broken_tasks_among_five_hundred_are_found_in_few_requests():
    transport = Hooked(sandbox_with(500))
    broken = [1, 2, 250, 333, 500]
    poison(transport.state, *broken)
    observed = read(transport, in_project(7, range(1, 501)))
    assert [n for n, o in sorted(observed.items()) if isinstance(o, Unreadable)] == broken
    assert len(transport.requests) == 48 + 5 + 5
    assert len(observed) == 500


def test_what_the_server_said_of_a_broken_task_is_kept():
    transport = Hooked(sandbox_with(2))
    poison(transport.state, 2)
    said = read(transport, {1: 7, 2: 7})[2]
    assert said == Unreadable(
        "the server failed on this task: GET http://label-studio.test/api/tasks/ returned "
        "500: argument of type 'int' is not iterable"
    )


def test_a_broken_task_whose_project_is_not_known_is_told_as_broken_too():
    transport = Hooked(sandbox_with(3))
    poison(transport.state, 1)
    observed = read(transport, in_project(None, [1, 2, 3]))
    assert [type(observed[task]) for task in (1, 2, 3)] == [Unreadable, Found, Found]
    # Two for the first, one for each of the others, and their list.
    assert len(transport.requests) == 2 + 2 + 1


def test_a_task_that_no_list_shows_is_missing_only_by_its_own_404():
    transport = Hooked(sandbox_with(3))
    observed = read(transport, in_project(7, [1, 2, 3, 98, 99]))
    assert observed[98] == observed[99] == Missing()
    assert [request.url.path for request in transport.requests] == [
        "/api/tasks/",
        "/api/tasks/98/",
        "/api/tasks/99/",
    ]


def test_thirty_tasks_in_another_project_than_declared_cost_two_requests_more():
    state = sandbox_with(1)
    add_tasks(state, range(101, 131), project=8)
    transport = Hooked(state)
    observed = read(transport, in_project(7, [1, *range(101, 131)]))
    assert all_found(observed)
    found = observed[130]
    assert isinstance(found, Found)
    assert found.attributes["project"] == 8
    assert [request.url.path for request in transport.requests] == [
        "/api/tasks/",
        "/api/tasks/101/",
        "/api/tasks/",
    ]


def test_tasks_of_three_projects_that_nobody_named_cost_two_requests_a_project():
    state = sandbox_with(50)
    add_tasks(state, range(101, 151), project=8)
    add_tasks(state, range(201, 251), project=9)
    transport = Hooked(state)
    numbers = [*range(1, 51), *range(101, 151), *range(201, 251)]
    assert all_found(read(transport, in_project(None, numbers)))
    assert len(transport.requests) == 6


def test_a_server_that_fails_on_everything_is_given_up_after_a_bounded_number_of_requests():
    transport = Scripted(lambda _: httpx.Response(500, json={"detail": "database is down"}))
    with pytest.raises(Broken, match="database is down"):
        read(transport, in_project(7, range(1, 5001)))
    assert len(transport.requests) <= 100


def test_a_server_that_begins_to_fail_midway_is_given_up_as_well():
    transport = Hooked(sandbox_with(5000))
    failure = httpx.Response(500, json={"detail": "database is down"})
    transport.hook = lambda _: failure if len(transport.requests) > 1 else None
    with pytest.raises(Broken, match="database is down"):
        read(transport, in_project(7, range(1, 5001)))
    assert len(transport.requests) <= 100


def test_a_task_that_may_not_be_seen_is_unreadable_and_the_others_are_read():
    transport = Hooked(sandbox_with(2))
    transport.hook = lambda request: (
        httpx.Response(403, json={"detail": "You do not have permission."})
        if request.url.path == "/api/tasks/99/"
        else None
    )
    observed = read(transport, in_project(7, [1, 2, 99]))
    assert all_found({task: observed[task] for task in (1, 2)})
    assert isinstance(observed[99], Unreadable)
    assert "permission" in observed[99].detail


def test_tasks_that_their_list_does_not_show_are_unreadable_and_cost_one_request_each():
    transport = Hooked(sandbox_with(300))
    empty = httpx.Response(200, json={"total": 0, "tasks": []})
    transport.hook = lambda request: empty if request.url.path == "/api/tasks/" else None
    observed = read(transport, in_project(7, range(1, 301)))
    assert {type(one) for one in observed.values()} == {Unreadable}
    # The list, each task, and the list once more, as it may have moved meanwhile.
    assert len(transport.requests) == 1 + 300 + 1


def test_what_a_task_holds_is_never_read_from_a_single_read():
    state = sandbox_with(30)
    add_tasks(state, range(0), project=8)
    transport = Hooked(state)
    asked = {**in_project(None, range(1, 40)), **in_project(8, [7])}
    read(transport, asked)
    alone = [query_of(r)["include"] for r in transport.requests if r.url.path != "/api/tasks/"]
    assert set(alone) == {"id,project"}


def test_a_task_whose_project_the_server_does_not_tell_is_unreadable():
    transport = Scripted(lambda _: httpx.Response(200, json={"id": 1}))
    observed = read(transport, in_project(None, [1]))[1]
    assert isinstance(observed, Unreadable)
    assert "which project the task is in" in observed.detail
    assert "declare" in observed.hint


def test_pages_that_bring_nothing_new_are_the_last_whatever_the_total_says():
    rows: list[dict[str, object]] = [{"id": task, "project": 7, "data": {}} for task in (1, 2)]
    page = httpx.Response(200, json={"total": 10**9, "tasks": rows})
    transport = Scripted(lambda _: page)
    assert all_found(read(transport, in_project(7, [1, 2])))
    assert len(transport.requests) == 2


def test_a_page_that_says_two_things_of_one_task_is_refused():
    rows = [{"id": 1, "data": {"a": 1}}, {"id": 1, "data": {"a": 2}}]
    transport = Scripted(lambda _: httpx.Response(200, json={"total": 2, "tasks": rows}))
    with pytest.raises(NotLabelStudio, match="did not return the requested tasks"):
        read(transport, in_project(7, [1]))


def test_an_id_that_is_no_integer_is_not_taken_for_one():
    row = {"id": 1.0, "project": 7, "data": {}}
    transport = Scripted(lambda _: httpx.Response(200, json={"total": 1, "tasks": [row]}))
    with pytest.raises(NotLabelStudio, match="did not return the requested tasks"):
        read(transport, in_project(7, [1]))


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_server_that_is_not_there_is_given_up_after_a_bounded_number_of_requests(status: int):
    transport = Scripted(lambda _: httpx.Response(status, html="<title>Gateway</title>"))
    for tasks in (500, 5000):
        transport.requests.clear()
        with pytest.raises(Broken):
            read(transport, in_project(7, range(1, tasks + 1)))
        assert len(transport.requests) <= 45


def test_a_project_that_is_not_there_is_told_with_its_number():
    with pytest.raises(NotFound) as failed:
        read(Hooked(sandbox_with(1)), {1: 70})
    assert failed.value.message.startswith("project 70 does not exist")
    assert failed.value.hint.startswith("correct the project in the manifest")


def page_of(total: int, *tasks: object) -> httpx.Response:
    return httpx.Response(200, json={"total": total, "tasks": list(tasks)})


def task(number: int) -> dict[str, Any]:
    return {"id": number, "project": 7, "overlap": 1, "data": {}}


def test_tasks_that_vanish_between_two_pages_end_the_list_and_are_asked_for():
    def vanishing(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/api/tasks/":
            return httpx.Response(404, json={"detail": "No Task matches the given query."})
        if query_of(request)["page"] == "1":
            return page_of(2, task(1))
        return httpx.Response(404, json={"detail": "Invalid page."})

    assert read(Scripted(vanishing), {1: 7, 2: 7}) == {1: Found(task(1)), 2: Missing()}


def test_a_list_that_counts_more_tasks_than_it_gives_is_not_read_for_ever():
    def boasting(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/tasks/":
            first = query_of(request)["page"] == "1"
            return page_of(9, *([task(1)] if first and 1 in selected(request) else []))
        return httpx.Response(200, json=task(2))

    transport = Scripted(boasting)
    observed = read(transport, {1: 7, 2: 7})
    assert [type(observed[number]) for number in (1, 2)] == [Found, Unreadable]
    # Two pages, the task alone, and the list once more.
    assert len(transport.requests) == 4


def test_a_task_that_is_listed_without_its_project_is_asked_for_by_its_id():
    """So Label Studio lists tasks while they are being deleted together with others."""

    def deleting(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/tasks/":
            return page_of(2, task(1), {**task(2), "project": None})
        return httpx.Response(404, json={"detail": "No Task matches the given query."})

    assert read(Scripted(deleting), {1: 7, 2: 7}) == {1: Found(task(1)), 2: Missing()}


@pytest.mark.parametrize(
    "answer",
    [
        page_of(1, {**task(2), "project": 8}),
        page_of(1, task(5)),
        page_of(1, {"overlap": 1}),
        page_of(1, {"id": True}),
        page_of(1, 1),
        page_of(-1, task(2)),
        httpx.Response(200, json={"tasks": [task(2)]}),
        httpx.Response(200, json={"total": 1, "tasks": {}}),
        httpx.Response(200, json=[task(2)]),
        httpx.Response(200, content=b"null"),
    ],
)
def test_a_list_of_something_else_than_asked_for_is_no_list(answer: httpx.Response):
    with pytest.raises(NotLabelStudio, match="did not return the requested tasks"):
        read(Scripted(lambda _: answer), {2: 7, 3: 7})


@pytest.mark.parametrize("body", [task(3), {"overlap": 1}, [task(2)], None])
def test_a_response_about_another_task_is_an_error(body: object):
    answer = httpx.Response(200, content=json.dumps(body))
    with pytest.raises(NotLabelStudio, match="returned something else instead of task 2"):
        read(Scripted(lambda _: answer), {2: None})


def test_thousands_of_missing_tasks_end_a_run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(task_reader, "MISSING_MAX", 20)
    transport = Hooked(sandbox_with(3))

    with pytest.raises(NotFound, match="more than 20 declared tasks do not exist"):
        read(transport, in_project(7, range(1, 200)))
    assert len(transport.requests) < 40


def read_all(state: State, limits: ReadingLimits) -> dict[int, Observed]:
    with api_of(Hooked(state), limits=limits) as api:
        batches = list(read_whole_project(api, 7, {"overlap"}))
    seen = [task for batch in batches for task, _ in batch]
    assert len(seen) == len(set(seen))
    return dict(chain.from_iterable(batches))


SMALL = ReadingLimits(page_size=20, size_min=5)


@pytest.mark.parametrize("damaged", [(7, 50), (1,), (60,), tuple(range(1, 25))])
def test_a_whole_project_is_read_with_its_damaged_tasks(damaged: tuple[int, ...]):
    state = sandbox_with(60)
    for task in damaged:
        state.tasks[task].values["data"] = {"text": "half a pair: \ud800"}

    found = read_all(state, SMALL)

    assert sorted(found) == list(range(1, 61))
    unreadable = {
        task
        for task, observed in found.items()
        if isinstance(observed, Found) and observed.attributes["data"] is UNREADABLE
    }
    assert unreadable == {*damaged}


def test_a_project_whose_lists_are_broken_cannot_be_read_as_a_whole():
    state = sandbox_with(60)
    poison(state, 30)

    with pytest.raises(Broken, match="does not list all tasks of project 7"):
        read_all(state, SMALL)
