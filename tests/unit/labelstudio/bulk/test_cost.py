"""Which way of reading is taken, and how ids are packed: on counts alone."""

from __future__ import annotations

import pytest

from reconciler.labelstudio.bulk.cost import (
    BATCH,
    IDS_LENGTH_MAX,
    Cost,
    ReadMethod,
    choose_cheaper,
    choose_page_size,
    estimate_pages,
    estimate_selection,
    split_ids,
)

PAGES = ReadMethod.PAGES
SELECTION = ReadMethod.SELECTION


@pytest.mark.parametrize(
    ("pages", "selection", "chosen"),
    [
        ((1, 9.0), (2, 0.1), PAGES),
        ((3, 0.1), (2, 9.0), SELECTION),
        ((2, 0.5), (2, 0.4), SELECTION),
        ((2, 0.4), (2, 0.5), PAGES),
    ],
)
def test_fewer_requests_come_first_and_seconds_decide_between_as_many(
    pages: tuple[int, float], selection: tuple[int, float], chosen: ReadMethod
):
    costs = [Cost(PAGES, *pages), Cost(SELECTION, *selection)]
    assert choose_cheaper(*costs).method is chosen
    assert choose_cheaper(*reversed(costs)).method is chosen


def test_a_page_of_a_large_project_costs_more_before_its_first_task():
    assert estimate_pages(900, requests=1, total=900).seconds == pytest.approx(0.25, abs=0.01)
    assert estimate_pages(900, requests=1, total=10**6).seconds == pytest.approx(0.6, abs=0.01)


@pytest.mark.parametrize(
    ("total", "seconds", "length", "size"),
    [
        (0, 0.3, 1, 1000),
        (79_999, 0.3, 1, 1000),
        (80_000, 0.3, 1, 2000),
        (159_999, 0.3, 1, 2000),
        (160_000, 0.3, 1, 4000),
        (10**15, 0.0, 0, 4000),
        (10**6, 1.25, 1, 4000),
        (10**6, 1.3, 1, 2000),
        (10**6, 2.6, 1, 1000),
        (10**6, 0.3, 2_000_000, 4000),
        (10**6, 0.3, 2_000_001, 2000),
        (10**6, 0.3, 4_000_001, 1000),
    ],
)
def test_pages_are_larger_in_larger_projects_unless_they_take_long_or_much_memory(
    total: int, seconds: float, length: int, size: int
):
    assert choose_page_size(total, seconds=seconds, length=length) == size


@pytest.mark.parametrize(
    ("ids", "requests"),
    [(range(0), 0), (range(1, 2), 1), (range(1, 501), 1), (range(1, 502), 2), (range(1, 5001), 10)],
)
def test_a_selection_costs_as_many_requests_as_there_are_batches(ids: range, requests: int):
    assert estimate_selection(ids).requests == requests


def test_a_cost_says_what_it_is_in_words():
    pages = estimate_pages(900, requests=1, total=1900)
    assert str(pages) == "whole-project pages (1 request, about 0.2 s)"
    assert str(estimate_selection(range(1, 1001))) == "selected ids (2 requests, about 0.4 s)"


def test_a_batch_is_full_by_count_or_by_the_length_of_what_it_adds_to_an_address():
    assert [len(batch) for batch in split_ids(range(1, 1202))] == [BATCH, BATCH, 201]
    assert [len(batch) for batch in split_ids(range(1, 12), at_most=5)] == [5, 5, 1]
    longest = IDS_LENGTH_MAX // (19 + len("%2C"))
    ids = range(10**18, 10**18 + longest + 1)
    assert [len(batch) for batch in split_ids(ids)] == [longest, 1]


def test_ids_that_are_too_long_together_go_alone():
    assert list(split_ids([10**4000, 10**4001])) == [[10**4000], [10**4001]]
