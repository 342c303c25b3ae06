"""A server that changes, or says what is not so, while a whole project is read page by page."""

from __future__ import annotations

import httpx
import pytest

from reconciler.core.model import Found, Missing, Unreadable
from tests.unit.labelstudio.bulk.changing import (
    Answers,
    after_the_first,
    by_id,
    create,
    delete,
    each_once,
    edit,
    ids_of,
    move,
    of_kind,
    selections,
    text_of,
    whole_pages,
)
from tests.unit.labelstudio.wired import Hook, Hooked, add_tasks, query_of, sandbox_with

TASKS = 2600
ALL = range(1, TASKS + 1)


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
    lie = {task: it.attributes["project"] for task, it in answered if isinstance(it, Found)}
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


def lying(transport: Hooked, total: int) -> Hook:
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
