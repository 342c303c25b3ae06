"""Updates on a server that fails, loses answers or asks for pauses: none is sent on a guess."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest

from reconciler.core.decision import Patch
from reconciler.core.plan_model import Plan
from reconciler.core.report import TaskOutcome
from reconciler.executor.execution_options import ExecutionOptions
from reconciler.executor.ignored_attributes import IgnoredAttributes
from reconciler.labelstudio.task_api import TaskApi
from reconciler.sandbox.sandbox_transport import SandboxTransport
from tests.sandboxed import CONTRACT, apply_plan, methods, plan_tasks
from tests.unit.core.building import desired
from tests.unit.executor.fates import (
    NOT_STORED,
    STORED,
    Fate,
    answering,
    let,
    lost_on_the_way,
    refused,
    sender_of,
    stored_and_lost,
)
from tests.unit.labelstudio.patient import Patient
from tests.unit.labelstudio.wired import Hooked, api_of, look_of, sandbox_with


def told(outcomes: Sequence[TaskOutcome]) -> list[str]:
    return [outcome.outcome.value for outcome in outcomes]


@pytest.mark.parametrize("fate", STORED)
def test_an_update_that_was_stored_is_seen_by_reading_and_not_sent_again(fate: str):
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}))
    let(transport, STORED[fate])
    outcomes = apply_plan(transport, plan)
    assert told(outcomes) == ["applied"]
    assert [change.path for change in outcomes[0].changes] == [("overlap",)]
    assert methods(transport) == "GET OPTIONS PATCH GET GET"


@pytest.mark.parametrize("fate", NOT_STORED)
def test_an_update_that_may_have_been_stored_is_sent_again_after_a_read(fate: str):
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}))
    let(transport, NOT_STORED[fate])
    assert told(apply_plan(transport, plan)) == ["applied"]
    assert methods(transport) == "GET OPTIONS PATCH GET PATCH GET"


SHORTLY = answering(429)


@pytest.mark.parametrize("fate", [refused, SHORTLY, answering(429, retry_after="3")])
def test_an_update_that_was_certainly_not_stored_is_sent_again_after_a_pause(fate: Fate):
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}))
    let(transport, fate)
    assert told(apply_plan(transport, plan)) == ["applied"]
    held = fate not in {refused, SHORTLY}
    assert methods(transport) == f"GET OPTIONS PATCH {'GET ' * held}PATCH GET"


def test_after_a_long_pause_even_that_is_merged_into_a_new_read():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"data": {"lang": "en"}}))

    def busy(_: httpx.Request, __: SandboxTransport) -> httpx.Response:
        transport.state.tasks[1].values["data"] = {"text": "Somebody's.", "new": 1}
        return httpx.Response(429, json={"detail": "No."}, headers={"retry-after": "30"})

    let(transport, busy)
    assert told(apply_plan(transport, plan)) == ["applied"]
    assert transport.state.tasks[1].values["data"] == {
        "text": "Somebody's.",
        "new": 1,
        "lang": "en",
    }
    assert methods(transport) == "GET PATCH GET PATCH GET"


def test_what_others_wrote_between_two_attempts_is_kept():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"data": {"lang": "en"}}))

    def lost_while_somebody_writes(_: httpx.Request, __: SandboxTransport) -> httpx.Response:
        transport.state.tasks[1].values["data"] = {"text": "Somebody's."}
        raise httpx.ReadError("connection reset")

    let(transport, lost_while_somebody_writes)
    assert told(apply_plan(transport, plan)) == ["applied"]
    assert transport.state.tasks[1].values["data"] == {"text": "Somebody's.", "lang": "en"}


def test_a_declared_path_that_others_wrote_between_two_attempts_is_stale():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}))

    def lost_while_somebody_writes(_: httpx.Request, __: SandboxTransport) -> httpx.Response:
        transport.state.tasks[1].values["overlap"] = 5
        raise httpx.ReadError("connection reset")

    let(transport, lost_while_somebody_writes)
    outcome = apply_plan(transport, plan)[0]
    assert outcome.outcome.value == "stale"
    assert outcome.error == (
        "changed on the server since the plan: overlap; an earlier update of the task may have "
        "been stored: its response was lost"
    )
    assert transport.state.tasks[1].values["overlap"] == 5
    assert transport.count("PATCH") == 1


def test_what_others_did_while_an_update_waited_is_not_claimed():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2, "meta": {"a": 1}}))

    def busy_while_somebody_does_it(_: httpx.Request, __: SandboxTransport) -> httpx.Response:
        transport.state.tasks[1].values["overlap"] = 2
        return httpx.Response(429, json={}, headers={"retry-after": "30"})

    let(transport, busy_while_somebody_does_it)
    outcome = apply_plan(transport, plan)[0]
    assert outcome.outcome.value == "applied"
    assert [change.path for change in outcome.changes] == [("meta", "a")]
    bodies = [json.loads(r.content) for r in transport.requests if r.method == "PATCH"]
    assert bodies[-1] == {"meta": {"a": 1}}


def test_two_tasks_that_may_not_be_written_fail_and_the_other_eighteen_are_done():
    transport = Hooked(sandbox_with(20))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 21)))
    forbidden = {"/api/tasks/3/", "/api/tasks/17/"}
    transport.hook = lambda request: (
        httpx.Response(403, json={"detail": "No."}) if request.url.path in forbidden else None
    )
    outcomes = told(apply_plan(transport, plan))
    assert (outcomes.count("applied"), outcomes.count("failed")) == (18, 2)
    assert transport.count("PATCH") == 20


def test_a_failure_of_the_server_is_tried_once_more():
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}), desired(2, {"overlap": 2}))
    let(transport, *[answering(500)] * 2)
    assert told(apply_plan(transport, plan)) == ["failed", "applied"]
    assert transport.count("PATCH") == 3


@pytest.mark.parametrize(
    ("fate", "outcomes", "patches"),
    [
        (refused, "failed interrupted interrupted interrupted", 5),
        (lost_on_the_way, "failed failed failed interrupted", 15),
        (answering(503), "failed failed failed interrupted", 15),
        (answering(429, retry_after="3600"), "failed interrupted interrupted interrupted", 1),
        (answering(500), "failed failed failed failed", 8),
    ],
)
def test_a_server_that_does_not_come_back_ends_the_run(fate: Fate, outcomes: str, patches: int):
    transport = Hooked(sandbox_with(4))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 5)))
    let(transport, *[fate] * 99)
    assert " ".join(told(apply_plan(transport, plan))) == outcomes
    assert transport.count("PATCH") == patches


def test_tasks_that_fail_now_and_then_do_not_end_the_run():
    transport = Hooked(sandbox_with(9))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 10)))
    unlucky = {f"/api/tasks/{task}/" for task in (1, 2, 4, 5, 7, 8)}

    def hook(request: httpx.Request) -> httpx.Response | None:
        bad = request.method == "PATCH" and request.url.path in unlucky
        return httpx.Response(503, json={"detail": "No."}) if bad else None

    transport.hook = hook
    outcomes = told(apply_plan(transport, plan))
    assert outcomes == ["failed", "failed", "applied"] * 3


@pytest.mark.parametrize(
    ("fate", "outcome"),
    [(answering(429), "interrupted"), (lost_on_the_way, "failed"), (stored_and_lost, "applied")],
)
def test_a_stop_ends_the_pause_and_what_was_stored_is_told_by_the_last_look(
    fate: Fate, outcome: str
):
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}), desired(2, {"overlap": 2}))
    options = ExecutionOptions(concurrency=1)

    def stopped(request: httpx.Request, server: SandboxTransport) -> httpx.Response:
        options.stop.set()
        return fate(request, server)

    let(transport, stopped)
    backoff = Patient()
    outcomes = apply_plan(transport, plan, options=options, backoff=backoff)
    assert told(outcomes) == [outcome, "interrupted"]
    assert transport.count("PATCH") == 1
    assert backoff.waited == []


def test_a_pause_that_the_server_asks_for_holds_all_workers_back():
    transport = Hooked(sandbox_with(40))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 41)))
    backoff, asked = Patient(), list[float]()
    early: list[Any] = []
    lock = threading.Lock()

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "PATCH":
            return None
        with lock:
            if not asked:
                asked.append(backoff.clock)
                return httpx.Response(429, json={}, headers={"retry-after": "5"})
            early.extend([request] if backoff.clock < asked[0] + 5 else [])
        return None

    transport.hook = hook
    options = ExecutionOptions(concurrency=8)
    assert set(told(apply_plan(transport, plan, options=options, backoff=backoff))) == {"applied"}
    # Those that were under way with it.
    assert len(early) <= 7
    assert transport.count("PATCH") == 41


def test_a_fresh_read_that_times_out_by_itself_is_waited_for_no_more():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}))

    def hook(_: httpx.Request) -> httpx.Response | None:
        raise TimeoutError

    transport.hook = hook
    with pytest.raises(TimeoutError):
        apply_plan(transport, plan)


def test_on_a_server_whose_reads_take_longer_than_they_stay_fresh_an_update_is_sent_all_the_same():
    transport, backoff = Hooked(sandbox_with(1)), Patient()
    plan = plan_tasks(transport, desired(1, {"overlap": 2}))
    read: list[httpx.Request] = []

    def every_other_is_refused(request: httpx.Request) -> httpx.Response | None:
        if request.method != "GET":
            return None
        read.append(request)
        assert len(read) < 30
        if len(read) % 2 == 0:
            return None
        return httpx.Response(429, json={}, headers={"retry-after": "15"})

    transport.hook = every_other_is_refused
    assert told(apply_plan(transport, plan, backoff=backoff)) == ["applied"]


def test_what_was_read_long_ago_is_read_again_though_nobody_asked_for_a_pause():
    transport, backoff = Hooked(sandbox_with(2)), Patient()
    plan = plan_tasks(transport, *(desired(n, {"data": {"lang": "en"}}) for n in (1, 2)))

    def record(_: TaskOutcome) -> None:
        if transport.count("PATCH") == 1:
            backoff.clock += 60
            transport.state.tasks[2].values["data"] = {"text": "Somebody's."}

    outcomes = apply_plan(transport, plan, backoff=backoff, record=record)
    assert told(outcomes) == ["applied", "applied"]
    assert transport.state.tasks[2].values["data"] == {"text": "Somebody's.", "lang": "en"}


def sent_alone(
    api: TaskApi, plan: Plan, ignored: IgnoredAttributes, may_begin: Callable[[], bool]
) -> TaskOutcome:
    """Decide on the one task of a plan, and send its update."""
    sender = sender_of(api, may_begin, ignored=ignored)
    patch = sender.reader.decide(plan.tasks[0], sender.reader.read(plan.tasks))
    assert isinstance(patch, Patch)
    return sender.send(replace(patch, read_at=api.backoff.now())).outcome


def test_an_update_that_waits_long_for_its_turn_is_read_once_more_and_then_sent():
    transport, backoff = Hooked(sandbox_with(1)), Patient()
    plan = plan_tasks(transport, desired(1, {"overlap": 2}))
    begun: list[float] = []

    def turn() -> bool:
        begun.append(backoff.clock)
        backoff.clock += 100
        return len(begun) < 5

    with api_of(transport, backoff=backoff) as api:
        outcome = sent_alone(api, plan, IgnoredAttributes(look_of(api), CONTRACT), turn)
    assert (outcome.outcome.value, len(begun)) == ("applied", 1)
    assert methods(transport) == "GET OPTIONS GET PATCH"


def test_it_is_not_said_of_an_update_whose_answer_was_lost_that_it_was_not_sent():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}))
    with api_of(transport) as api:
        ignored = IgnoredAttributes(look_of(api), CONTRACT)

        def lost_while_another_shows_it(
            request: httpx.Request, server: SandboxTransport
        ) -> httpx.Response:
            ignored.learn(plan.tasks[0], {"overlap": 1})
            return lost_on_the_way(request, server)

        let(transport, lost_while_another_shows_it)
        outcome = sent_alone(api, plan, ignored, lambda: True)
    assert (outcome.outcome.value, transport.count("PATCH")) == ("applied", 2)


def test_where_the_read_after_a_lost_answer_fails_the_update_is_still_told_of():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}))
    let(transport, stored_and_lost)
    updates = transport.hook

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method == "GET" and transport.count("PATCH"):
            return httpx.Response(503, json={"detail": "No."})
        return updates(request)

    transport.hook = hook
    outcome = apply_plan(transport, plan)[0]
    assert outcome.outcome.value == "failed"
    assert outcome.error.endswith("may have been stored: its response was lost")


def test_what_is_answered_with_an_error_and_holds_is_applied():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}))

    def stored_and_refused(request: httpx.Request, sandbox: SandboxTransport) -> httpx.Response:
        SandboxTransport.handle_request(sandbox, request)
        return httpx.Response(400, json={"detail": "No."})

    let(transport, stored_and_refused)
    assert told(apply_plan(transport, plan)) == ["applied"]
