"""Any history of runs, faults, kills and other people's edits, against a model of what is allowed.

The model takes the changes of a plan, and says on its own what a run may make of what the server
held just before: all of a task's changes, or none, and none where one of them is stale.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reconciler.core.difference import are_equal
from reconciler.core.model import Change
from reconciler.core.paths import Path, get_value
from reconciler.core.plan_document import restore_plan
from reconciler.core.plan_model import Plan
from reconciler.core.problems import Kind
from reconciler.core.report import GOOD, Outcome, Report, Run, TaskOutcome
from reconciler.core.values import ABSENT, Json, Side
from reconciler.engine.connection import Connection
from reconciler.engine.revert import build_revert_plan, compose_history
from reconciler.errors import ServerError
from reconciler.executor.execution_options import ExecutionOptions
from reconciler.labelstudio.task_api import TaskApi
from reconciler.renderers.json import render_plan
from reconciler.renderers.render_options import RenderOptions
from reconciler.sandbox.tasks_file import new_state
from tests.faults.kinds import Fault
from tests.faults.misbehaving import Misbehaving, once
from tests.faults.promises import same
from tests.faults.scenarios import Values, bounded_call, stored
from tests.sandboxed import CONTRACT, apply_with, plan_with
from tests.unit.core.building import SERVER, allowing, desired
from tests.unit.labelstudio.wired import TEXT, api_of

ALL = allowing(*Kind)
TASKS = st.integers(1, 3)
VALUES = st.sampled_from(["a", "b", None])


class Killed(BaseException):
    """What the transport throws when the process is to end: nothing may catch it for long."""


class Line(Misbehaving):
    """A line that may also go dead for good, as it does for a process that is killed.

    Somebody else writes to every task, beside all that is declared, at the request ``disturbed``.
    """

    killed_at: int | None = None
    disturbed: int | None = None

    def handle_request(self, request: Any) -> Any:  # noqa: ANN401 - as of its base
        if self.killed_at is not None and self.count + 1 >= self.killed_at:
            raise Killed
        if self.count + 1 == self.disturbed:
            comment_on_all(self)
        return super().handle_request(request)


def comment_on_all(line: Misbehaving) -> None:
    for task in line.state.tasks.values():
        count = task.values["comment_count"]
        assert isinstance(count, int)
        task.values["comment_count"] = count + 1


class History(RuleBasedStateMachine):
    """Three tasks, of which manifests declare more or less, and everybody at work on them."""

    @initialize()
    def begin(self) -> None:
        self.state = new_state()
        project = self.state.add_project("Project 7", TEXT, number=7)
        for number in (1, 2, 3):
            values = {"data": {"text": "t", "x": "a", "theirs": [1]}, "meta": {"m": "a"}}
            self.state.add_task(project, values, number=number)
        self.declared: dict[int, dict[str, Any]] = {1: {"overlap": 1}}
        self.replaced: set[int] = set()
        self.absent: dict[int, tuple[str, ...]] = {}
        self.line = Line(self.state)
        self.saved: Plan | None = None
        self.reported: dict[int, TaskOutcome] = {}

    # What others do.

    @rule(task=TASKS, value=VALUES)
    def somebody_edits_where_something_may_be_declared(self, task: int, value: Json) -> None:
        self._edit(task, "data", {"x": value})

    @rule(task=TASKS, value=VALUES)
    def somebody_edits_where_nothing_is_declared(self, task: int, value: Json) -> None:
        self._edit(task, "data", {"theirs": value})
        self._edit(task, "meta", {"theirs": value})

    @rule(task=TASKS)
    def somebody_removes_an_object(self, task: int) -> None:
        if task in self.state.tasks:
            self.state.tasks[task].values["meta"] = {}

    @rule(task=TASKS, value=st.integers(1, 3))
    def somebody_sets_the_overlap(self, task: int, value: int) -> None:
        if task in self.state.tasks:
            self.state.tasks[task].values["overlap"] = value

    @precondition(lambda self: len(self.state.tasks) > 1)
    @rule(task=st.just(3))
    def somebody_deletes_a_task(self, task: int) -> None:
        if self.state.tasks.pop(task, None):
            self.state.projects[7].task_ids.remove(task)

    def _edit(self, task: int, name: str, keys: dict[str, Json]) -> None:
        if task in self.state.tasks:
            values: Values = self.state.tasks[task].values
            values[name] = {**values[name], **keys}

    # What the manifests say.

    @rule(task=TASKS, value=VALUES, overlap=st.integers(1, 3))
    def declare(self, task: int, value: Json, overlap: int) -> None:
        self.declared[task] = {"data": {"x": value, "y": {"z": value}}, "overlap": overlap}
        self.absent.pop(task, None)
        self.replaced.discard(task)

    @rule(task=TASKS, value=VALUES)
    def declare_the_whole_of_meta(self, task: int, value: Json) -> None:
        self.declared.setdefault(task, {})["meta"] = {"m": value}
        self.replaced.add(task)

    @rule(task=TASKS)
    def declare_absence(self, task: int) -> None:
        self.declared.setdefault(task, {}).pop("data", None)
        self.absent[task] = ("data.x", "data.y.z")

    # What goes wrong.

    @rule(fault=st.sampled_from([f for f in Fault if f is not Fault.LATE]), at=st.integers(1, 12))
    def trouble_is_ahead(self, fault: Fault, at: int) -> None:
        self.line = Line(self.state, once(fault, at))

    @rule(at=st.integers(1, 12))
    def the_process_will_be_killed(self, at: int) -> None:
        self.line = Line(self.state)
        self.line.killed_at = at

    @rule(at=st.integers(1, 12))
    def somebody_will_write_meanwhile(self, at: int) -> None:
        self.line = Line(self.state)
        self.line.disturbed = at

    # What the tool does.

    @rule()
    def plan_and_save(self) -> None:
        before = stored(self.state)
        made = self._try(self._plan)
        if made is not None:
            self.saved = restore_plan(json.loads(render_plan(made, RenderOptions())))
            assert self.saved == made
        assert before == self._without_comments(stored(self.state), before)

    @rule(concurrency=st.integers(1, 2), canary=st.integers(0, 1))
    def apply(self, concurrency: int, canary: int) -> None:
        plan = self._try(self._plan)
        if plan is not None:
            self._carry_out(plan, concurrency=concurrency, canary=canary)

    @precondition(lambda self: self.saved is not None)
    @rule(concurrency=st.integers(1, 2))
    def apply_what_was_saved(self, concurrency: int) -> None:
        assert self.saved is not None
        self._carry_out(self.saved, concurrency=concurrency)

    @precondition(lambda self: self.reported)
    @rule()
    def revert(self) -> None:
        report = Report(SERVER, (Run("sha256:0"),), tuple(self.reported.values()))
        reports = [("report.jsonl", report)]
        history = compose_history(reports)
        before = stored(self.state)
        plan = self._try(
            lambda api: build_revert_plan(history, Connection(api, CONTRACT), allow=ALL)
        )
        if plan is not None:
            for task in plan.updates:
                assert {c.path for c in task.changes} <= {c.path for c in history.made[task.task]}
            self._carry_out(plan)
        elif self.line.killed_at is None:
            assert stored(self.state) == self._without_comments(stored(self.state), before)

    @rule()
    def without_faults_it_converges(self) -> None:
        self.line = Line(self.state)
        plan = self._try(self._plan)
        assert plan is not None
        self._carry_out(plan)
        assert all(outcome.is_good for outcome in self.reported.values())
        again = self._try(self._plan)
        assert again is not None
        assert again.updates == ()
        self._is_as_declared()

    def teardown(self) -> None:
        if hasattr(self, "line"):
            self.without_faults_it_converges()

    @invariant()
    def what_nobody_declares_is_still_there(self) -> None:
        if hasattr(self, "state"):
            for task in stored(self.state).values():
                assert "theirs" in task["data"]
                assert "text" in task["data"]

    # How that is looked at.

    def _plan(self, api: TaskApi) -> Plan:
        tasks = (
            desired(
                task,
                self.declared.get(task, {}),
                replaced=("meta",) if task in self.replaced else (),
                absent=self.absent.get(task, ()),
            )
            for task in sorted(self.declared.keys() | self.absent.keys())
        )
        return plan_with(api, tasks, allow=ALL)

    def _try(self, make: Callable[[TaskApi], Plan]) -> Plan | None:
        """Plan; None where the server or the process did not live to its end."""
        try:
            with api_of(self.line) as api:
                return make(api)
        except (ServerError, Killed):
            return None
        finally:
            self._mended_after_a_kill()

    def _carry_out(self, plan: Plan, *, concurrency: int = 2, canary: int = 0) -> None:
        before = stored(self.state)
        self.reported = {}
        options = ExecutionOptions(ALL, concurrency, canary=canary)

        def carry() -> None:
            with api_of(self.line) as api:
                outcomes = apply_with(api, plan, options=options, record=self._record)
            recorded = [task for task in outcomes if task.outcome is not Outcome.INTERRUPTED]
            assert {task.task: task for task in recorded} == self.reported
            self.reported = {task.task: task for task in outcomes}

        try:
            bounded_call(carry)
        except Killed:
            pass
        else:
            assert self.reported.keys() == {task.task for task in plan.tasks}
        finally:
            self._mended_after_a_kill()
        self._judge(plan, before, stored(self.state))

    def _record(self, outcome: TaskOutcome) -> None:
        self.reported[outcome.task] = outcome

    def _mended_after_a_kill(self) -> None:
        self.line.killed_at = None

    def _judge(self, plan: Plan, before: dict[int, Values], after: dict[int, Values]) -> None:
        planned = {task.task: task.changes for task in plan.updates}
        after = self._without_comments(after, before)
        for task, values in after.items():
            allowed = [before[task], brought(before[task], planned.get(task, ()))]
            assert any(same(values, one) for one in allowed), f"task {task} became {values}"
        for outcome in self.reported.values():
            if outcome.outcome in GOOD:
                claimed = after[outcome.task]
                assert all(holds(change, claimed) for change in outcome.changes), outcome
            if outcome.outcome is Outcome.APPLIED:
                assert not same(after[outcome.task], before[outcome.task]), outcome

    def _without_comments(
        self, after: dict[int, Values], before: dict[int, Values]
    ) -> dict[int, Values]:
        """Take out what was written meanwhile, after looking that it is still there."""
        for task, values in after.items():
            assert values["comment_count"] in {
                before[task]["comment_count"],
                before[task]["comment_count"] + 1,
            }
        return {
            task: {**values, "comment_count": before[task]["comment_count"]}
            for task, values in after.items()
        }

    def _is_as_declared(self) -> None:
        for task, attributes in self.declared.items():
            if task not in self.state.tasks:
                continue
            values = self.state.tasks[task].values
            data: Any = values["data"]
            if "overlap" in attributes:
                assert values["overlap"] == attributes["overlap"]
            if "data" in attributes:
                assert {name: data[name] for name in ("x", "y")} == attributes["data"]
            if task in self.replaced:
                assert values["meta"] == attributes["meta"]
            if task in self.absent:
                assert "x" not in data
                assert "z" not in data.get("y", {})


def holds(change: Change, values: Values) -> bool:
    return are_equal(change.path, get_value(values, change.path), change.after, CONTRACT)


def brought(values: Values, changes: tuple[Change, ...]) -> Values:
    """Give what a task becomes by changes none of which is stale; what it is where one is."""
    due = [change for change in changes if not holds(change, values)]
    if not all(is_due(change, values) for change in due):
        return values
    for change in due:
        values = with_value(values, change.path, change.after)
    return values


def is_due(change: Change, values: Values) -> bool:
    """Tell whether a change finds what it was planned for; a key needs its object to be absent."""
    inside = len(change.path) == 1 or isinstance(get_value(values, change.path[:-1]), dict)
    return inside and are_equal(
        change.path, get_value(values, change.path), change.before, CONTRACT
    )


def with_value(values: Values, path: Path, value: Side) -> Values:
    key, *rest = path
    if rest:
        return {**values, key: with_value(values[key], tuple(rest), value)}
    if value is ABSENT:
        return {name: kept for name, kept in values.items() if name != key}
    return {**values, key: value}


TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=120, stateful_step_count=25, deadline=None, derandomize=True
)
