"""Carrying a plan out: batches, workers, stops, canaries, and servers that are gone."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from reconciler.core.report import STOPPED, Outcome
from reconciler.executor.execution_options import ExecutionOptions
from reconciler.executor.rate_limiter import RateLimiter
from tests.sandboxed import LARGE_BATCHES, apply_plan, outcomes_of, plan_tasks
from tests.unit.core.building import desired
from tests.unit.executor.meanwhile import before_first, instead, values
from tests.unit.labelstudio.wired import Hooked, sandbox_with


def test_a_change_is_made_seen_and_seen_again():
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, desired(1, {"overlap": 3}), desired(2, {"overlap": 1}))
    assert outcomes_of(transport, plan) == {1: ("applied", "")}
    assert [request.method for request in transport.requests] == ["GET", "OPTIONS", "PATCH", "GET"]
    assert values(transport.state, 1)["overlap"] == 3


def test_once_told_to_stop_nothing_is_read_or_sent():
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}), desired(2, {"overlap": 2}))
    options = ExecutionOptions(concurrency=1)
    options.stop.set()
    assert outcomes_of(transport, plan, options=options) == {
        1: ("interrupted", "the run was stopped before this task"),
        2: ("interrupted", "the run was stopped before this task"),
    }
    assert transport.requests == []


def test_told_to_stop_in_the_middle_it_finishes_what_is_under_way():
    transport = Hooked(sandbox_with(5))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 6)))
    options = ExecutionOptions(concurrency=1)
    transport.hook = before_first("PATCH", options.stop.set)
    outcomes = outcomes_of(transport, plan, options=options)
    assert [outcome for outcome, _ in outcomes.values()] == ["applied", *["interrupted"] * 4]
    assert transport.count("PATCH") == 1
    assert values(transport.state, 1)["overlap"] == 2


def test_a_stop_while_the_canary_is_sent_says_nothing_of_the_canary():
    transport = Hooked(sandbox_with(4))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 5)))
    options = ExecutionOptions(concurrency=1, canary=2)
    transport.hook = before_first("PATCH", options.stop.set)
    outcomes = outcomes_of(transport, plan, options=options)
    assert [outcomes[task] for task in (2, 3, 4)] == [("interrupted", STOPPED)] * 3


@pytest.mark.parametrize(
    "answer", [httpx.Response(401, json={"detail": "Invalid token."}), httpx.ConnectError("down")]
)
def test_a_server_that_is_gone_or_lets_nobody_in_stops_the_run(
    answer: httpx.Response | httpx.ConnectError,
):
    transport = Hooked(sandbox_with(3))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in (1, 2, 3)))

    def refuse(request: httpx.Request) -> httpx.Response | None:
        if request.method != "PATCH":
            return None
        if isinstance(answer, httpx.ConnectError):
            raise answer
        return answer

    transport.hook = refuse
    outcomes = [outcome for outcome, _ in outcomes_of(transport, plan).values()]
    assert outcomes == ["failed", "interrupted", "interrupted"]
    assert transport.count("PATCH") == (5 if isinstance(answer, httpx.ConnectError) else 1)


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_task_that_the_server_refuses_does_not_keep_the_others_back(status: int):
    transport = Hooked(sandbox_with(3))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in (1, 2, 3)))
    transport.hook = instead(2, httpx.Response(status, json={"detail": "No."}))
    outcomes = outcomes_of(transport, plan)
    assert [outcome for outcome, _ in outcomes.values()] == ["applied", "failed", "applied"]
    assert "No." in outcomes[2][1]


def test_a_server_that_cannot_be_read_before_a_batch_stops_the_run():
    transport = Hooked(sandbox_with(501))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 502)))
    transport.hook = lambda _: httpx.Response(503, html="<title>Busy</title>")
    options = ExecutionOptions(concurrency=1, batches=LARGE_BATCHES)
    outcomes = [outcome for outcome, _ in outcomes_of(transport, plan, options=options).values()]
    assert outcomes == ["failed"] * 500 + ["interrupted"]
    assert len(transport.requests) == 5


def test_workers_keep_their_connections_from_batch_to_batch():
    class Counted(Hooked):
        """A transport that a connection closes as it ends."""

        closed = 0

        def close(self) -> None:
            self.closed += 1

    transport = Counted(sandbox_with(1100))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 1101)))
    transport.closed = 0
    outcomes = outcomes_of(transport, plan, options=ExecutionOptions(concurrency=3))
    assert {outcome for outcome, _ in outcomes.values()} == {"applied"}
    # Who looks again at the end, who reads, and three who send.
    assert 1 <= transport.closed <= 2 + 3


def test_a_thousand_changes_take_a_thousand_updates_and_four_reads():
    transport = Hooked(sandbox_with(1000))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 1001)))
    options = ExecutionOptions(concurrency=8, batches=LARGE_BATCHES)
    outcomes = outcomes_of(transport, plan, options=options)
    assert {outcome for outcome, _ in outcomes.values()} == {"applied"}
    assert (transport.count("PATCH"), transport.count("GET")) == (1000, 4)


def test_the_next_batch_is_read_while_the_last_updates_of_the_one_before_are_sent():
    transport = Hooked(sandbox_with(1100))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 1101)))
    options = ExecutionOptions(concurrency=2, batches=LARGE_BATCHES)
    outcomes = outcomes_of(transport, plan, options=options)
    assert {outcome for outcome, _ in outcomes.values()} == {"applied"}
    methods = [sent.method for sent in transport.requests if sent.method != "OPTIONS"]
    reads = [n for n, method in enumerate(methods) if method == "GET"]
    sent_before = [n - earlier for earlier, n in enumerate(reads)]
    assert sent_before[0] == 0
    # What is sent in a fifth of a second depends on the machine.
    assert 0 < sent_before[1] <= 500 < sent_before[2] <= 1000
    assert sent_before[3:] == [1100] * 3


def test_updates_that_are_kept_apart_begin_as_few_a_second_as_somebody_asked_for():
    transport = Hooked(sandbox_with(6))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 7)))
    now = [100.0]
    begun: list[float] = []

    def wait(seconds: float) -> bool:
        now[0] += seconds
        return False

    class Noting(RateLimiter):
        def wait(self) -> bool:
            took = super().wait()
            begun.append(now[0])
            return took

    options = ExecutionOptions(concurrency=1, rps=0.5)
    rate = Noting(options.rps, wait, now=lambda: now[0])
    read: list[float] = []
    transport.hook = lambda r: read.append(now[0]) if r.method == "GET" else None
    outcomes = apply_plan(transport, plan, options=options, rate=rate)
    assert {outcome.outcome for outcome in outcomes} == {Outcome.APPLIED}
    assert begun == [100, 102, 104, 106, 108, 110]
    # Each is read just before its turn, whatever time is left until then.
    assert read == pytest.approx([100, 101.8, 103.8, 105.8, 107.8, 109.8, 110])


def test_updates_that_wait_for_their_turn_are_interrupted_by_a_stop():
    transport = Hooked(sandbox_with(6))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 7)))
    options = ExecutionOptions(rps=0.001)
    transport.hook = before_first("PATCH", options.stop.set)
    outcomes = outcomes_of(transport, plan, options=options)
    assert [outcome for outcome, _ in outcomes.values()] == ["applied", *["interrupted"] * 5]
    assert transport.count("PATCH") == 1


def test_a_stop_is_noticed_while_a_read_is_under_way():
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in (1, 2)))
    options = ExecutionOptions()
    go_on, answered = threading.Event(), threading.Event()

    def stop_and_hang(_: httpx.Request) -> None:
        time.sleep(0.3)  # until the read is waited for
        options.stop.set()
        go_on.wait(10)
        answered.set()

    transport.hook = stop_and_hang
    outcomes = outcomes_of(transport, plan, options=options)
    assert not answered.is_set()
    go_on.set()
    assert [outcome for outcome, _ in outcomes.values()] == ["interrupted"] * 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_asked_too_much_at_once_is_asked_less(status: int):
    transport = Hooked(sandbox_with(60))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 61)))
    under_way, lock = list[int](), threading.Lock()
    most_later = 0

    def busy_at_first(request: httpx.Request) -> httpx.Response | None:
        nonlocal most_later
        if request.method != "PATCH":
            return None
        with lock:
            number = transport.count("PATCH")
            under_way.append(number)
            # By then the first four have been told, sent again, and done.
            most_later = max(most_later, len(under_way) if 12 < number < 25 else 0)
        time.sleep(0.005)
        with lock:
            under_way.remove(number)
        busy = number < 5
        return httpx.Response(status, json={"detail": "Slow down."}) if busy else None

    transport.hook = busy_at_first
    outcomes = outcomes_of(transport, plan, options=ExecutionOptions(concurrency=8))
    assert {outcome for outcome, _ in outcomes.values()} == {"applied"}
    assert transport.count("PATCH") == 60 + 4
    assert most_later == 2


def test_an_error_that_nobody_foresaw_ends_the_run_and_sends_nothing_twice():
    transport = Hooked(sandbox_with(600))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 601)))

    def fail(request: httpx.Request) -> None:
        if request.url.path == "/api/tasks/300/":
            raise ZeroDivisionError

    transport.hook = fail
    with pytest.raises(ZeroDivisionError):
        outcomes_of(transport, plan, options=ExecutionOptions(concurrency=8))
    sent = [request.url.path for request in transport.requests if request.method == "PATCH"]
    assert len(sent) == len(set(sent))
    assert 300 <= len(sent) <= 308


def test_no_request_deletes():
    transport = Hooked(sandbox_with(3))
    values(transport.state, 1)["meta"] = {"old": 1}
    tasks = [
        desired(1, absent=("meta.old",)),
        desired(2, {"meta": None}),
        desired(3, {"meta": {}}, replaced=("meta",)),
    ]
    outcomes_of(transport, plan_tasks(transport, *tasks))
    assert {request.method for request in transport.requests} == {"GET", "PATCH"}


def test_a_canary_that_holds_is_followed_by_the_rest():
    transport = Hooked(sandbox_with(5))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 6)))
    became = outcomes_of(transport, plan, options=ExecutionOptions(concurrency=1, canary=2))
    assert {outcome for outcome, _ in became.values()} == {"applied"}
    methods = [request.method for request in transport.requests]
    first, rest = ["GET", "OPTIONS", "PATCH", "PATCH", "GET"], ["GET", *["PATCH"] * 3, "GET"]
    assert methods == first + rest


def test_a_canary_that_does_not_last_is_the_end_of_it():
    transport = Hooked(sandbox_with(4))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 5)))

    def undone(request: httpx.Request) -> None:
        if request.method == "GET" and transport.count("PATCH") == 2:
            transport.state.tasks[1].values["overlap"] = 1

    transport.hook = undone
    became = outcomes_of(transport, plan, options=ExecutionOptions(concurrency=1, canary=2))
    assert [outcome for outcome, _ in became.values()] == [
        "not_honoured",
        "applied",
        "interrupted",
        "interrupted",
    ]
    assert became[3][1] == "the canary failed: not all of its tasks are as declared"
    assert transport.count("PATCH") == 2


def test_a_canary_that_is_as_declared_already_holds():
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in (1, 2)))
    transport.state.tasks[1].values["overlap"] = 2
    became = outcomes_of(transport, plan, options=ExecutionOptions(concurrency=1, canary=1))
    assert [outcome for outcome, _ in became.values()] == ["already", "applied"]
