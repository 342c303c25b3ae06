"""Which way of reading a project is taken, and how many requests it takes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reconciler.core.model import Found, Missing
from reconciler.core.notation import count_noun
from tests.unit.labelstudio.bulk.changing import (
    after_the_first,
    answers,
    by_id,
    create,
    delete,
    each_once,
    of_kind,
    selections,
    whole_pages,
)
from tests.unit.labelstudio.wired import Hooked, Noted, add_tasks, sandbox_with


def read(transport: Hooked, wanted: Sequence[int]) -> str:
    """Read tasks that are all in project 7; gives what was said of the choice."""
    noted = Noted()
    answered = answers(transport, {7: wanted}, progress=noted)
    assert each_once(answered) == of_kind(answered, Found) == list(wanted)
    (detail,) = noted.details or [""]
    return detail


@pytest.mark.parametrize("tasks", [1010, 2000, 2001, 4600, 7000])
def test_a_project_that_is_wanted_whole_takes_a_request_for_each_thousand(tasks: int):
    transport = Hooked(sandbox_with(tasks))
    read(transport, range(1, tasks + 1))
    pages = -(-tasks // 1000)
    assert whole_pages(transport.requests) == [(number, 1000) for number in range(1, pages + 1)]
    assert len(transport.requests) == pages


@pytest.mark.parametrize("wanted", [1, 17, 500])
def test_up_to_five_hundred_tasks_of_a_large_project_are_selected_in_one_request(wanted: int):
    transport = Hooked(sandbox_with(3000))
    chosen = range(1, 3000, 3000 // wanted)[:wanted]
    said = read(transport, chosen)
    assert selections(transport.requests) == [list(chosen)]
    assert len(transport.requests) == 1
    assert said.startswith(
        f"project 7: reading {count_noun(wanted, 'task')} by selected ids (1 request"
    )


@pytest.mark.parametrize("wanted", [501, 900, 1000])
def test_scattered_tasks_of_a_large_project_are_selected_after_a_look_at_its_first_page(
    wanted: int,
):
    transport = Hooked(sandbox_with(9000))
    chosen = range(9000 // wanted, 9001, 9000 // wanted)[:wanted]
    said = read(transport, chosen)
    assert whole_pages(transport.requests) == [(1, 1000)]
    assert len(transport.requests) <= 1 + -(-wanted // 500)
    assert "reading the rest by selected ids (" in said
    assert f"project 7: reading {wanted:,} of 9,000 tasks; the first page took " in said


@pytest.mark.parametrize(
    ("wanted", "pages"), [(600, 1), (1000, 1), (2600, 3), (3001, 4), (4100, 5)]
)
def test_the_beginning_of_a_large_project_is_read_only_as_far_as_it_is_wanted(
    wanted: int, pages: int
):
    transport = Hooked(sandbox_with(12_000))
    read(transport, range(1, wanted + 1))
    assert whole_pages(transport.requests) == [(number, 1000) for number in range(1, pages + 1)]
    assert len(transport.requests) == pages


def test_one_task_more_than_the_first_page_shows_takes_one_request_more():
    transport = Hooked(sandbox_with(12_000))
    said = read(transport, range(1, 1002))
    assert len(transport.requests) == 2
    assert "reading the rest by selected ids (1 request, about 0.1 s) instead of whole" in said


def test_tasks_that_the_first_page_has_passed_are_not_looked_for_on_others():
    state = sandbox_with(12_000)
    for number in (100, 200):
        state.projects[7].task_ids.remove(number)
        del state.tasks[number]
    transport = Hooked(state)
    answered = answers(transport, {7: range(1, 701)})
    assert each_once(answered) == list(range(1, 701))
    assert of_kind(answered, Missing) == [100, 200]
    assert whole_pages(transport.requests) == [(1, 1000)]
    assert selections(transport.requests) == [[100, 200]]
    assert by_id(transport.requests) == [100, 200]


def test_tasks_that_lie_thin_among_those_of_other_projects_are_read_by_pages():
    """How far the pages must be read is told by how dense the ids of the first page lie."""
    state = sandbox_with(0)
    add_tasks(state, range(1, 60_000, 10), project=8)
    transport = Hooked(state)
    wanted = sorted(state.tasks)[:3300]
    answered = answers(transport, {8: wanted})
    assert each_once(answered) == of_kind(answered, Found) == wanted
    assert whole_pages(transport.requests) == [(number, 1000) for number in range(1, 5)]


def test_three_projects_are_read_each_its_own_way():
    state = sandbox_with(2400)
    add_tasks(state, range(10_001, 10_031), project=8)
    add_tasks(state, range(20_001, 29_001), project=9)
    transport = Hooked(state)
    wanted: dict[int | None, range] = {
        9: range(20_010, 29_001, 15),
        7: range(1, 2401),
        8: range(10_001, 10_031),
    }
    answered = answers(transport, wanted)
    assert of_kind(answered, Found) == sorted(task for ids in wanted.values() for task in ids)
    assert len(transport.requests) == 3 + 1 + 3


def test_tasks_that_do_not_exist_cost_a_request_each_and_no_others_do():
    transport = Hooked(sandbox_with(2500))
    wanted = [*range(1, 2501), 9001, 9002, 9003]
    answered = answers(transport, {7: wanted})
    assert of_kind(answered, Missing) == [9001, 9002, 9003]
    assert by_id(transport.requests) == [9001, 9002, 9003]
    assert len(transport.requests) == 3 + 3


def test_pages_are_given_up_where_ids_lie_denser_than_the_first_page_made_believe():
    """1,000 old tasks far apart, then 30,000 close together: a late import, as servers have."""
    state = sandbox_with(0)
    add_tasks(state, range(1, 1_000_001, 1_000), project=8)
    project = state.projects[8]
    for number in range(2_000_001, 2_030_001):
        state.add_task(project, {"data": {"text": "new"}}, number=number)
    transport = Hooked(state)
    wanted = range(2_000_001, 2_030_001, 50)
    answered = answers(transport, {8: wanted})
    assert of_kind(answered, Found) == each_once(answered) == list(wanted)
    assert len(transport.requests) <= 5


@pytest.mark.parametrize("named", [7, None])
def test_what_a_project_that_was_shown_completely_lacks_is_not_asked_of_it_batch_by_batch(
    named: int | None,
):
    """4,000 tasks lie in another project: one request shows that they are not hidden in this."""
    state = sandbox_with(1500)
    add_tasks(state, range(5001, 9001), project=8)
    transport = Hooked(state)
    wanted = [*range(1, 1501), *range(5001, 9001)]
    answered = answers(transport, {named: wanted})
    assert of_kind(answered, Found) == each_once(answered) == wanted
    assert len(whole_pages(transport.requests)) == 2 + 4
    assert [len(ids) for ids in selections(transport.requests)] == [500]
    assert len(by_id(transport.requests)) == (2 if named is None else 1)


def test_what_as_many_created_as_deleted_tasks_hide_is_found_in_lists():
    """The total says that nothing happened, and 700 tasks were passed over."""
    transport = Hooked(sandbox_with(3000))
    gone = range(1, 701)

    def changed() -> None:
        delete(transport.state, *gone)
        for task in range(4001, 4701):
            create(transport.state, task, project=7)

    transport.hook = after_the_first(transport.state, changed)
    answered = answers(transport, {7: range(1, 3001)})
    assert of_kind(answered, Found) == each_once(answered) == list(range(1, 3001))
    assert by_id(transport.requests) == []
    assert len(transport.requests) <= 5
