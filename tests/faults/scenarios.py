"""Small applies in which something of everything happens, and what must hold at their end."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from reconciler.core.allowances import NOTHING_ALLOWED, Allowances, list_blocked
from reconciler.core.model import DesiredTask
from reconciler.core.plan_model import Plan
from reconciler.core.problems import Kind
from reconciler.core.report import TaskOutcome
from reconciler.errors import ReconcilerError
from reconciler.executor.execution_options import ExecutionOptions
from reconciler.sandbox.access import SANDBOX_REFRESH_TOKEN, SANDBOX_TOKEN
from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import new_state
from tests.faults.misbehaving import Misbehaving
from tests.sandboxed import apply_with, plan_tasks, plan_with
from tests.unit.core.building import allowing, desired
from tests.unit.labelstudio.wired import TEXT, api_of

SECONDS: Final = 30.0
"""After which a run counts as one that never ends; none takes a tenth of a second."""

Values = dict[str, Any]
T = TypeVar("T")

DESIRED: Final = (
    desired(1, {"overlap": 3}),
    desired(2, {"data": {"text": "Another."}}),
    desired(3, {"data": {"lang": "en", "kept": {"added": None}}}),
    desired(4, absent=("data.old",)),
    desired(5, {"meta": {"n": 2}}, replaced=("meta",)),
    desired(6, {"overlap": 1}),
)
UNPLACED: Final = tuple(task._replace(project=None) for task in DESIRED)
"""The same of no named project: it is found by asking for one of the tasks by its id."""

BROKEN: Final = desired(7, {"overlap": 3})
"""Declared of a task whose data has been broken: it fails every page that it is on."""


def as_declared(task: int, values: Values) -> Values:
    """Say by hand what a task must be, so that the tool is not measured by itself."""
    data = values["data"]
    match task:
        case 1:
            return {**values, "overlap": 3}
        case 2:
            return {**values, "data": {**data, "text": "Another."}}
        case 3:
            kept = {**data["kept"], "added": None}
            return {**values, "data": {**data, "lang": "en", "kept": kept}}
        case 4:
            left = {key: value for key, value in data.items() if key != "old"}
            return {**values, "data": left}
        case 5:
            return {**values, "meta": {"n": 2}}
        case _:
            return values


@dataclass(frozen=True, slots=True)
class Scenario:
    """An apply. With ``moved`` its plan is a saved one, and that is what happened since.

    ``theirs`` are tasks that somebody edited where they are declared: they must stay as they are.
    """

    name: str
    desired: tuple[DesiredTask, ...] = DESIRED
    allow: Allowances = NOTHING_ALLOWED
    token: str = SANDBOX_TOKEN
    moved: Callable[[State], None] | None = None
    theirs: frozenset[int] = frozenset()

    def begin(self) -> tuple[State, Plan | None]:
        """Give a server, and where it was saved the plan that was made of it."""
        state = _new_server(broken=BROKEN in self.desired)
        if self.moved is None:
            return state, None
        plan = plan_tasks(SandboxTransport(state), *self.desired, allow=self.allow)
        self.moved(state)
        return state, plan


def _new_server(*, broken: bool) -> State:
    state = new_state()
    project = state.add_project("Project 7", TEXT, number=7)
    for number in range(1, 7):
        data = {"text": f"Sentence {number}.", "old": [1.0, None], "kept": {"big": 10**30}}
        meta = {"n": 1, "theirs": {"a": "é"}}
        state.add_task(project, {"data": data, "meta": meta}, number=number)
    if broken:
        state.add_task(project, {"data": 5}, number=7)
    return state


def _others_edit(state: State) -> None:
    """Do to three tasks what a plan may meet: as declared, edited there, edited beside it."""
    tasks: dict[int, Values] = {number: task.values for number, task in state.tasks.items()}
    tasks[1]["overlap"] = 3
    tasks[2]["data"]["text"] = "Theirs."
    tasks[3]["data"]["beside"] = "theirs"


SCENARIOS: Final = {
    scenario.name: scenario
    for scenario in (
        Scenario("six tasks"),
        Scenario("personal token", UNPLACED, token=SANDBOX_REFRESH_TOKEN),
        Scenario("broken task", (*DESIRED, BROKEN), allowing(Kind.UNREADABLE)),
        Scenario("saved plan", moved=_others_edit, theirs=frozenset({2})),
    )
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: its exit code, what it reported, and the error that it ended with."""

    code: int
    outcomes: tuple[TaskOutcome, ...] = ()
    error: str = ""

    def by_task(self) -> dict[int, tuple[str, bool]]:
        return {outcome.task: (outcome.outcome, outcome.accepted) for outcome in self.outcomes}


def run(
    scenario: Scenario, transport: Misbehaving, plan: Plan | None, *, concurrency: int
) -> Ended:
    """Do what ``reconciler apply`` does; any error that is not meant for people comes through."""
    options = ExecutionOptions(scenario.allow, concurrency)
    try:
        with api_of(transport, scenario.token) as api:
            made = plan or plan_with(api, scenario.desired, allow=scenario.allow)
            if list_blocked(made):
                return Ended(1, error="tasks are in the way")
            outcomes = apply_with(api, made, options=options)
    except ReconcilerError as error:
        return Ended(1, error=str(error))
    finally:
        transport.finish()
    good = all(outcome.is_good for outcome in outcomes)
    return Ended(0 if good else 3, tuple(outcomes))


def bounded_call(call: Callable[[], T]) -> T:
    """Call, and fail where it does not end by itself."""
    ended: list[T] = []
    raised: list[BaseException] = []

    def work() -> None:
        try:
            ended.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            raised.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(SECONDS)
    assert not thread.is_alive(), "the run does not end"
    if raised:
        raise raised[0]
    return ended[0]


def stored(state: State) -> dict[int, Values]:
    """Give all that the server holds, but for when it was last written to."""
    return {
        number: {k: copy.deepcopy(v) for k, v in task.values.items() if k != "updated_at"}
        for number, task in sorted(state.tasks.items())
    }
