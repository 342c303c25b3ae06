"""A plan depends on what is declared and live, and not on the order of anything."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.contract.openapi import load_contract
from reconciler.core.model import DesiredTask, Found, Observed
from reconciler.core.plan_model import TaskPlan
from reconciler.core.planner import plan_task
from reconciler.core.values import Json
from tests.unit.core.building import plan_of
from tests.unit.core.generating import canonical_change, desired_tasks, live_tasks, reordered_object


def planned(desired: list[DesiredTask], live: dict[int, dict[str, Json]]) -> list[TaskPlan]:
    observed: dict[int, Observed] = {
        task: Found({**attributes, "project": 7}) for task, attributes in live.items()
    }
    plans = [plan_task(task, observed[task.id], load_contract()) for task in desired]
    return sorted(filter(None, plans), key=lambda planned: planned.task)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data(), st.integers(1, 3))
def test_a_plan_is_the_same_in_whatever_order_tasks_and_keys_come(data: st.DataObject, count: int):
    numbers = range(1, count + 1)
    desired = [data.draw(desired_tasks(number)) for number in numbers]
    live = {number: data.draw(live_tasks()) for number in numbers}
    first = planned(desired, live)
    second = planned(
        [
            task._replace(attributes=data.draw(reordered_object(task.attributes)))
            for task in data.draw(st.permutations(desired))
        ],
        {number: data.draw(reordered_object(live[number])) for number in reversed(numbers)},
    )
    assert plan_of(*first).digest == plan_of(*second).digest
    assert [(task.task, task.status) for task in first] == [
        (task.task, task.status) for task in second
    ]
    for left, right in zip(first, second, strict=True):
        assert set(map(canonical_change, left.changes)) == set(map(canonical_change, right.changes))
