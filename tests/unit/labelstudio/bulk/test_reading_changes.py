"""A server that changes, or says what is not so, while a whole project is read page by page."""

from __future__ import annotations

from functools import partial

import httpx
import pytest

from reconciler.core.model import Found, Missing, Unreadable
from reconciler.errors import Broken
from reconciler.labelstudio.bulk.read_concurrency import AT_ONCE
from tests.unit.labelstudio.bulk.changing import (
    Answers,
    after_the_first,
    answers,
    by_id,
    create,
    delete,
    each_once,
    edit,
    ids_of,
    move,
    of_kind,
    once,
    poison,
    selections,
    text_of,
    whole_pages,
)
from tests.unit.labelstudio.wired import Hooked, add_tasks, query_of, sandbox_with

TASKS = 2600
ALL = range(1, TASKS + 1)


@pytest.fixture(params=[1, AT_ONCE], ids="{} at once".format)
def at_once(request: pytest.FixtureRequest) -> int:
    """How many reads are under way: few answers come here, from which nothing is learned."""
    limit: int = request.param
    return limit


@pytest.fixture(name="answers")
def answers_at_once(at_once: int) -> Answers:
    return partial(answers, at_once=at_once)


def project_of(count: int = TASKS) -> Hooked:
    return Hooked(sandbox_with(count))


def test_tasks_created_between_two_pages_hide_none(answers: Answers):
    transport = project_of()
    state = transport.state
    delete(state, *range(10, 60))

    def created() -> None:
        for task in range(10, 60):
            create(state, task, project=7)

    transport.hook = after_the_first(state, created)
    wanted = [task for task in ALL if not 10 <= task < 60]
    answered = answers(transport, {7: wanted})
    assert each_once(answered) == of_kind(answered, Found) == wanted
    assert len(transport.requests) <= 5


def test_a_wanted_task_created_behind_the_reader_is_found(answers: Answers):
    transport = project_of()
    delete(transport.state, 10)
    transport.hook = after_the_first(
        transport.state, lambda: create(transport.state, 10, project=7)
    )
    answered = answers(transport, {7: ALL})
    assert each_once(answered) == of_kind(answered, Found) == list(ALL)


@pytest.mark.parametrize("gone", [[1], range(1, 101), range(1, 1001), range(600, 1600)])
def test_tasks_deleted_between_two_pages_shift_others_past_the_reader_and_all_are_found(
    answers: Answers, gone: range
):
    """What lay at the beginning of page two then lies at the end of page one, unseen."""
    transport = project_of()
    transport.hook = after_the_first(transport.state, lambda: delete(transport.state, *gone))
    wanted = [task for task in ALL if task not in gone]
    answered = answers(transport, {7: wanted})
    assert each_once(answered) == of_kind(answered, Found) == wanted
    # Pages 1 to 3, at most two selections for those that were passed over, and what is left.
    assert len(transport.requests) <= 6


def test_tasks_deleted_before_their_page_are_missing_by_their_own_404_and_no_others(
    answers: Answers,
):
    transport = project_of()
    gone = [1001, 1500, 2600]
    transport.hook = after_the_first(transport.state, lambda: delete(transport.state, *gone))
    answered = answers(transport, {7: ALL})
    assert each_once(answered) == list(ALL)
    assert of_kind(answered, Missing) == gone
    assert by_id(transport.requests) == gone


def test_a_task_deleted_after_its_page_is_told_as_it_was_seen(answers: Answers):
    transport = project_of()
    transport.hook = after_the_first(transport.state, lambda: delete(transport.state, 5))
    answered = answers(transport, {7: ALL})
    assert each_once(answered) == of_kind(answered, Found) == list(ALL)


def test_one_task_deleted_and_another_created_keep_the_total_and_hide_a_third(answers: Answers):
    """The total says that nothing happened, and the task that nobody has seen is still found."""
    transport = project_of()

    def changed() -> None:
        delete(transport.state, 5)
        create(transport.state, TASKS + 1, project=7)

    transport.hook = after_the_first(transport.state, changed)
    answered = answers(transport, {7: ALL})
    assert each_once(answered) == of_kind(answered, Found) == list(ALL)


def test_a_task_edited_between_two_pages_is_told_as_it_was_on_its_page(answers: Answers):
    transport = project_of()

    def edited() -> None:
        for task in (5, 2000):
            edit(transport.state, task, "Edited.")

    transport.hook = after_the_first(transport.state, edited)
    answered = answers(transport, {7: ALL})
    assert text_of(answered, 5) == "Sentence 5."
    assert text_of(answered, 2000) == "Edited."
    assert each_once(answered) == of_kind(answered, Found) == list(ALL)


def test_tasks_moved_away_while_they_are_read_are_found_where_they_are(answers: Answers):
    transport = project_of()
    add_tasks(transport.state, range(5001, 5002), project=8)

    def moved() -> None:
        for task in range(1990, 2020):
            move(transport.state, task, project=8)

    transport.hook = after_the_first(transport.state, moved)
    answered = answers(transport, {7: ALL})
    assert each_once(answered) == of_kind(answered, Found) == list(ALL)
    lie = {task: found.attributes["project"] for task, found in answered if found != Missing()}
    assert {task for task, project in lie.items() if project == 8} == set(range(1990, 2020))
    # Three pages, a selection of what they did not show, one task by its id, one selection there.
    assert len(transport.requests) == 6


def test_a_server_that_caps_pages_at_a_hundred_is_read_in_pages_of_a_hundred(answers: Answers):
    transport = project_of()
    transport.state.page_size_max = 100
    answered = answers(transport, {7: ALL})
    assert each_once(answered) == of_kind(answered, Found) == list(ALL)
    assert len(transport.requests) <= 27


def test_a_page_that_comes_short_is_made_up_for_by_asking_for_what_it_left_out(answers: Answers):
    transport = project_of()

    def short(request: httpx.Request) -> httpx.Response | None:
        if ids_of(request) is None and query_of(request).get("page") == "2":
            rows = [{"id": n, "project": 7, "overlap": 1, "data": {}} for n in range(1001, 1401)]
            return httpx.Response(200, json={"total": TASKS, "tasks": rows})
        return None

    transport.hook = short
    answered = answers(transport, {7: ALL})
    assert each_once(answered) == of_kind(answered, Found) == list(ALL)
    assert len(transport.requests) == 5


@pytest.mark.parametrize("total", [0, 999, 1000, 1001, 2599, 2601, 10_000, 10**6, 10**15])
def test_a_total_that_is_not_so_hides_no_task_and_the_reading_ends(answers: Answers, total: int):
    transport = project_of()
    transport.hook = lying(transport, total)
    answered = answers(transport, {7: ALL})
    assert each_once(answered) == of_kind(answered, Found) == list(ALL)
    assert len(transport.requests) <= 12


def lying(transport: Hooked, total: int):
    """A hook that puts another total into pages of the whole project."""

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.url.path != "/api/tasks/" or ids_of(request) is not None:
            return None
        answer = super(Hooked, transport).handle_request(request)
        if answer.status_code != 200:
            return answer
        return httpx.Response(200, json=answer.json() | {"total": total})

    return hook


def test_a_total_that_changes_from_page_to_page_hides_no_task(answers: Answers):
    transport = project_of()

    def hook(request: httpx.Request) -> httpx.Response | None:
        page = int(query_of(request).get("page", 0))
        return lying(transport, TASKS + 300 * page)(request)

    transport.hook = hook
    answered = answers(transport, {7: ALL})
    assert each_once(answered) == of_kind(answered, Found) == list(ALL)


def test_a_project_that_shrinks_under_the_reader_is_not_asked_for_all_the_pages_it_had(
    answers: Answers,
):
    transport = project_of(8000)
    keep = 1500

    def shrunk() -> None:
        state = transport.state
        for task in state.projects[7].task_ids[keep:]:
            del state.tasks[task]
        del state.projects[7].task_ids[keep:]

    transport.hook = after_the_first(transport.state, shrunk)
    wanted = [*range(1, keep + 1), *range(keep + 1, 8001, 2)]
    answered = answers(transport, {7: wanted})
    assert of_kind(answered, Found) == list(range(1, keep + 1))
    assert each_once(answered) == wanted
    assert len(whole_pages(transport.requests)) <= 6


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


def too_heavy_above(most: int, status: int | None):
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


# Tasks whose project nobody named


def test_five_hundred_tasks_of_one_project_that_nobody_named_cost_two_requests(answers: Answers):
    transport = project_of(500)
    answered = answers(transport, {None: range(1, 501)})
    assert each_once(answered) == of_kind(answered, Found) == list(range(1, 501))
    assert by_id(transport.requests) == [1]
    assert selections(transport.requests) == [list(range(1, 501))]
    assert len(transport.requests) == 2


def test_a_whole_project_that_nobody_named_is_read_by_pages(answers: Answers):
    transport = project_of()
    answered = answers(transport, {None: ALL})
    assert each_once(answered) == of_kind(answered, Found) == list(ALL)
    assert len(transport.requests) == 4


def test_tasks_of_three_projects_in_turns_that_nobody_named_cost_two_requests_a_project(
    answers: Answers,
):
    transport = project_of(0)
    for project in (8, 9, 10):
        add_tasks(transport.state, range(project, 300, 3), project=project)
    wanted = sorted(transport.state.tasks)
    answered = answers(transport, {None: wanted})
    assert each_once(answered) == of_kind(answered, Found) == wanted
    assert len(by_id(transport.requests)) == 3
    assert len(transport.requests) == 6


def test_a_project_that_vanishes_after_one_of_its_tasks_was_found_ends_nothing(answers: Answers):
    """Its tasks are unreadable: what a single read shows is not to be trusted."""
    transport = project_of(10)
    gone = httpx.Response(404, json={"detail": "No Project matches the given query."})
    transport.hook = lambda request: gone if request.url.path == "/api/tasks/" else None
    answered = answers(transport, {None: range(1, 11)})
    assert each_once(answered) == of_kind(answered, Unreadable) == list(range(1, 11))
    # Each task, the list twice for the first of them, and twice at the end at most.
    assert len(transport.requests) <= 10 + 3
