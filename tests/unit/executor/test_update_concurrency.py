"""The pace finds what a server bears: tried on simulated ones, many times over."""

from __future__ import annotations

from statistics import mean

import pytest

from reconciler.executor.update_concurrency import WINDOW, UpdateConcurrency
from tests.unit.executor.simulated import (
    Server,
    around,
    changing,
    limited,
    one_in,
    run,
    unlimited,
    with_workers,
)

SEEDS = range(10)
LATENCY = 0.1
SPREADS = [0.05, 0.4]


def one_at_a_time(spread: float, seed: int) -> Server:
    return with_workers(1, around(LATENCY, spread=spread, seed=seed))


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("cap", [8, 64])
def test_a_server_that_does_no_more_when_asked_more_is_asked_little(spread: float, cap: int):
    runs = [run(one_at_a_time(spread, seed), 1000, cap=cap) for seed in SEEDS]
    assert mean(one.settled(after=100) for one in runs) < 3
    assert max(one.settled(after=100) for one in runs) < 4.5
    assert max(one.moves for one in runs) <= 25
    assert max(max(one.limits) for one in runs) <= 16


@pytest.mark.parametrize("spread", SPREADS)
def test_a_server_that_bears_all_is_asked_as_much_as_allowed_within_some_dozens(spread: float):
    for seed in SEEDS:
        one = run(unlimited(around(LATENCY, spread=spread, seed=seed)), 1000)
        assert one.limits.index(8) < 50
        assert one.settled(after=50) > 7


@pytest.mark.parametrize("spread", SPREADS)
def test_a_high_cap_is_reached_in_few_steps(spread: float):
    for seed in SEEDS:
        one = run(unlimited(around(LATENCY, spread=spread, seed=seed)), 2000, cap=64)
        assert one.limits.index(64) < 400
        assert one.settled(after=400) > 48


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("workers", [3, 4, 6, 12])
def test_a_server_with_some_workers_is_asked_about_as_much_as_it_has(workers: int, spread: float):
    runs = [
        run(with_workers(workers, around(LATENCY, spread=spread, seed=seed)), 2000, cap=32)
        for seed in SEEDS
    ]
    assert 0.8 * workers <= mean(one.settled(after=300) for one in runs) <= 1.4 * workers
    at_best = workers / LATENCY
    assert mean(2000 / one.seconds for one in runs) > 0.85 * at_best


def test_a_server_that_comes_to_do_one_thing_at_a_time_is_asked_less():
    settled = []
    for seed in SEEDS:
        service = around(LATENCY, seed=seed)
        one = run(changing(10, unlimited(service), with_workers(1, service)), 1500)
        assert one.limits[500] >= 6
        settled.append(one.settled(after=1000))
    assert mean(settled) < 4


def test_a_server_that_comes_to_bear_more_is_asked_more():
    for seed in SEEDS:
        service = around(LATENCY, seed=seed)
        one = run(changing(40, with_workers(1, service), unlimited(service)), 1500)
        assert one.limits[390] <= 6
        assert one.settled(after=800) > 6


def test_a_server_that_only_becomes_slower_is_asked_as_much_as_before():
    for seed in SEEDS:
        fast, slow = around(LATENCY, seed=seed), around(5 * LATENCY, seed=seed)
        one = run(changing(10, unlimited(fast), unlimited(slow)), 1500)
        assert one.settled(after=800) > 7


@pytest.mark.parametrize("per_second", [15, 40])
def test_a_server_that_refuses_what_is_too_much_is_kept_below_that(per_second: int):
    runs = [run(limited(per_second, around(LATENCY, seed=seed)), 1000) for seed in SEEDS]
    assert max(one.refused for one in runs) <= 120
    assert max(one.settled(after=100) for one in runs) < per_second * LATENCY + 1
    assert mean(1000 / one.seconds for one in runs) > 0.4 * per_second


def test_one_at_a_time_stays_one_at_a_time():
    assert set(run(unlimited(around(LATENCY)), 500, cap=1).limits) == {1}


def test_no_more_than_the_cap_are_ever_allowed():
    for cap in range(1, 20):
        limits = run(unlimited(around(LATENCY)), 600, cap=cap).limits
        assert max(limits) == cap
        assert min(limits) >= 1


def test_a_run_begins_with_what_every_server_bears():
    assert [UpdateConcurrency.start(cap).limit for cap in (1, 3, 4, 8, 64)] == [1, 3, 4, 4, 4]


def test_refusals_that_come_together_halve_once():
    pace = UpdateConcurrency.start(8)
    for _ in range(4):
        pace = pace.note_overload()
    assert pace.limit == 2


def test_refusals_that_go_on_leave_one_at_a_time():
    pace = UpdateConcurrency.start(64)
    for _ in range(20):
        pace = pace.note_overload()
    assert pace.limit == 1


def test_a_refusal_ends_an_experiment_at_once():
    pace = UpdateConcurrency.start(8)
    while pace.limit == 4:
        pace = pace.note_answer(LATENCY)
    assert pace.limit == 8
    assert pace.note_overload().limit == 4


def test_single_answers_that_take_long_do_not_keep_the_others_back():
    for seed in SEEDS:
        one = run(one_in(100, unlimited(around(LATENCY, seed=seed)), takes=2.0), 1000)
        assert one.settled(after=100) > 6


def test_answers_that_take_no_time_are_no_reason_to_fail():
    pace = UpdateConcurrency.start(8)
    for _ in range(200):
        pace = pace.note_answer(0.0)
    assert pace.limit == 4


def test_refusals_in_a_row_do_not_put_the_next_experiment_off_further():
    pace = UpdateConcurrency.start(8)
    patiences = []
    for _ in range(8):
        pace = pace.note_overload()
        patiences.append(pace.patience)
    assert pace.limit == 1
    assert set(patiences) == {2}


def test_after_a_refusal_the_next_experiment_is_with_more():
    going_down = UpdateConcurrency(limit=4, cap=8, settling=0, upward=False)
    assert going_down.note_overload().upward is True


def answer_window(pace: UpdateConcurrency, rate: float) -> UpdateConcurrency:
    """Answer as often as a rate is taken over."""
    answers = max(WINDOW, 2 * pace.limit)
    for _ in range(answers):
        pace = pace.note_answer(pace.limit / rate)
    return pace


@pytest.mark.parametrize(
    ("rate", "upward", "patience"), [(50, False, 1), (70, None, 8), (150, None, 8), (180, True, 1)]
)
def test_a_rate_that_changes_much_tells_of_another_server(
    rate: float, *, upward: bool | None, patience: int
):
    for before in (True, False):
        known = UpdateConcurrency(4, 8, settling=0, rate=100.0, upward=before, patience=8)
        pace = answer_window(known, rate)
        if upward is None:
            assert (pace.upward, pace.patience, pace.limit) == (before, patience, 4)
        else:
            assert pace.patience == patience
            assert (pace.limit > 4) is upward


def test_an_experiment_that_brought_nothing_ends_at_the_rate_from_before():
    trying = UpdateConcurrency(8, 8, settling=0, home=4, rate=100.0)
    pace = answer_window(trying, 105.0)
    assert (pace.limit, pace.rate, pace.home) == (4, 100.0, None)


def test_refusals_count_as_one_only_while_those_of_then_are_under_way():
    pace = UpdateConcurrency.start(8).note_overload()
    pace = pace.note_answer(LATENCY).note_overload().note_overload()
    assert pace.limit == 2
    assert pace.note_overload().limit == 1


def test_a_rate_at_the_cap_stays_known():
    pace = UpdateConcurrency(8, 8, settling=0, rate=100.0, waited=2)
    assert answer_window(pace, 120.0).rate == pytest.approx(110)
