"""How many changes are too many."""

from __future__ import annotations

import pytest

from reconciler.core.limit import Limit, describe_excess
from reconciler.core.plan_model import Plan
from tests.unit.core.building import change, plan_of, update


def plan(updates: int, unchanged: int) -> Plan:
    tasks = (update(task, change("overlap", 1, 2)) for task in range(1, updates + 1))
    return plan_of(*tasks, unchanged=unchanged)


@pytest.mark.parametrize(
    ("limit", "updates", "unchanged", "over"),
    [
        ("3", 3, 0, False),
        ("2", 3, 0, True),
        ("0", 1, 0, True),
        ("0", 0, 9, False),
        ("10%", 1, 9, False),
        ("10%", 1, 8, True),
        ("10%", 2, 18, False),
        ("100%", 5, 0, False),
        ("0%", 1, 999, True),
        ("29%", 29, 71, False),
        ("0.1%", 1, 999, False),
    ],
)
def test_a_plan_goes_over_its_limit_or_does_not(
    limit: str,
    updates: int,
    unchanged: int,
    over: bool,  # noqa: FBT001 - a column
):
    assert bool(describe_excess(plan(updates, unchanged), Limit.parse(limit))) == over


def test_without_a_limit_any_number_is_fine():
    assert not describe_excess(plan(1_000, 0), None)


def test_the_message_states_the_changes_and_the_limit():
    said = describe_excess(plan(1_203, 797), Limit.parse("5%"))
    assert said == "the plan would change 1,203 of 2,000 tasks; the limit is 5% (100 tasks)"
    assert describe_excess(plan(2, 0), Limit.parse("1")).endswith("; the limit is 1")


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "101%", "100.1%", "%", "1e3", "5 %", "nan"])
def test_text_that_is_not_a_limit_is_refused(text: str):
    with pytest.raises(ValueError, match="a percentage, such as 100"):
        Limit.parse(text)
