"""The two promises: applying a plan empties the next one, and what is undeclared survives.

Both hold through the code that runs in earnest, from desired tasks to the server's memory.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.model import DesiredTask
from reconciler.core.plan_model import Plan, Status
from reconciler.core.problems import Kind
from reconciler.core.report import GOOD
from reconciler.core.values import Json
from reconciler.executor.execution_options import ExecutionOptions
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import new_state
from tests.sandboxed import apply_plan, plan_tasks
from tests.unit.core.building import allowing
from tests.unit.core.generating import OBJECTS, canonical, desired_tasks, live_tasks
from tests.unit.labelstudio.wired import Hooked

bounded = settings(max_examples=150, deadline=None, derandomize=True)
ALLOWED = allowing(*Kind)


def server_with(*tasks: dict[str, Json]) -> Hooked:
    state = new_state()
    project = state.add_project("All", number=7)
    for number, attributes in enumerate(tasks, start=1):
        state.add_task(project, json.loads(json.dumps(attributes)), number=number)
    return Hooked(state)


def planned(server: Hooked, desired: list[DesiredTask]) -> Plan:
    return plan_tasks(server, *desired, allow=ALLOWED)


def apply(server: Hooked, plan: Plan) -> None:
    outcomes = apply_plan(server, plan, options=ExecutionOptions(allow=ALLOWED, concurrency=2))
    assert {outcome.outcome for outcome in outcomes} <= GOOD


def stored(state: State, task: int) -> dict[str, Any]:
    return {name: v for name, v in state.tasks[task].values.items() if name != "updated_at"}


def expected(live: dict[str, Any], desired: DesiredTask) -> dict[str, Any]:
    """What the task must be: live, with each declared path as declared, and nothing else moved."""
    result = dict(live)
    for name, declared in desired.attributes.items():
        result[name] = brought(live[name], declared, whole=name in desired.replaced)
    for path in desired.absent:
        result = without(result, path)
    return result


def brought(live: Any, declared: Any, *, whole: bool) -> Any:  # noqa: ANN401 - JSON
    if not (isinstance(live, dict) and isinstance(declared, dict)):
        return live if canonical(live) == canonical(declared) else declared
    kept = {key: value for key, value in live.items() if key in declared or not whole}
    return kept | {
        key: brought(live[key], value, whole=whole) if key in live else value
        for key, value in declared.items()
    }


def without(value: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - JSON
    first, *rest = path
    if not isinstance(value, dict) or first not in value:
        return value
    if not rest:
        return {key: inner for key, inner in value.items() if key != first}
    return {**value, first: without(value[first], tuple(rest))}


@bounded
@given(st.data(), st.integers(1, 3))
def test_an_applied_plan_leaves_exactly_what_is_declared_and_nothing_to_do(
    data: st.DataObject, count: int
):
    numbers = range(1, count + 1)
    server = server_with(*(data.draw(live_tasks()) for _ in numbers))
    before = {number: stored(server.state, number) for number in numbers}
    desired = [data.draw(desired_tasks(number)) for number in numbers]
    plan = planned(server, desired)
    apply(server, plan)
    for task in desired:
        after = stored(server.state, task.id)
        assert json.dumps(after) == json.dumps(expected(before[task.id], task))
    # Tasks may keep warnings, such as an absent path inside a list.
    statuses = {task.status for task in planned(server, desired).tasks}
    assert statuses <= {Status.UNCHANGED}
    changed = {n for n in numbers if json.dumps(before[n]) != json.dumps(stored(server.state, n))}
    assert changed == {task.task for task in plan.tasks}


@bounded
@given(live_tasks(), desired_tasks(1), OBJECTS, st.integers(0, 100))
def test_what_others_change_beside_it_between_plan_and_apply_survives(
    live: dict[str, Json], desired: DesiredTask, theirs: dict[str, Json], overlap: int
):
    server = server_with(live)
    plan = planned(server, [desired])
    # Keys that no manifest here declares, and an attribute where none declares it.
    task = server.state.tasks[1].values
    beside = {f"theirs {key}": value for key, value in theirs.items()}
    if "data" not in desired.replaced:
        assert isinstance(live["data"], dict)
        task["data"] = {**beside, **live["data"]}
    if "overlap" not in desired.attributes:
        task["overlap"] = overlap
    now = stored(server.state, 1)
    apply(server, plan)
    assert json.dumps(stored(server.state, 1)) == json.dumps(expected(now, desired))


@bounded
@given(live_tasks(), desired_tasks(1))
def test_a_plan_carried_out_twice_sends_nothing_the_second_time(
    live: dict[str, Json], desired: DesiredTask
):
    server = server_with(live)
    plan = planned(server, [desired])
    apply(server, plan)
    sent = server.count("PATCH")
    assert sent == len(plan.updates)
    apply(server, plan)
    assert server.count("PATCH") == sent
