"""Every fault at every request of an apply: nothing is lost, and nothing claimed that is not so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import pytest

from tests.conftest import TRIED
from tests.faults.kinds import Fault
from tests.faults.misbehaving import Misbehaving, Schedule, from_then_on, once
from tests.faults.promises import (
    claims_are_true,
    exit_code_is_true,
    no_success_is_hidden,
    nothing_else_changed,
    only_what_was_seen_is_claimed,
    same,
    wanted,
)
from tests.faults.scenarios import SCENARIOS, Ended, Scenario, bounded_call, run, stored

FINAL = frozenset({Fault.UNAUTHORISED, Fault.FORBIDDEN})
"""What is not asked again: nobody's rights grow meanwhile."""

NOT_OURS = frozenset({Fault.OTHER_JSON, Fault.OTHER_TASK})
"""Reads that something else answered, in a way that it would again. An update is made all the same
by the server behind it, and the last look proves it."""

TOO_SLOW = frozenset({Fault.TIMED_OUT, Fault.LATE})
"""Lists that come too late are asked for in parts, of which the smallest are not asked again."""

SURVIVED: Mapping[str, frozenset[Fault]] = {
    "PATCH": frozenset(Fault) - FINAL,
    "GET": frozenset(Fault) - FINAL - NOT_OURS - TOO_SLOW,
    "POST": frozenset(Fault) - FINAL - NOT_OURS,
    "OPTIONS": frozenset(Fault),
}
"""What a run does not even show where it befalls one request with a method: it ends as it would
have without."""

PAIRS_MIN = 2_500
"""Pairs of request and fault that a run of this file tries, at least."""

Recorded = Callable[[str, object], None]

each_scenario = pytest.mark.parametrize("name", SCENARIOS)
each_concurrency = pytest.mark.parametrize("concurrency", [1, 2])


@cache
def undisturbed(name: str) -> tuple[Sequence[str], Ended]:
    """Give the methods of the requests that a run takes where nothing goes wrong, and its end."""
    scenario = SCENARIOS[name]
    state, plan = scenario.begin()
    transport = Misbehaving(state)
    ended = run(scenario, transport, plan, concurrency=1)
    return transport.methods, ended


def is_honest(scenario: Scenario, schedule: Schedule, *, concurrency: int, settles: bool) -> Ended:
    """Run into trouble, and hold the end against all that was promised; then run again."""
    state, plan = scenario.begin()
    before = stored(state)
    transport = Misbehaving(state, schedule)
    ended = bounded_call(lambda: run(scenario, transport, plan, concurrency=concurrency))
    after = stored(state)
    assert transport.faults, "nothing went wrong: the request never came"
    nothing_else_changed(scenario, before, after)
    claims_are_true(ended.outcomes, before, after)
    only_what_was_seen_is_claimed(ended, transport.seen)
    exit_code_is_true(ended, before, after)
    if settles:
        no_success_is_hidden(ended, transport.asked, before, after)
    again = bounded_call(lambda: run(scenario, Misbehaving(state), None, concurrency=concurrency))
    assert again.code == 0
    for task, values in stored(state).items():
        assert same(values, wanted(task, before[task]))
    return ended


@each_scenario
def test_undisturbed_it_does_what_is_declared(name: str):
    methods, ended = undisturbed(name)
    assert len(methods) >= 6
    assert ended.code == (3 if SCENARIOS[name].theirs else 0)


@pytest.mark.parametrize("fault", Fault)
@each_concurrency
@each_scenario
def test_a_fault_once(name: str, concurrency: int, fault: Fault, record_property: Recorded):
    methods, expected = undisturbed(name)
    for number, method in enumerate(methods, 1):
        ended = is_honest(
            SCENARIOS[name],
            once(fault, number),
            concurrency=concurrency,
            settles=fault is not Fault.LATE,
        )
        if fault in SURVIVED[method]:
            assert (ended.code, ended.by_task()) == (expected.code, expected.by_task()), number
    record_property(TRIED, len(methods))


@pytest.mark.parametrize("fault", Fault)
@each_scenario
def test_a_fault_and_no_end_of_it(name: str, fault: Fault, record_property: Recorded):
    requests = len(undisturbed(name)[0])
    for number in range(1, requests + 1):
        is_honest(SCENARIOS[name], from_then_on(fault, number), concurrency=2, settles=False)
    record_property(TRIED, requests)


def test_so_many_pairs_are_tried():
    """A scenario that shrinks, or a kind of fault that is lost, is to be noticed."""
    requests = sum(len(undisturbed(name)[0]) for name in SCENARIOS)
    ways = 3  # once with one worker, once with two, and without an end
    assert requests * len(Fault) * ways >= PAIRS_MIN
