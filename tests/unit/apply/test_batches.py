"""What is read afresh is sent within ten seconds or so, on fast servers and on slow ones."""

from __future__ import annotations

import pytest

from reconciler.apply.batches import FreshBatches
from tests.unit.plan.building import change, update

PLANNED = [update(task, change("overlap", 1, 2)) for task in range(1, 2_001)]


def sizes(count: int, per_second: float, rps: float | None = None) -> list[int]:
    """Cut updates into batches, for a server that does so many a second."""
    sent, now, found = 0, 100.0, []
    batches = FreshBatches(lambda: sent, rps, now=lambda: now)
    for batch in batches.of(PLANNED[:count]):
        found.append(len(batch))
        sent += len(batch)
        now += len(batch) / per_second
    return found


@pytest.mark.parametrize(
    ("count", "per_second", "expected"),
    [
        (50, 10, [50]),
        (100, 10, [100]),
        (350, 10, [100, 100, 100, 50]),
        (130, 2, [100, 20, 10]),
        (2_000, 1_000, [100, 500, 500, 500, 400]),
        (3, 0.01, [3]),
    ],
)
def test_a_batch_is_what_the_server_does_in_ten_seconds(
    count: int, per_second: float, expected: list[int]
):
    assert sizes(count, per_second) == expected


@pytest.mark.parametrize(("rps", "first"), [(0.001, 1), (0.5, 5), (4, 40), (1_000, 100)])
def test_updates_that_are_kept_apart_are_read_in_smaller_batches(rps: float, first: int):
    assert sizes(200, rps, rps)[0] == first


def test_every_update_is_in_one_batch_in_order():
    batches = list(FreshBatches(lambda: 0, 0.7).of(PLANNED[:100]))
    assert [task for batch in batches for task in batch] == PLANNED[:100]


def test_what_a_canary_sent_before_does_not_make_the_server_seem_fast():
    clock = iter([100.0, 100.001])
    batches = FreshBatches(lambda: 5, None, now=lambda: next(clock))
    assert len(next(batches.of(PLANNED))) == 100
