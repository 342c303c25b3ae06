"""What is read afresh is sent within a second or so, on fast servers and on slow ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.decision import Patch
from reconciler.core.plan_model import TaskPlan
from reconciler.executor.batches import FIRST, FreshBatches
from tests.unit.core.building import change, update

PLANNED = [update(task, change("overlap", 1, 2)) for task in range(1, 2_001)]

Due = Callable[[TaskPlan], bool]


def everything(_: TaskPlan) -> bool:
    return True


class Server:
    """Sends what a batch holds, at a pace that may change with the tasks."""

    def __init__(self, per_second: Callable[[int], float], due: Due = everything) -> None:
        self.now, self.sent = 100.0, 0
        self.order: list[TaskPlan] = []
        self.read: list[int] = []
        self.kept: list[int] = []
        self.ages: list[float] = []
        self._per_second = per_second
        self._due = due

    def run(self, tasks: Sequence[TaskPlan], rps: float | None = None) -> None:
        batches = FreshBatches(tasks, lambda: self.sent, rps, now=lambda: self.now)
        while batch := batches.take():
            read_at = self.now
            self.read.append(len(batch))
            self.order += [task for task in batch if not self._due(task)]
            kept = batches.keep([Patch(task, {}) for task in batch if self._due(task)])
            self.kept.append(len(kept))
            for patch in kept:
                self.ages.append(self.now - read_at)
                self.order.append(patch.plan)
                self.now += 1 / self._per_second(patch.plan.task)
                self.sent += 1


def sizes(count: int, per_second: float, rps: float | None = None) -> list[int]:
    """Cut updates into batches, for a server that does so many a second."""
    server = Server(lambda _: per_second)
    server.run(PLANNED[:count], rps)
    return server.read


@pytest.mark.parametrize(
    ("count", "per_second", "expected"),
    [
        (5, 10, [5]),
        (8, 10, [8]),
        (33, 10, [8, 10, 10, 5]),
        (12, 2, [8, 2, 2]),
        (1_500, 1_000, [8, 500, 500, 492]),
        (10, 0.01, [8, 1, 1]),
    ],
)
def test_a_batch_is_what_the_server_does_in_a_second(
    count: int, per_second: float, expected: list[int]
):
    assert sizes(count, per_second) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(("rps", "first"), [(0.001, 1), (0.5, 1), (4, 4), (1_000, 8)])
def test_updates_that_are_kept_apart_are_read_in_smaller_batches(rps: float, first: int):
    assert sizes(200, rps, rps)[0] == first


@given(
    st.lists(st.sampled_from([0.2, 3, 10, 400]), min_size=1, max_size=40),
    st.sets(st.integers(0, 40), max_size=20),
    st.sampled_from([None, 0.5, 10.0]),
)
def test_every_update_is_sent_once_in_order_whatever_the_pace(
    paces: list[float], done: set[int], rps: float | None
):
    tasks = PLANNED[: len(paces)]
    server = Server(lambda task: paces[task - 1], lambda task: task.task not in done)
    server.run(tasks, rps)
    sent = [task for task in server.order if task.task not in done]
    assert sent == [task for task in tasks if task.task not in done]
    assert sorted(task.task for task in server.order) == [task.task for task in tasks]


def test_a_server_that_becomes_slow_gets_smaller_batches_within_a_few_of_them():
    server = Server(lambda task: 100 if task <= 500 else 2)
    server.run(PLANNED[:800])
    assert max(server.kept[-20:]) <= 3
    # Those are read again one by one.
    assert sum(age > 3 for age in server.ages) < 150


def test_what_needs_no_update_is_passed_in_batches_that_grow():
    server = Server(lambda _: 10, lambda _: False)
    server.run(PLANNED)
    assert server.read[:5] == [8, 32, 128, 500, 500]
    assert len(server.read) < 10


def test_of_a_large_batch_no_more_is_kept_than_can_be_sent_while_it_is_fresh():
    server = Server(lambda _: 10, lambda task: task.task > 300)
    server.run(PLANNED[:400])
    assert max(server.kept) <= 12
    assert max(server.ages) <= 1.2
    assert len(server.order) == 400


@pytest.mark.parametrize(("per_second", "kept"), [(3, 3), (4, 8), (10, 8)])
def test_of_what_was_read_twice_what_is_fresh_is_kept_at_most(per_second: int, kept: int):
    sent, now = 0, 100.0
    batches = FreshBatches(PLANNED, lambda: sent, None, now=lambda: now)
    read = batches.take()
    sent, now = per_second, 101.0
    patches = [Patch(task, {}) for task in read]
    assert batches.keep(patches) == patches[:kept]
    assert len(batches) == len(PLANNED) - kept


def test_what_a_canary_sent_before_does_not_make_the_server_seem_fast():
    clock = iter([100.0, 100.001, 100.002, 100.003])
    batches = FreshBatches(PLANNED, lambda: 5, None, now=lambda: next(clock))
    assert len(batches.take()) == FIRST


@pytest.mark.parametrize(("per_second", "left"), [(2, 0), (10, 1), (100, 19)])
def test_the_next_batch_is_read_when_updates_of_a_fifth_of_a_second_are_left(
    per_second: float, left: int
):
    sent, now = 0, 100.0
    batches = FreshBatches(PLANNED, lambda: sent, None, now=lambda: now)
    assert batches.ahead == 0
    batches.take()
    sent, now = 8, 100.0 + 8 / per_second
    assert batches.ahead == left
