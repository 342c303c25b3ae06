"""Servers that cannot answer at length, and tasks that break every answer they are in."""

from __future__ import annotations

import httpx
import pytest

from reconciler.core.model import Found, Unreadable
from reconciler.errors import Broken
from tests.unit.labelstudio.bulk.changing import (
    Answers,
    each_once,
    ids_of,
    of_kind,
    once,
    poison,
    selections,
)
from tests.unit.labelstudio.wired import Hook, Hooked, add_tasks, query_of, sandbox_with

TASKS = 2600
ALL = range(1, TASKS + 1)


def project_of(count: int = TASKS) -> Hooked:
    return Hooked(sandbox_with(count))


# Servers that cannot answer at length


@pytest.mark.parametrize("kind", ["json", "page of a proxy"])
@pytest.mark.parametrize("most", [499, 200, 60, 7])
def test_addresses_that_are_too_long_are_made_shorter_and_stay_so(
    answers: Answers, most: int, kind: str
):
    transport = project_of(0)
    add_tasks(transport.state, range(10_000, 100_000, 10), project=9)
    wanted = [*range(10_000, 100_000, 60)]

    def too_long(request: httpx.Request) -> httpx.Response | None:
        ids = ids_of(request)
        if ids is None or len(ids) <= most:
            return None
        if kind == "json":
            return httpx.Response(414, json={"detail": "too long"})
        return httpx.Response(414, html="<title>414 Request-URI Too Large</title>")

    transport.hook = too_long
    answered = answers(transport, {9: wanted})
    assert each_once(answered) == of_kind(answered, Found) == wanted
    sizes = [len(ids) for ids in selections(transport.requests)]
    refused = [size for size in sizes if size > most]
    # Each halving costs what was under way by then, and the last leaves more than half of it.
    assert len(refused) <= 4 * len(range(most.bit_length(), 10))
    assert len(sizes) - len(refused) <= len(wanted) // (most // 2) + 4


def too_heavy_above(most: int, status: int | None) -> Hook:
    def hook(request: httpx.Request) -> httpx.Response | None:
        if int(query_of(request).get("page_size", 0)) <= most:
            return None
        if status is None:
            raise httpx.ReadTimeout("timed out", request=request)
        return httpx.Response(status, html="<title>Gateway</title>")

    return hook


@pytest.mark.parametrize("status", [413, 502, 504, None])
def test_pages_that_are_too_heavy_are_halved_until_the_server_can_give_them(
    answers: Answers, status: int | None
):
    transport = project_of()
    transport.hook = too_heavy_above(250, status)
    answered = answers(transport, {7: ALL})
    assert each_once(answered) == of_kind(answered, Found) == list(ALL)
    # 1,000 and 500 in vain, then 250 at a time.
    assert len(transport.requests) <= 2 + 11 + 8


@pytest.mark.parametrize("status", [413, 502, 504, None])
def test_pages_that_become_too_heavy_later_are_halved_as_well(answers: Answers, status: int | None):
    transport = project_of(10_000)
    heavy = too_heavy_above(250, status)
    transport.hook = lambda request: heavy(request) if len(transport.requests) > 1 else None
    wanted = range(1, 10_001)
    answered = answers(transport, {7: wanted})
    assert each_once(answered) == of_kind(answered, Found) == list(wanted)
    # 36 pages of 250, and each halving costs what was under way.
    assert len(transport.requests) <= 1 + 36 + 2 * 8


@pytest.mark.parametrize("status", [413, 502, 504, None])
def test_selections_that_are_too_heavy_are_halved_until_the_server_can_give_them(
    answers: Answers, status: int | None, at_once: int
):
    transport = project_of(400)
    transport.hook = too_heavy_above(130, status)
    answered = answers(transport, {7: range(1, 401)})
    assert each_once(answered) == of_kind(answered, Found) == list(range(1, 401))
    # 400 in vain, its halves that were under way as well, and then 100 at a time. After a 502 each
    # is asked for once more: it may have been a restart.
    in_vain = 1 + min(at_once, 2)
    assert len(transport.requests) == in_vain * (2 if status == 502 else 1) + 4


def test_a_broken_task_is_found_also_where_large_answers_are_too_heavy(answers: Answers):
    """The left half fails on its first task, at once; the right half is too much to answer."""
    transport = project_of(500)
    poison(transport.state, 1)
    heavy = too_heavy_above(130, 504)
    transport.hook = lambda request: None if 1 in (ids_of(request) or ()) else heavy(request)
    answered = answers(transport, {7: range(1, 501)})
    assert each_once(answered) == list(range(1, 501))
    assert of_kind(answered, Unreadable) == [1]
    assert of_kind(answered, Found) == list(range(2, 501))


# Tasks that break every answer they are in


@pytest.mark.parametrize(
    ("broken", "requests"),
    [
        ([1], 1 + 6 + 20),
        ([TASKS], 3 + 2 + 10),
        ([1300], 3 + 2 + 20),
        ([1, 1000, 1001, 1300, 2600], 1 + 6 + 5 * 20),
        ([1298, 1299, 1300, 1301, 1302], 3 + 2 + 5 * 20),
    ],
)
def test_broken_tasks_of_a_project_read_by_pages_are_found_by_halves(
    answers: Answers, broken: list[int], requests: int
):
    transport = project_of()
    poison(transport.state, *broken)
    answered = answers(transport, {7: ALL})
    assert each_once(answered) == list(ALL)
    assert of_kind(answered, Unreadable) == broken
    assert len(of_kind(answered, Found)) == TASKS - len(broken)
    # The pages, those selected in their place, of each batch that breaks two a halving, and
    # each broken task once more, and once without its data.
    assert len(transport.requests) <= requests


def test_a_server_that_fails_from_the_third_page_on_is_given_up(answers: Answers):
    transport = project_of(60_000)
    failure = httpx.Response(500, json={"detail": "database is down"})

    def failing(request: httpx.Request) -> httpx.Response | None:
        return failure if query_of(request).get("page") not in {"1", "2"} else None

    transport.hook = failing
    with pytest.raises(Broken, match="database is down"):
        answers(transport, {7: range(1, 60_001)})
    # Twenty pages in a row, and those that were under way.
    assert len(transport.requests) <= 2 + 20 + 4


def test_a_server_that_fails_for_good_after_two_pages_of_a_small_project_is_given_up(
    answers: Answers,
):
    transport = project_of(4000)
    failure = httpx.Response(500, json={"detail": "database is down"})
    down = once(transport.state, lambda request: query_of(request).get("page") == "3", lambda: None)

    def failing(request: httpx.Request) -> httpx.Response | None:
        down(request)
        early = ids_of(request) is None and query_of(request).get("page") in {"1", "2"}
        return None if early else failure

    transport.hook = failing
    with pytest.raises(Broken, match="database is down"):
        answers(transport, {7: range(1, 4001)})
    assert len(transport.requests) <= 110
