"""Carrying plans out from Python: the guards of the command line, and an honest end."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import reconciler
from reconciler import (
    ApplyOptions,
    ApplyStopped,
    Limit,
    Manifests,
    Outcome,
    Refused,
    Report,
    ServerError,
    Settings,
    TaskOutcome,
)
from tests.unit.api.conftest import MakeServer, Server, declare, list_changed, list_texts


def test_a_plan_is_carried_out_and_its_report_is_the_one_on_disk(server: Server):
    state, settings = server
    plan = reconciler.plan(declare(1, 5), settings)
    told: list[TaskOutcome] = []
    report = reconciler.apply(
        plan,
        settings,
        options=ApplyOptions(commit="abc123"),
        report="report.jsonl",
        on_outcome=told.append,
    )
    assert list_changed(state) == {1, 2, 3, 4, 5}
    assert report.is_good
    assert report.complete
    assert reconciler.read_report("report.jsonl") == report
    (run,) = report.runs
    assert (run.command, run.digest, run.commit) == (
        "apply",
        plan.digest,
        reconciler.Commit("abc123"),
    )
    assert sorted(told, key=lambda outcome: outcome.task) == list(report.outcomes)
    assert repr(report) == f"<Report of apply on {settings.url}: 5 applied>"
    assert repr(reconciler.plan(declare(1, 5), settings)).endswith(": 5 unchanged>")


def test_each_outcome_is_on_disk_when_it_is_told(server: Server):
    told: list[bool] = []

    def look(outcome: TaskOutcome) -> None:
        lines = Path("report.jsonl").read_text(encoding="ascii").splitlines()
        told.append(any(json.loads(line).get("task") == outcome.task for line in lines))

    plan = reconciler.plan(declare(1, 9), server.settings)
    reconciler.apply(plan, server.settings, report="report.jsonl", on_outcome=look)
    assert told == [True] * 9


def blocked(server: Server) -> dict[str, Any]:
    return {"plan": reconciler.plan(declare(20, 21), server.settings)}


def too_many(server: Server) -> dict[str, Any]:
    return {"settings": replace(server.settings, max_changes=Limit.parse("10%"))}


def another_digest(_: Server) -> dict[str, Any]:
    return {"options": ApplyOptions(expected_digest="sha256:of-another")}


def values_changed_in_place(server: Server) -> dict[str, Any]:
    plan = reconciler.plan(Manifests.from_tasks([{"id": 1, "data": {"x": [5]}}]), server.settings)
    options = ApplyOptions(expected_digest=plan.digest)
    plan.tasks[0].changes[0].after.append(99)  # type: ignore[union-attr]  # a list
    return {"plan": plan, "options": options}


def a_file_of_others_as_report(_: Server) -> dict[str, Any]:
    Path("other.yaml").write_text("version: 1\ntasks: []\n", encoding="utf-8")
    return {"report": "other.yaml"}


def a_manifest_as_report(server: Server) -> dict[str, Any]:
    text = json.dumps({"version": 1, "tasks": [{"id": 1, "data": {"text": "new"}}]})
    Path("m.json").write_text(text, encoding="utf-8")
    return {"plan": reconciler.plan(reconciler.load("m.json"), server.settings), "report": "m.json"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (blocked, "1 task is blocked"),
        (too_many, r"the plan would change 3 of 3 tasks; the limit is 10% \(0 tasks\)"),
        (another_digest, "expected the plan sha256:of-another, found sha256:"),
        (values_changed_in_place, r"expected the plan sha256:\w+, found sha256:"),
        (a_manifest_as_report, "m.json exists and is not a report"),
        (a_file_of_others_as_report, "other.yaml exists and is not a report"),
        (lambda _: {"report": "\0"}, "the name of the report contains a NUL character"),
        (lambda _: {"report": "/dev/full"}, "cannot write the report to /dev/full: No space left"),
    ],
)
def test_what_the_command_line_refuses_is_refused(
    server: Server, change: Callable[[Server], dict[str, Any]], message: str
):
    given: dict[str, Any] = {
        "plan": reconciler.plan(declare(1, 3), server.settings),
        "settings": server.settings,
        **change(server),
    }
    with pytest.raises(Refused, match=message):
        reconciler.apply(given.pop("plan"), given.pop("settings"), **given)
    assert server.state.requests("PATCH") == 0


def test_a_plan_for_another_server_is_refused(server: Server, make_server: MakeServer):
    plan = reconciler.plan(declare(1, 3), server.settings)
    other = make_server(3)
    with pytest.raises(Refused, match=r"the plan was made for http://127\.0\.0\.1:"):
        reconciler.apply(plan, other.settings)
    assert other.state.requests("PATCH") == 0


def test_a_wrong_token_is_told_before_the_report_is_there(server: Server):
    plan = reconciler.plan(declare(1, 3), server.settings)
    with pytest.raises(ServerError, match="returned 401: Invalid token"):
        reconciler.apply(plan, Settings(server.settings.url, "wrong"), report="report.jsonl")
    assert not Path("report.jsonl").exists()


def test_what_is_allowed_is_left_alone(server: Server):
    plan = reconciler.plan(declare(20, 21), server.settings, allow=["missing"])
    report = reconciler.apply(plan, server.settings, options=ApplyOptions(allow=["missing"]))
    assert [outcome.outcome for outcome in report.outcomes] == [Outcome.APPLIED, Outcome.MISSING]
    assert report.is_good


def test_what_cannot_be_allowed_is_told():
    with pytest.raises(ValueError, match="'overlap-cohort' cannot be allowed"):
        ApplyOptions(allow=[reconciler.Kind.OVERLAP_COHORT])
    with pytest.raises(ValueError, match="'mising' cannot be allowed; choose"):
        ApplyOptions(allow=["mising"])
    with pytest.raises(ValueError, match="canary: expected a number of tasks, found -1"):
        ApplyOptions(canary=-1)


def test_arguments_of_a_wrong_type_are_refused_before_any_update(server: Server):
    plan = reconciler.plan(declare(1, 3), server.settings)
    with pytest.raises(
        TypeError, match="on_outcome: expected a callable, found a value of type int"
    ):
        reconciler.apply(plan, server.settings, on_outcome=5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="commit: expected text, found 5"):
        ApplyOptions(commit=5)  # type: ignore[arg-type]
    assert server.state.requests("PATCH") == 0


# What stops a run.


def check_stopped(server: Server, report: Report, total: int) -> None:
    """Check that a report tells all that was done, and that the rest was left alone."""
    done = {o.task for o in report.outcomes if o.outcome is Outcome.APPLIED}
    assert done == list_changed(server.state)
    assert 0 < len(done) < total
    rest = {o.outcome for o in report.outcomes if o.task not in done}
    assert rest == {Outcome.INTERRUPTED}
    assert report.complete


class Listener:
    """A progress listener that raises in one method, the second time it is called."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls = 0

    def _call(self, name: str) -> None:
        self.calls += name == self.name
        if name == self.name and self.calls > 1:
            raise RuntimeError(f"in {name}")

    def begin(self, work: str, total: int | None = None) -> None:  # noqa: ARG002 - as it is called
        self._call("begin")

    def advance(self, tasks: int = 1) -> None:  # noqa: ARG002 - as above
        self._call("advance")

    def detail(self, text: str) -> None:
        pass

    def note(self, text: str) -> None:
        pass


def test_an_outcome_callback_that_raises_stops_the_run_honestly(make_server: MakeServer):
    server = make_server(300)
    plan = reconciler.plan(declare(1, 300), server.settings)
    calls: list[int] = []

    def fail(outcome: TaskOutcome) -> None:
        calls.append(outcome.task)
        raise KeyError("the caller's mistake")

    with pytest.raises(ApplyStopped, match="a callback raised KeyError") as stopped:
        reconciler.apply(plan, server.settings, report="report.jsonl", on_outcome=fail)
    assert isinstance(stopped.value.__cause__, KeyError)
    assert len(calls) == 1
    assert stopped.value.unwritten == ()
    check_stopped(server, stopped.value.report, 300)
    assert reconciler.read_report("report.jsonl") == stopped.value.report


def test_a_progress_listener_that_raises_stops_the_run_honestly(make_server: MakeServer):
    server = make_server(300)
    plan = reconciler.plan(declare(1, 300), server.settings)
    with pytest.raises(ApplyStopped) as stopped:
        reconciler.apply(plan, server.settings, progress=Listener("advance"))
    assert str(stopped.value.__cause__) == "in advance"
    check_stopped(server, stopped.value.report, 300)


@pytest.mark.parametrize("name", ["begin", "advance"])
def test_a_progress_listener_that_raises_ends_a_plan(make_server: MakeServer, name: str):
    server = make_server(2_000)
    listener = Listener(name)
    listener.calls = 1 if name == "begin" else 0
    with pytest.raises(RuntimeError, match=f"in {name}"):
        reconciler.plan(declare(1, 2_000), server.settings, progress=listener)


def test_a_report_that_cannot_be_written_to_its_end_stops_the_run(make_server: MakeServer):
    server = make_server(300)
    plan = reconciler.plan(declare(1, 300), server.settings)
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    read: list[bytes] = []

    def hang_up(outcome: TaskOutcome) -> None:  # noqa: ARG001 - any of them
        if not read:
            read.append(os.read(reader, 1 << 16))
            os.close(reader)

    with pytest.raises(
        ApplyStopped, match="cannot write the report to pipe: Broken pipe"
    ) as stopped:
        reconciler.apply(plan, server.settings, report="pipe", on_outcome=hang_up)
    assert isinstance(stopped.value.__cause__, Refused)
    check_stopped(server, stopped.value.report, 300)
    Path("whole.jsonl").write_bytes(read[0] + "\n".join(stopped.value.unwritten).encode("ascii"))
    assert reconciler.read_report("whole.jsonl") == stopped.value.report


def test_a_stop_set_by_another_thread_ends_the_run(make_server: MakeServer):
    server = make_server(2_000)
    plan = reconciler.plan(declare(1, 2_000), server.settings)
    stop = threading.Event()
    report = reconciler.apply(plan, server.settings, stop=stop, on_outcome=lambda _: stop.set())
    check_stopped(server, report, 2_000)
    assert not report.is_good


def test_an_interrupt_lets_updates_end_and_is_raised_again_with_what_was_done(
    make_server: MakeServer,
):
    server = make_server(2_000)
    plan = reconciler.plan(declare(1, 2_000), server.settings)
    once = threading.Event()

    def interrupt(outcome: TaskOutcome) -> None:  # noqa: ARG001 - any of them
        if not once.is_set():
            once.set()
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as interrupted:
        reconciler.apply(plan, server.settings, report="report.jsonl", on_outcome=interrupt)
    report = reconciler.read_report("report.jsonl")
    check_stopped(server, report, 2_000)
    done = len(list_changed(server.state))
    assert interrupted.value.__notes__ == [
        f"reconciler stopped: {done:,} applied, {2_000 - done:,} not started"
    ]


def test_an_impatient_second_interrupt_cuts_no_update_off(make_server: MakeServer):
    server = make_server(300)
    plan = reconciler.plan(declare(1, 300), replace(server.settings))
    once = threading.Event()

    def interrupt(outcome: TaskOutcome) -> None:  # noqa: ARG001 - any of them
        if not once.is_set():
            once.set()
            for _ in range(3):
                signal.raise_signal(signal.SIGINT)
                time.sleep(0.3)

    with pytest.raises(KeyboardInterrupt) as interrupted:
        reconciler.apply(plan, server.settings, report="report.jsonl", on_outcome=interrupt)
    check_stopped(server, reconciler.read_report("report.jsonl"), 300)
    assert interrupted.value.__notes__
    assert not [thread for thread in threading.enumerate() if thread.name == "work"]


def test_the_same_plan_again_goes_on_where_it_stopped(make_server: MakeServer):
    server = make_server(300)
    plan = reconciler.plan(declare(1, 300), server.settings)
    stop = threading.Event()
    slow = replace(server.settings, rps=100)
    reconciler.apply(plan, slow, stop=stop, on_outcome=lambda _: stop.set())
    report = reconciler.apply(plan, server.settings)
    assert report.is_good
    assert {o.outcome for o in report.outcomes} == {Outcome.APPLIED, Outcome.ALREADY}
    assert list_changed(server.state) == set(range(1, 301))
    assert server.state.requests("PATCH") == 300


# What goes back.


def test_what_was_done_is_undone(server: Server):
    before = list_texts(server.state)
    plan = reconciler.plan(declare(1, 5), server.settings)
    first = reconciler.apply(plan, server.settings)
    second = reconciler.apply(
        reconciler.plan(declare(4, 8, "newer"), server.settings), server.settings
    )
    inverse = reconciler.plan_revert([first, second], server.settings)
    assert [task.task for task in inverse.updates] == [1, 2, 3, 4, 5, 6, 7, 8]
    report = reconciler.revert(
        [first, second],
        server.settings,
        options=ApplyOptions(expected_digest=inverse.digest),
        report="reverted.jsonl",
    )
    assert report.command == "revert"
    assert reconciler.read_report("reverted.jsonl") == report
    after = list_texts(server.state)
    assert after == before


def test_what_was_edited_since_is_not_undone(server: Server):
    report = reconciler.apply(reconciler.plan(declare(1, 2), server.settings), server.settings)
    server.state.tasks[2].values["data"] = {"text": "edited"}
    with pytest.raises(Refused, match="edited-since"):
        reconciler.revert(report, server.settings)
    allow = frozenset({reconciler.Kind.EDITED_SINCE})
    reconciler.revert(report, server.settings, options=ApplyOptions(allow=allow))
    assert list_changed(server.state) == set()
    assert list_texts(server.state)[2] == "edited"
