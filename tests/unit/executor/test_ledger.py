"""What is told of each task, when, and in which order."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from reconciler.core.plan_model import Status, TaskPlan
from reconciler.core.report import Outcome, TaskOutcome
from reconciler.errors import Refused, Rejected, ServerError, Unreachable
from reconciler.executor.execution_options import ExecutionOptions
from reconciler.executor.ledger import GONE, Ledger
from reconciler.executor.repair import StoredChanges
from reconciler.executor.update import UpdateResult
from reconciler.progress import NULL_PROGRESS
from tests.sandboxed import (
    apply_plan,
    outcomes_of,
    plan_tasks,
)
from tests.unit.core.building import desired, plan_of, update
from tests.unit.executor.meanwhile import before_first, sent_bodies, values
from tests.unit.labelstudio.wired import Hooked, Noted, sandbox_with


class Counted(Noted):
    """A watch that counts the tasks of each work."""

    def __init__(self) -> None:
        super().__init__()
        self.done: dict[str, int] = {}
        self._work = ""

    def begin(self, work: str, total: int | None = None) -> None:  # noqa: ARG002 - as a watch
        self._work = work
        self.done[work] = 0

    def advance(self, tasks: int = 1) -> None:
        self.done[self._work] += tasks


def test_tasks_that_were_not_started_are_no_progress_and_no_record():
    transport = Hooked(sandbox_with(500))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 501)))
    progress, recorded = Counted(), list[TaskOutcome]()
    options = ExecutionOptions(concurrency=1, progress=progress)
    transport.hook = before_first("PATCH", options.stop.set)
    outcomes = apply_plan(transport, plan, options=options, record=recorded.append)
    assert [outcome.task for outcome in recorded] == [1]
    assert Counter(outcome.outcome.value for outcome in outcomes) == {
        "applied": 1,
        "interrupted": 499,
    }
    assert progress.done == {"applying": 1, "verifying the changes": 1}


def test_every_line_is_written_before_the_next_update_is_sent():
    transport = Hooked(sandbox_with(4))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 5)))
    recorded: list[int] = []

    def in_step(request: httpx.Request) -> None:
        if request.method == "PATCH":
            assert len(recorded) == transport.count("PATCH") - 1

    transport.hook = in_step
    apply_plan(transport, plan, record=lambda outcome: recorded.append(outcome.task))
    assert recorded == [1, 2, 3, 4]


def test_a_line_that_cannot_be_written_stops_before_the_next_update():
    transport = Hooked(sandbox_with(20))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 21)))

    def disk_is_full(outcome: TaskOutcome) -> None:
        if outcome.task >= 2:
            raise Refused("no space left")

    with pytest.raises(Refused, match="no space left"):
        apply_plan(transport, plan, record=disk_is_full)
    assert list(sent_bodies(transport)) == ["/api/tasks/1/", "/api/tasks/2/"]


def test_one_thread_at_a_time_writes():
    transport = Hooked(sandbox_with(40))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 41)))
    writing = threading.Lock()

    def record(_: TaskOutcome) -> None:
        assert writing.acquire(blocking=False)
        writing.release()

    options = ExecutionOptions(concurrency=16)
    outcomes = apply_plan(transport, plan, options=options, record=record)
    assert {outcome.outcome for outcome in outcomes} == {Outcome.APPLIED}


def test_outcomes_come_in_the_order_of_the_plan():
    transport = Hooked(sandbox_with(30))
    values(transport.state, 7)["overlap"] = 5
    plan = plan_tasks(
        transport, *(desired(task, {"overlap": 2}) for task in range(30, 0, -1)), desired(99)
    )
    values(transport.state, 7)["overlap"] = 6
    outcomes = outcomes_of(transport, plan, options=ExecutionOptions(concurrency=8))
    assert list(outcomes) == [*range(1, 31), 99]
    assert outcomes[7][0] == "stale"
    assert outcomes[99][0] == "missing"


def test_tasks_that_the_plan_leaves_alone_are_reported_as_accepted():
    left = [
        replace(update(task), status=status)
        for task, status in enumerate((Status.MISSING, Status.BLOCKED, Status.UNREADABLE), start=1)
    ]
    transport = Hooked(sandbox_with(0))
    outcomes = apply_plan(transport, plan_of(*left))
    assert [(o.outcome.value, o.accepted) for o in outcomes] == [
        ("missing", True),
        ("blocked", True),
        ("blocked", True),
    ]
    assert transport.requests == []


def ledger() -> tuple[Ledger, threading.Event]:
    stop = threading.Event()
    return Ledger(record=lambda _: None, progress=NULL_PROGRESS, stop=stop), stop


def failed(task: int, error: ServerError) -> UpdateResult:
    return UpdateResult(TaskOutcome(task, Outcome.FAILED, (), str(error)), error)


def test_a_server_counts_as_gone_after_updates_in_a_row_that_came_to_nothing():
    found, stop = ledger()
    for task in range(1, GONE):
        found.note_update(failed(task, Unreachable("no answer")))
    found.note_failure(None)
    for task in range(1, GONE):
        found.note_update(failed(task, Unreachable("no answer")))
    assert not stop.is_set()
    found.note_update(failed(GONE, Unreachable("no answer")))
    assert stop.is_set()


def test_a_server_counts_as_gone_whatever_it_is_sent():
    found, stop = ledger()
    for task in range(1, GONE + 1):
        assert not stop.is_set()
        found.note_repair(failed(task, Unreachable("no answer")))
    assert stop.is_set()


def test_a_repair_is_told_only_where_no_look_can_tell():
    found, _ = ledger()
    task = update(1)
    stored = StoredChanges((), datetime(2026, 11, 28, tzinfo=UTC))
    applied = TaskOutcome(1, Outcome.APPLIED, ())
    found.note_update(UpdateResult(applied, to_settle=True, stored=stored))
    found.note_repair(UpdateResult(applied))
    found.note_repair(UpdateResult(TaskOutcome(1, Outcome.FAILED, (), "lost"), to_settle=True))
    found.note_repair(failed(1, Unreachable("no answer")))
    assert found.get_outcome(task) == applied
    assert found.sent == 1
    found.note_repair(UpdateResult(TaskOutcome(1, Outcome.FAILED, (), "a key is gone")))
    assert found.get_outcome(task).outcome is not Outcome.APPLIED
    assert found.sent == 0


def test_an_error_of_one_task_says_nothing_of_the_others():
    found, stop = ledger()
    for task in range(1, 3 * GONE):
        found.note_update(failed(task, Rejected("no", status=400)))
    assert not stop.is_set()


def test_what_many_workers_note_is_counted_in_full():
    found, _ = ledger()
    tasks = [update(number) for number in range(1, 801)]

    def note(own: list[TaskPlan]) -> None:
        for task in own:
            outcome = TaskOutcome(task.task, Outcome.APPLIED, ())
            stored = StoredChanges((), datetime(2026, 11, 28, tzinfo=UTC))
            found.note_update(UpdateResult(outcome, to_settle=True, stored=stored))
            found.note_repair(UpdateResult(outcome, to_settle=True, stored=stored))

    threads = [threading.Thread(target=note, args=(tasks[n::8],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.sent == 800
    assert found.select_to_settle([*tasks, update(801)]) == tasks
    assert {found.count_repairs(task) for task in tasks} == {1}
