"""Only what is seen to hold is called applied, whatever answers said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import httpx
import pytest

from reconciler.core.problems import Kind
from reconciler.core.report import Outcome, TaskOutcome
from reconciler.executor.execution_options import ExecutionOptions
from reconciler.sandbox.sandbox_transport import SandboxTransport
from tests.sandboxed import (
    apply_plan,
    outcomes_of,
    plan_tasks,
)
from tests.unit.core.building import allowing, desired
from tests.unit.executor.meanwhile import instead, values
from tests.unit.labelstudio.wired import Hooked, sandbox_with


def test_an_answer_200_that_ignores_an_attribute_is_not_honoured():
    transport = Hooked(sandbox_with(1))
    allow = allowing(Kind.IGNORED_ATTRIBUTE)
    plan = plan_tasks(transport, desired(1, {"avg_lead_time": 2.5, "overlap": 2}), allow=allow)
    assert outcomes_of(transport, plan, options=ExecutionOptions(allow=allow, concurrency=1)) == {
        1: (
            "not_honoured",
            "the server returned 200, but its response does not show that it stored avg_lead_time",
        ),
    }
    assert values(transport.state, 1)["overlap"] == 2


def test_an_answer_200_that_stores_another_value_is_not_honoured():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}))
    transport.hook = instead(1, httpx.Response(200, json={"id": 1, "overlap": 1}))
    assert outcomes_of(transport, plan)[1][0] == "not_honoured"


def test_an_absent_path_is_not_proven_by_an_answer_without_the_attribute():
    transport = Hooked(sandbox_with(1))
    values(transport.state, 1)["meta"] = {"old": 1}
    plan = plan_tasks(transport, desired(1, absent=("meta.old",)))
    transport.hook = instead(1, httpx.Response(200, json={"id": 1, "overlap": 1}))
    assert outcomes_of(transport, plan) == {
        1: (
            "not_honoured",
            "the server returned 200, but its response does not show that it stored meta.old",
        ),
    }


def test_the_last_look_finds_an_update_that_was_lost():
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}), desired(2, {"overlap": 2}))

    def somebody_undoes(request: httpx.Request) -> None:
        if request.url.path == "/api/tasks/2/":
            values(transport.state, 1)["overlap"] = 1

    transport.hook = somebody_undoes
    assert outcomes_of(transport, plan) == {
        1: ("not_honoured", "stored, but different when read again: overlap"),
        2: ("applied", ""),
    }


def test_the_last_look_finds_a_task_that_was_deleted():
    transport = Hooked(sandbox_with(2))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}), desired(2, {"overlap": 2}))

    def somebody_deletes(request: httpx.Request) -> None:
        if request.url.path == "/api/tasks/2/" and request.method == "PATCH":
            transport.state.projects[7].task_ids.remove(1)
            del transport.state.tasks[1]

    transport.hook = somebody_deletes
    assert outcomes_of(transport, plan)[1] == (
        "failed",
        "the update was sent, but the task can no longer be read",
    )


def stored_and(transport: Hooked, what_follows: Callable[[httpx.Response], httpx.Response]) -> None:
    """Let the server store every update, and something else become of its answer."""

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "PATCH":
            return None
        return what_follows(SandboxTransport(transport.state).handle_request(request))

    transport.hook = hook


def lost(_: httpx.Response) -> httpx.Response:
    raise httpx.ReadError("connection reset")


def cut(answer: httpx.Response) -> httpx.Response:
    return httpx.Response(200, headers=answer.headers, content=answer.read()[:20])


def of_a_proxy(_: httpx.Response) -> httpx.Response:
    return httpx.Response(502, html="<title>Bad gateway</title>")


def of_a_role_that_sees_less(answer: httpx.Response) -> httpx.Response:
    return httpx.Response(200, json={"id": json.loads(answer.read())["id"]})


@pytest.mark.parametrize("what_follows", [lost, cut, of_a_proxy])
def test_an_update_whose_answer_is_lost_is_settled_by_reading_and_not_sent_again(
    what_follows: Callable[[httpx.Response], httpx.Response],
):
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2, "data": {"lang": "en"}}))
    stored_and(transport, what_follows)
    assert outcomes_of(transport, plan) == {1: ("applied", "")}
    methods = [request.method for request in transport.requests]
    assert methods == ["GET", "OPTIONS", "PATCH", "GET", "GET"]
    assert values(transport.state, 1)["overlap"] == 2


def test_an_update_whose_answer_shows_too_little_is_settled_by_the_last_look():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2, "data": {"lang": "en"}}))
    stored_and(transport, of_a_role_that_sees_less)
    recorded: list[TaskOutcome] = []
    apply_plan(transport, plan, record=recorded.append)
    first, last = [outcome.outcome.value for outcome in recorded]
    assert first == "not_honoured"
    assert last == "applied"
    assert values(transport.state, 1)["overlap"] == 2


def test_an_update_that_was_never_stored_stays_failed_when_its_answer_is_lost():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}))
    transport.hook = lambda r: lost(httpx.Response(200)) if r.method == "PATCH" else None
    outcome, error = outcomes_of(transport, plan)[1]
    assert (outcome, "connection reset" in error) == ("failed", True)


def test_a_server_that_is_gone_at_the_last_look_is_given_up_for_all():
    transport = Hooked(sandbox_with(1100))
    plan = plan_tasks(transport, *(desired(task, {"overlap": 2}) for task in range(1, 1101)))
    asked: list[str] = []

    def gone_after_the_updates(request: httpx.Request) -> None:
        if transport.count("PATCH") == 1100 and request.method == "GET":
            asked.append(request.method)
            raise httpx.ConnectError("Connection refused")

    transport.hook = gone_after_the_updates
    outcomes = outcomes_of(transport, plan)
    assert len(asked) == 5
    assert {outcome for outcome, _ in outcomes.values()} == {"failed"}
    said = r"stored, but could not be read again: .*Connection refused"
    assert all(re.match(said, error) for _, error in outcomes.values())


def test_an_answer_that_lost_what_nobody_declared_is_never_called_applied():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"data": {"lang": "en"}}))
    row = {"id": 1, "project": 7, "data": {"lang": "en"}}
    transport.hook = instead(1, httpx.Response(200, json=row))
    assert outcomes_of(transport, plan) == {
        1: ("failed", "the server returned 200 but stored data differently than sent"),
    }


def test_a_verification_that_fails_is_reported_and_claims_nothing():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2}))

    def fail_after_the_update(_: httpx.Request) -> httpx.Response | None:
        return httpx.Response(502) if transport.count("PATCH") and reads_after() else None

    def reads_after() -> bool:
        return transport.requests[-1].method == "GET"

    transport.hook = fail_after_the_update
    outcome, error = outcomes_of(transport, plan)[1]
    assert outcome == "failed"
    assert error.startswith("stored, but could not be read again: ")


def test_what_is_settled_tells_only_of_the_changes_that_were_sent():
    transport = Hooked(sandbox_with(1))
    plan = plan_tasks(transport, desired(1, {"overlap": 2, "inner_id": 5}))
    transport.state.tasks[1].values["overlap"] = 2

    def lost(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH":
            SandboxTransport.handle_request(transport, request)
            raise httpx.ReadError("lost")
        return None

    transport.hook = lost
    (outcome,) = apply_plan(transport, plan)
    assert outcome.outcome is Outcome.APPLIED
    assert [change.path for change in outcome.changes] == [("inner_id",)]
