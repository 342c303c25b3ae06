"""As many reads under way as the server answers faster for: tried on simulated servers."""

from __future__ import annotations

import heapq
from itertools import cycle
from statistics import mean

import pytest

from reconciler.labelstudio.bulk.read_concurrency import AT_ONCE, ENOUGH, ReadProbe
from tests.unit.executor.simulated import Server, around, changing, with_workers

SEEDS = range(20)
PAGE = 0.25
"""Seconds that a page takes when it is the only one."""


def slowing(*, by: float, spread: float, seed: int) -> Server:
    """One process that loses time between its threads: each read more costs ``by`` more."""
    service = around(PAGE, spread=spread, seed=seed)
    free_from, under_way = 0.0, list[float]()

    def serve(now: float) -> tuple[float, bool]:
        nonlocal free_from
        others = sum(ends > now for ends in under_way)
        free_from = max(now, free_from) + service() * (1 + by * others)
        under_way.append(free_from)
        return free_from, True

    return serve


def run(server: Server, *counts: int) -> tuple[list[int], float]:
    """Read projects of so many pages; gives the limit after each answer, and the seconds taken."""
    probe, now = ReadProbe(0.0), 0.0
    limits = list[int]()
    for count in counts:
        probe, under_way, left = probe.begin_elsewhere(now), list[float](), count
        while left or under_way:
            while len(under_way) < probe.limit and left:
                heapq.heappush(under_way, server(now)[0])
                left -= 1
            now = heapq.heappop(under_way)
            probe = probe.note_answer(now, left)
            limits.append(probe.limit)
    return limits, now


@pytest.mark.parametrize("spread", [0.05, 0.2, 0.4])
@pytest.mark.parametrize("workers", [AT_ONCE, 16])
def test_a_server_of_many_processes_is_soon_asked_for_all_at_once(workers: int, spread: float):
    runs = [run(with_workers(workers, around(PAGE, spread=spread, seed=s)), 100) for s in SEEDS]
    soon = [limits.index(AT_ONCE) for limits, _ in runs]
    assert sum(first <= 8 for first in soon) >= 0.8 * len(soon)
    assert max(soon) <= 30
    assert mean(mean(limits) for limits, _ in runs) > 3.3
    assert mean(seconds for _, seconds in runs) < 1.5 * 100 * PAGE / AT_ONCE


def every_other_late(server: Server) -> Server:
    """Every other page takes twice as long: the server looks for its garbage meanwhile."""
    late = cycle([True, False])

    def serve(now: float) -> tuple[float, bool]:
        ends, good = server(now)
        return (server(ends)[0] if next(late) else ends), good

    return serve


def test_a_server_that_is_late_every_other_time_is_mostly_asked_one_by_one():
    for seed in SEEDS:
        service = around(PAGE, spread=0.2, seed=seed)
        limits, _ = run(every_other_late(with_workers(1, service)), 100)
        assert mean(limits) < 1.2


@pytest.mark.parametrize("spread", [0.05, 0.2])
def test_a_server_of_one_process_is_mostly_asked_one_by_one(spread: float):
    for seed in SEEDS:
        limits, seconds = run(slowing(by=0.1, spread=spread, seed=seed), 100)
        assert mean(limits) < 1.2
        _, one_by_one = run(with_workers(1, around(PAGE, spread=spread, seed=seed)), 100)
        assert seconds < 1.03 * one_by_one


def test_two_processes_are_used_as_well():
    for seed in SEEDS:
        _, seconds = run(with_workers(2, around(PAGE, spread=0.2, seed=seed)), 100)
        assert seconds < 1.3 * 100 * PAGE / 2


def test_a_project_of_a_few_pages_is_no_place_for_experiments():
    few = AT_ONCE + ENOUGH - 1
    limits, _ = run(with_workers(AT_ONCE, around(PAGE, spread=0.2)), few)
    assert limits == [1] * few


def test_of_a_project_of_some_more_pages_a_server_of_many_processes_gives_the_rest_sooner():
    some = AT_ONCE + ENOUGH
    for seed in SEEDS:
        _, seconds = run(with_workers(AT_ONCE, around(PAGE, spread=0.05, seed=seed)), some)
        assert seconds < 0.75 * some * PAGE


def test_what_one_small_project_does_not_tell_many_of_them_do():
    projects = [AT_ONCE + ENOUGH - 1] * 20
    for seed in SEEDS:
        service = around(PAGE, spread=0.2, seed=seed)
        limits, seconds = run(with_workers(AT_ONCE, service), *projects)
        assert mean(limits) > 2.5
        assert seconds < 0.5 * sum(projects) * PAGE


def test_many_small_projects_cost_a_server_of_one_process_hardly_more():
    projects = [AT_ONCE + ENOUGH - 1] * 20
    for seed in SEEDS:
        _, seconds = run(slowing(by=0.1, spread=0.2, seed=seed), *projects)
        _, one_by_one = run(with_workers(1, around(PAGE, spread=0.2, seed=seed)), *projects)
        assert seconds < 1.02 * one_by_one


@pytest.mark.parametrize("pages", [1, AT_ONCE - 1, AT_ONCE])
def test_projects_that_end_before_a_trial_would_are_read_as_the_ones_before(pages: int):
    limits, _ = run(with_workers(AT_ONCE, around(PAGE, spread=0.2)), *[pages] * 100)
    assert set(limits) == {1}
    many = with_workers(AT_ONCE, around(PAGE, spread=0.05))
    assert run(many, 100, *[pages] * 100)[0][100:].count(AT_ONCE) > 90 * pages


def test_a_trial_that_another_list_cuts_short_was_none():
    for limit, tried in ((1, 2), (AT_ONCE, 1)):
        probe = ReadProbe(0.0, limit=tried, alone=0.1, together=0.1, trying=True, counted=2)
        begun = probe.begin_elsewhere(7.0)
        assert begun == ReadProbe(7.0, limit=limit)


def test_a_server_that_loses_its_processes_is_asked_one_by_one_again():
    for seed in SEEDS:
        service = around(PAGE, spread=0.1, seed=seed)
        many, one = with_workers(AT_ONCE, service), with_workers(1, service)
        limits, _ = run(changing(5.0, many, one), 400)
        assert limits[20] == AT_ONCE
        assert 1 in limits[60:]
        assert mean(limits[200:]) < 2


def test_a_server_that_gets_processes_is_asked_for_all_at_once_after_a_while():
    for seed in SEEDS:
        service = around(PAGE, spread=0.1, seed=seed)
        one, many = with_workers(1, service), with_workers(AT_ONCE, service)
        limits, _ = run(changing(3.0, one, many), 400)
        assert mean(limits[:12]) < 3
        assert mean(limits[200:]) > 3.5


def test_a_first_answer_that_is_very_late_is_soon_forgotten():
    """It was asked for again after a pause, say: one by one, reads then seem to take seconds."""
    for seed in SEEDS:
        one = slowing(by=0.1, spread=0.1, seed=seed)
        limits, _ = run(changing(0.1, with_workers(1, lambda: 30.0), one), 100)
        assert limits[25:].count(1) > 60


def test_what_began_under_a_higher_limit_says_nothing_of_a_lower_one():
    probe = ReadProbe(0.0, limit=AT_ONCE, alone=0.1, together=1.0, trying=True)
    for now in (1.0, 2.0, 3.0, 4.0):
        probe = probe.note_answer(now)
    assert (probe.limit, probe.alone) == (1, 0.1)
    for now in (4.1, 4.2, 4.3, 4.6, 4.9, 5.2):
        probe = probe.note_answer(now)
        assert probe.alone == 0.1
    assert probe.note_answer(5.5).alone == pytest.approx((0.1 + 0.3) / 2)
