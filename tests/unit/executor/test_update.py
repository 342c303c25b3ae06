"""Updates on a server that fails, loses answers or asks for pauses: none is sent on a guess."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.decision import Patch, decide
from reconciler.core.model import DesiredTask, Plan
from reconciler.core.report import TaskOutcome
from reconciler.engine.plan import build_plan
from reconciler.executor.apply_options import ApplyOptions
from reconciler.executor.execution import execute
from reconciler.executor.fresh_read import FreshReader
from reconciler.executor.ignored_attributes import IgnoredAttributes
from reconciler.executor.update import UpdateSender
from reconciler.labelstudio.task_api import TaskApi
from reconciler.progress import NULL_PROGRESS
from reconciler.sandbox.sandbox_transport import SandboxTransport
from tests.unit.core.building import Listed, desired
from tests.unit.labelstudio.patient import Patient
from tests.unit.labelstudio.wired import Hooked, api_of, look_of, sandbox_with

Fate = Callable[[httpx.Request, SandboxTransport], httpx.Response]
"""What becomes of one update."""


def planned(transport: Hooked, *tasks: DesiredTask) -> Plan:
    with api_of(transport) as api:
        plan = build_plan(Listed(tasks), api, load_contract())
    transport.requests.clear()
    return plan


def carried_out(
    transport: Hooked,
    plan: Plan,
    *,
    options: ApplyOptions | None = None,
    backoff: Patient | None = None,
) -> list[TaskOutcome]:
    with api_of(transport, backoff=backoff) as api:
        return execute(
            plan,
            api,
            load_contract(),
            options=options or ApplyOptions(concurrency=1),
            record=lambda _: None,
        )


def told(outcomes: Sequence[TaskOutcome]) -> list[str]:
    return [outcome.outcome.value for outcome in outcomes]


def methods(transport: Hooked) -> str:
    return " ".join(request.method for request in transport.requests)


def let(transport: Hooked, *fates: Fate) -> None:
    """Let the first updates meet their fates, one after the other; all others are well."""
    waiting = list(fates)
    server = SandboxTransport(transport.state)

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "PATCH" or not waiting:
            return None
        return waiting.pop(0)(request, server)

    transport.hook = hook


def refused(_: httpx.Request, __: SandboxTransport) -> httpx.Response:
    raise httpx.ConnectError("Connection refused")


def lost_on_the_way(_: httpx.Request, __: SandboxTransport) -> httpx.Response:
    raise httpx.ReadError("connection reset")


def stored_and_lost(request: httpx.Request, server: SandboxTransport) -> httpx.Response:
    server.handle_request(request)
    raise httpx.ReadTimeout("timed out")


def of_another_task(request: httpx.Request, server: SandboxTransport) -> httpx.Response:
    server.handle_request(request)
    return httpx.Response(200, json={"id": 99})


def answering(status: int, *, stored: bool = False, **headers: str) -> Fate:
    def answer(request: httpx.Request, server: SandboxTransport) -> httpx.Response:
        if stored:
            server.handle_request(request)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.Response(status, json={"detail": "No."}, headers=named)

    return answer


def page(status: int, *, stored: bool) -> Fate:
    def answer(request: httpx.Request, server: SandboxTransport) -> httpx.Response:
        if stored:
            server.handle_request(request)
        return httpx.Response(status, html="<title>Gateway</title>")

    return answer


STORED = {
    "lost": stored_and_lost,
    "about another task": of_another_task,
    "page": page(200, stored=True),
    **{str(status): answering(status, stored=True) for status in (408, 500, 502, 503, 504)},
}
NOT_STORED = {
    "lost": lost_on_the_way,
    "page": page(200, stored=False),
    **{str(status): answering(status) for status in (408, 500, 502, 503, 504)},
}


@pytest.mark.parametrize("fate", STORED)
def test_an_update_that_was_stored_is_seen_by_reading_and_not_sent_again(fate: str):
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 2}))
    let(transport, STORED[fate])
    outcomes = carried_out(transport, plan)
    assert told(outcomes) == ["applied"]
    assert [change.path for change in outcomes[0].changes] == [("overlap",)]
    assert methods(transport) == "GET OPTIONS PATCH GET GET"


@pytest.mark.parametrize("fate", NOT_STORED)
def test_an_update_that_may_have_been_stored_is_sent_again_after_a_read(fate: str):
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 2}))
    let(transport, NOT_STORED[fate])
    assert told(carried_out(transport, plan)) == ["applied"]
    assert methods(transport) == "GET OPTIONS PATCH GET PATCH GET"


SHORTLY = answering(429)


@pytest.mark.parametrize("fate", [refused, SHORTLY, answering(429, retry_after="3")])
def test_an_update_that_was_certainly_not_stored_is_sent_again_after_a_pause(fate: Fate):
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 2}))
    let(transport, fate)
    assert told(carried_out(transport, plan)) == ["applied"]
    held = fate not in {refused, SHORTLY}
    assert methods(transport) == f"GET OPTIONS PATCH {'GET ' * held}PATCH GET"


def test_after_a_long_pause_even_that_is_merged_into_a_new_read():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"data": {"lang": "en"}}))

    def busy(_: httpx.Request, __: SandboxTransport) -> httpx.Response:
        transport.state.tasks[1].values["data"] = {"text": "Somebody's.", "new": 1}
        return httpx.Response(429, json={"detail": "No."}, headers={"retry-after": "30"})

    let(transport, busy)
    assert told(carried_out(transport, plan)) == ["applied"]
    assert transport.state.tasks[1].values["data"] == {
        "text": "Somebody's.",
        "new": 1,
        "lang": "en",
    }
    assert methods(transport) == "GET PATCH GET PATCH GET"


def test_what_others_wrote_between_two_attempts_is_kept():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"data": {"lang": "en"}}))

    def lost_while_somebody_writes(_: httpx.Request, __: SandboxTransport) -> httpx.Response:
        transport.state.tasks[1].values["data"] = {"text": "Somebody's."}
        raise httpx.ReadError("connection reset")

    let(transport, lost_while_somebody_writes)
    assert told(carried_out(transport, plan)) == ["applied"]
    assert transport.state.tasks[1].values["data"] == {"text": "Somebody's.", "lang": "en"}


def test_a_declared_path_that_others_wrote_between_two_attempts_is_stale():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 2}))

    def lost_while_somebody_writes(_: httpx.Request, __: SandboxTransport) -> httpx.Response:
        transport.state.tasks[1].values["overlap"] = 5
        raise httpx.ReadError("connection reset")

    let(transport, lost_while_somebody_writes)
    outcome = carried_out(transport, plan)[0]
    assert outcome.outcome.value == "stale"
    assert outcome.error == (
        "changed since it was planned: overlap; an update before that may have been stored: its "
        "answer was lost"
    )
    assert transport.state.tasks[1].values["overlap"] == 5
    assert transport.count("PATCH") == 1


def test_what_others_did_while_an_update_waited_is_not_claimed():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 2, "meta": {"a": 1}}))

    def busy_while_somebody_does_it(_: httpx.Request, __: SandboxTransport) -> httpx.Response:
        transport.state.tasks[1].values["overlap"] = 2
        return httpx.Response(429, json={}, headers={"retry-after": "30"})

    let(transport, busy_while_somebody_does_it)
    outcome = carried_out(transport, plan)[0]
    assert outcome.outcome.value == "applied"
    assert [change.path for change in outcome.changes] == [("meta", "a")]
    bodies = [json.loads(r.content) for r in transport.requests if r.method == "PATCH"]
    assert bodies[-1] == {"meta": {"a": 1}}


def test_two_tasks_that_may_not_be_written_fail_and_the_other_eighteen_are_done():
    transport = Hooked(sandbox_with(20))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 21)))
    forbidden = {"/api/tasks/3/", "/api/tasks/17/"}
    transport.hook = lambda request: (
        httpx.Response(403, json={"detail": "No."}) if request.url.path in forbidden else None
    )
    outcomes = told(carried_out(transport, plan))
    assert (outcomes.count("applied"), outcomes.count("failed")) == (18, 2)
    assert transport.count("PATCH") == 20


def test_a_failure_of_the_server_is_tried_once_more():
    transport = Hooked(sandbox_with(2))
    plan = planned(transport, desired(1, {"overlap": 2}), desired(2, {"overlap": 2}))
    let(transport, *[answering(500)] * 2)
    assert told(carried_out(transport, plan)) == ["failed", "applied"]
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
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 5)))
    let(transport, *[fate] * 99)
    assert " ".join(told(carried_out(transport, plan))) == outcomes
    assert transport.count("PATCH") == patches


def test_tasks_that_fail_now_and_then_do_not_end_the_run():
    transport = Hooked(sandbox_with(9))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 10)))
    unlucky = {f"/api/tasks/{task}/" for task in (1, 2, 4, 5, 7, 8)}

    def hook(request: httpx.Request) -> httpx.Response | None:
        bad = request.method == "PATCH" and request.url.path in unlucky
        return httpx.Response(503, json={"detail": "No."}) if bad else None

    transport.hook = hook
    outcomes = told(carried_out(transport, plan))
    assert outcomes == ["failed", "failed", "applied"] * 3


@pytest.mark.parametrize(
    ("fate", "outcome"),
    [(answering(429), "interrupted"), (lost_on_the_way, "failed"), (stored_and_lost, "applied")],
)
def test_a_stop_ends_the_pause_and_what_was_stored_is_told_by_the_last_look(
    fate: Fate, outcome: str
):
    transport = Hooked(sandbox_with(2))
    plan = planned(transport, desired(1, {"overlap": 2}), desired(2, {"overlap": 2}))
    options = ApplyOptions(concurrency=1)

    def stopped(request: httpx.Request, server: SandboxTransport) -> httpx.Response:
        options.stop.set()
        return fate(request, server)

    let(transport, stopped)
    backoff = Patient()
    outcomes = carried_out(transport, plan, options=options, backoff=backoff)
    assert told(outcomes) == [outcome, "interrupted"]
    assert transport.count("PATCH") == 1
    assert backoff.waited == []


def test_a_pause_that_the_server_asks_for_holds_all_workers_back():
    transport = Hooked(sandbox_with(40))
    plan = planned(transport, *(desired(task, {"overlap": 2}) for task in range(1, 41)))
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
    options = ApplyOptions(concurrency=8)
    assert set(told(carried_out(transport, plan, options=options, backoff=backoff))) == {"applied"}
    # Those that were under way with it.
    assert len(early) <= 7
    assert transport.count("PATCH") == 41


def test_a_fresh_read_that_times_out_by_itself_is_waited_for_no_more():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 2}))

    def hook(_: httpx.Request) -> httpx.Response | None:
        raise TimeoutError

    transport.hook = hook
    with pytest.raises(TimeoutError):
        carried_out(transport, plan)


def test_on_a_server_whose_reads_take_longer_than_they_stay_fresh_an_update_is_sent_all_the_same():
    transport, backoff = Hooked(sandbox_with(1)), Patient()
    plan = planned(transport, desired(1, {"overlap": 2}))
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
    assert told(carried_out(transport, plan, backoff=backoff)) == ["applied"]


def test_what_was_read_long_ago_is_read_again_though_nobody_asked_for_a_pause():
    transport, backoff = Hooked(sandbox_with(2)), Patient()
    plan = planned(transport, *(desired(n, {"data": {"lang": "en"}}) for n in (1, 2)))

    def record(_: TaskOutcome) -> None:
        if transport.count("PATCH") == 1:
            backoff.clock += 60
            transport.state.tasks[2].values["data"] = {"text": "Somebody's."}

    with api_of(transport, backoff=backoff) as api:
        options = ApplyOptions(concurrency=1)
        outcomes = execute(plan, api, load_contract(), options=options, record=record)
    assert told(outcomes) == ["applied", "applied"]
    assert transport.state.tasks[2].values["data"] == {"text": "Somebody's.", "lang": "en"}


def sent_alone(
    api: TaskApi, plan: Plan, ignored: IgnoredAttributes, may_begin: Callable[[], bool]
) -> TaskOutcome:
    """Decide on the one task of a plan, and send its update."""
    rereading = FreshReader(api, load_contract(), frozenset(), NULL_PROGRESS)
    patch = decide(plan.tasks[0], rereading.read(plan.tasks)[1], rereading.facts)
    assert isinstance(patch, Patch)
    stop = threading.Event()
    sending = UpdateSender(api, rereading.facts, may_begin, ignored=ignored, stop=stop)
    return sending.send(replace(patch, read_at=api.backoff.now()))


def test_an_update_that_waits_long_for_its_turn_is_read_once_more_and_then_sent():
    transport, backoff = Hooked(sandbox_with(1)), Patient()
    plan = planned(transport, desired(1, {"overlap": 2}))
    begun: list[float] = []

    def turn() -> bool:
        begun.append(backoff.clock)
        backoff.clock += 100
        return len(begun) < 5

    with api_of(transport, backoff=backoff) as api:
        outcome = sent_alone(api, plan, IgnoredAttributes(look_of(api), load_contract()), turn)
    assert (outcome.outcome.value, len(begun)) == ("applied", 1)
    assert methods(transport) == "GET OPTIONS GET PATCH"


def test_it_is_not_said_of_an_update_whose_answer_was_lost_that_it_was_not_sent():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 2}))
    with api_of(transport) as api:
        ignored = IgnoredAttributes(look_of(api), load_contract())

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
    plan = planned(transport, desired(1, {"overlap": 2}))
    let(transport, stored_and_lost)
    updates = transport.hook

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method == "GET" and transport.count("PATCH"):
            return httpx.Response(503, json={"detail": "No."})
        return updates(request) if updates else None

    transport.hook = hook
    outcome = carried_out(transport, plan)[0]
    assert outcome.outcome.value == "failed"
    assert outcome.error.endswith("may have been stored: its answer was lost")


def test_what_is_answered_with_an_error_and_holds_is_applied():
    transport = Hooked(sandbox_with(1))
    plan = planned(transport, desired(1, {"overlap": 2}))

    def stored_and_refused(request: httpx.Request, sandbox: SandboxTransport) -> httpx.Response:
        SandboxTransport.handle_request(sandbox, request)
        return httpx.Response(400, json={"detail": "No."})

    let(transport, stored_and_refused)
    assert told(carried_out(transport, plan)) == ["applied"]


# Storage addresses that a server begins to resolve


def resolving(transport: Hooked, *, after: int) -> None:
    """Answer lists with the picture itself in place of its address, once so many were asked."""
    lists_left = [after]

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "GET" or request.url.path != "/api/tasks/":
            return None
        lists_left[0] -= 1
        if lists_left[0] >= 0:
            return None
        answer = SandboxTransport(transport.state).handle_request(request)
        answer.read()
        picture = answer.text.replace("s3://bucket/x.jpg", "data:image/jpeg;base64,AAAA")
        return httpx.Response(200, text=picture, request=request)

    transport.hook = hook


@pytest.mark.parametrize(("honest_lists", "saved"), [(1, False), (2, False), (2, True)])
def test_an_undeclared_address_that_reads_otherwise_than_before_is_not_overwritten(
    honest_lists: int, *, saved: bool
):
    """The fresh read shows it, or the one after an answer that was lost.

    A saved plan knows no addresses: the fresh read is then the first of the run.
    """
    transport = Hooked(sandbox_with(1))
    stored = {"text": "A sentence.", "image": "s3://bucket/x.jpg"}
    transport.state.tasks[1].values["data"] = stored
    plan = planned(transport, desired(1, {"data": {"text": "Another."}}))
    if saved:
        plan = replace(plan, tasks=tuple(replace(task, addresses=()) for task in plan.tasks))
    resolving(transport, after=honest_lists - 1)
    lists = transport.hook
    losing = [honest_lists == 2]

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH" and losing and losing.pop():
            raise httpx.ReadError("connection reset")
        return lists(request)

    transport.hook = hook
    outcome = carried_out(transport, plan)[0]
    assert outcome.outcome.value == "blocked"
    assert "data.image, which is not declared, was read as a storage address" in outcome.error
    assert transport.state.tasks[1].values["data"] == stored
