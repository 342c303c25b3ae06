"""Pages that grow with the project, and what becomes of those that the server does not give."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import httpx
import pytest

from reconciler.core.model import Found, Missing, Unreadable
from reconciler.labelstudio.bulk.cost import ReadingLimits
from reconciler.labelstudio.bulk.read_concurrency import AT_ONCE
from tests.unit.labelstudio.bulk.changing import (
    Answers,
    after_the_first,
    answers,
    delete,
    each_once,
    of_kind,
    poison,
    selections,
    whole_pages,
)
from tests.unit.labelstudio.wired import Hook, Hooked, Noted, add_tasks, query_of, sandbox_with

TASKS = 1150
ALL = range(1, TASKS + 1)
FIRST = 100
"""What the first page holds here; the largest hold 400."""

GROWING = [(1, 100), (2, 100), (2, 200), (2, 400), (3, 400)]


SMALL = ReadingLimits(page_size=FIRST, page_size_max=4 * FIRST, pages_min=2)
"""Sizes of a tenth, and growth in projects of a hundredth."""


@pytest.fixture(name="answers", params=[1, AT_ONCE], ids="{} at once".format)
def answers_at_once(request: pytest.FixtureRequest) -> Answers:
    """What is answered with one read under way, and with several."""
    return partial(answers, limits=SMALL, at_once=request.param)


def project_of(count: int = TASKS) -> Hooked:
    return Hooked(sandbox_with(count))


def above(most: int, answer: Hook) -> Hook:
    """A hook that answers in the place of pages of the project that hold more than ``most``."""

    def hook(request: httpx.Request) -> httpx.Response | None:
        query = query_of(request)
        larger = int(query.get("page_size", 0)) > most
        return answer(request) if larger and "query" not in query else None

    return hook


def cut_off(request: httpx.Request) -> httpx.Response:
    raise httpx.RemoteProtocolError("the connection ended within the answer", request=request)


def too_late(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("timed out", request=request)


def status(code: int) -> Hook:
    return lambda _: httpx.Response(code, html="<title>No</title>")


def test_pages_grow_with_the_project_each_no_larger_than_all_before_it(answers: Answers):
    transport = project_of()
    answered = answers(transport, {7: ALL})
    assert each_once(answered) == of_kind(answered, Found) == list(ALL)
    assert sorted(whole_pages(transport.requests)) == sorted(GROWING)
    assert len(transport.requests) == len(GROWING)


@pytest.mark.parametrize("most", [FIRST, 150, 200, 250, 350, 399])
def test_a_server_that_cuts_pages_behind_the_first_is_read_in_pages_as_large_as_that(
    answers: Answers, most: int
):
    transport = project_of()
    elsewhere = range(5001, 5501)
    add_tasks(transport.state, elsewhere, project=8)
    transport.state.page_size_max = most
    wanted = [*ALL, *elsewhere]
    answered = answers(transport, {7: wanted})
    assert each_once(answered) == of_kind(answered, Found) == wanted
    # 12 pages, and those under way when the first came cut.
    assert len(whole_pages(transport.requests)) <= 12 + AT_ONCE
    # They show the whole project: of the other tasks one batch is asked for there, and not all.
    queries = map(query_of, transport.requests)
    there = [query for query in queries if query.get("project") == "7" and "query" in query]
    assert len(there) == 1
    assert selections(transport.requests)[0] == list(elsewhere)[:FIRST]


def test_a_larger_page_with_fewer_tasks_than_there_were_is_not_taken_for_cut(answers: Answers):
    transport = project_of()
    gone = range(1101, TASKS + 1)
    transport.hook = after_the_first(transport.state, lambda: delete(transport.state, *gone))
    answered = answers(transport, {7: ALL})
    assert of_kind(answered, Missing) == list(gone)
    assert whole_pages(transport.requests) == sorted(GROWING)


FAILURES = {
    "a proxy restarts": status(502),
    "too busy": status(503),
    "a gateway gives up": status(504),
    "too large": status(413),
    "too many requests": status(429),
    "a proxy of another kind": status(524),
    "cut off": cut_off,
    "too late": too_late,
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("most", [FIRST, 200])
def test_whatever_keeps_a_server_from_a_larger_page_it_is_asked_for_smaller_ones(
    answers: Answers, most: int, failure: Hook
):
    transport = project_of(3150)
    transport.hook = above(most, failure)
    answered = answers(transport, {7: range(1, 3151)})
    assert each_once(answered) == of_kind(answered, Found) == list(range(1, 3151))
    # 32 pages, and those under way when the first failed once in vain.
    assert len(transport.requests) <= 32 + AT_ONCE


@pytest.mark.parametrize("most", [FIRST, 200])
def test_a_server_that_fails_on_every_larger_page_is_asked_for_each_in_parts(
    answers: Answers, most: int
):
    transport = project_of(3150)
    transport.hook = above(most, status(500))
    answered = answers(transport, {7: range(1, 3151)})
    assert each_once(answered) == of_kind(answered, Found) == list(range(1, 3151))
    # A task in it may be broken: that says nothing of the others. One of 200, seven of 400.
    assert len(transport.requests) <= 32 + 8


def test_a_server_that_asks_to_wait_is_asked_for_the_same_page_after_that(answers: Answers):
    transport = project_of()
    refused: list[httpx.Request] = []

    def busy(request: httpx.Request) -> httpx.Response | None:
        if refused:
            return None
        refused.append(request)
        return httpx.Response(429, headers={"Retry-After": "2"}, json={"detail": "slow down"})

    transport.hook = above(200, busy)
    answered = answers(transport, {7: ALL})
    assert each_once(answered) == of_kind(answered, Found) == list(ALL)
    sizes = [size for _, size in whole_pages(transport.requests)]
    assert sorted(sizes) == [100, 100, 200, 400, 400, 400]


def test_a_broken_task_in_each_of_many_large_pages_keeps_nothing_else_from_being_read(
    answers: Answers,
):
    transport = project_of(12_000)
    broken = range(300, 12_000, 400)
    poison(transport.state, *broken)
    wanted = range(1, 12_001)
    answered = answers(transport, {7: wanted})
    assert each_once(answered) == list(wanted)
    assert of_kind(answered, Unreadable) == list(broken)
    sizes = [size for _, size in whole_pages(transport.requests)]
    assert (sizes.count(FIRST), sizes.count(200), sizes.count(400)) == (120, 1, 29)
    # What 30 of the smaller pages would have shown is asked for by ids: in vain, and by halves.
    assert len(transport.requests) <= 150 + len(broken) * (1 + 2 * 7)


def test_tasks_deleted_while_larger_pages_are_read_are_missing_and_no_others(answers: Answers):
    transport = project_of()
    gone = [150, 350, 351, 900, 1150]
    transport.hook = after_the_first(transport.state, lambda: delete(transport.state, *gone))
    answered = answers(transport, {7: ALL})
    assert each_once(answered) == list(ALL)
    assert of_kind(answered, Missing) == gone


@pytest.mark.parametrize("total", [0, 99, 100, 101, 1149, 1151, 10_000, 10**6, 10**15])
def test_a_total_that_is_not_so_hides_no_task_and_the_reading_ends(answers: Answers, total: int):
    transport = project_of()

    def lie(request: httpx.Request) -> httpx.Response | None:
        answer = super(Hooked, transport).handle_request(request)
        good = answer.status_code == 200
        return httpx.Response(200, json=answer.json() | {"total": total}) if good else answer

    transport.hook = above(0, lie)
    answered = answers(transport, {7: ALL})
    assert each_once(answered) == of_kind(answered, Found) == list(ALL)
    assert len(transport.requests) <= 24


def test_whether_pages_or_ids_are_read_does_not_depend_on_how_large_pages_may_become(
    answers: Answers,
):
    """A larger page saves requests, and not the time for tasks that nobody wants."""
    transport = project_of(12_000)
    wanted = range(1, 12_001, 2)
    answered = answers(transport, {7: wanted})
    assert each_once(answered) == of_kind(answered, Found) == list(wanted)
    assert whole_pages(transport.requests) == [(1, FIRST)]
    assert len(selections(transport.requests)) <= 60


def test_what_pages_cost_is_told_as_they_grow(answers: Answers):
    noted = Noted()
    answers(project_of(), {7: ALL}, progress=noted)
    (detail,) = noted.details
    assert "reading the rest by whole-project pages (4 requests, about 0.3 s) instead of" in detail


def test_pages_do_not_grow_where_the_first_could_not_be_as_large_as_asked_for(answers: Answers):
    transport = project_of()
    transport.hook = above(60, status(504))
    answered = answers(transport, {7: ALL})
    assert each_once(answered) == of_kind(answered, Found) == list(ALL)
    assert {size for _, size in whole_pages(transport.requests)} == {100, 50}


@pytest.mark.parametrize(
    "limits",
    [replace(SMALL, page_bytes=10_000), replace(SMALL, page_seconds=1e-9)],
    ids=["as long", "as late"],
)
def test_pages_do_not_grow_where_the_first_is_as_any_may_be(
    answers: Answers, limits: ReadingLimits
):
    transport = project_of()
    answered = answers(transport, {7: ALL}, limits=limits)
    assert each_once(answered) == of_kind(answered, Found) == list(ALL)
    assert {size for _, size in whole_pages(transport.requests)} == {FIRST}
