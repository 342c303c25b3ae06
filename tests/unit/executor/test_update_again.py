"""What one update comes to that is cut off, refused or stopped between two attempts."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx
import pytest

from reconciler.contract.body_validator import BodyValidator
from reconciler.contract.openapi import load_contract
from reconciler.core.decision import GuardFacts, Patch
from reconciler.core.report import Outcome, TaskOutcome
from reconciler.errors import ServerError
from reconciler.executor.ignored_attributes import IgnoredAttributes
from reconciler.executor.update import AGED_SECONDS, UpdateSender
from reconciler.labelstudio.task_api import TaskApi
from reconciler.sandbox.sandbox_transport import SandboxTransport
from tests.unit.core.building import change, update
from tests.unit.labelstudio.wired import Hooked, api_of, look_of, sandbox_with

BOTH = update(1, change("overlap", 1, 2), change("inner_id", 1, 5))
PATCH = Patch(BOTH, {"overlap": 2, "inner_id": 5}, read_at=1000.0)
PERHAPS = "; an update before that may have been stored: its answer was lost"


def sending(
    api: TaskApi,
    may_begin: Callable[[], bool] = lambda: True,
    stop: threading.Event | None = None,
) -> UpdateSender:
    attributes = load_contract()
    facts = GuardFacts(attributes, BodyValidator(attributes), frozenset(), {})
    ignored = IgnoredAttributes(look_of(api), attributes)
    return UpdateSender(api, facts, may_begin, ignored=ignored, stop=stop or threading.Event())


def half_stored_and_lost(transport: Hooked) -> None:
    """Let the first update store one of its attributes, and its answer get lost."""
    waiting = [2]

    def hook(request: httpx.Request) -> None:
        if request.method == "PATCH" and waiting:
            transport.state.tasks[1].values["overlap"] = waiting.pop()
            raise httpx.ReadError("connection reset")

    transport.hook = hook


def answering(transport: Hooked, *statuses: int) -> None:
    waiting = list(statuses)

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "PATCH" or not waiting:
            return None
        return httpx.Response(waiting.pop(0), json={"detail": "No."}, request=request)

    transport.hook = hook


def test_an_update_that_is_answered_is_applied_and_nobody_was_crowded():
    transport = Hooked(sandbox_with(1))
    with api_of(transport) as api:
        one = sending(api)
        assert one.send(PATCH) == TaskOutcome(1, Outcome.APPLIED, BOTH.changes)
    assert (one.plan, one.to_settle, one.crowded) == (BOTH, True, False)
    assert [sent.method for sent in transport.requests if sent.method != "OPTIONS"] == ["PATCH"]


def test_what_is_sent_in_two_parts_is_told_as_one():
    transport = Hooked(sandbox_with(1))
    half_stored_and_lost(transport)
    with api_of(transport) as api:
        one = sending(api)
        assert one.send(PATCH) == TaskOutcome(1, Outcome.APPLIED, BOTH.changes)
    assert (one.plan, one.to_settle, one.crowded) == (BOTH, True, True)


def test_what_was_stored_before_its_answer_was_lost_is_applied():
    transport = Hooked(sandbox_with(1))
    server = SandboxTransport(transport.state)

    def hook(request: httpx.Request) -> None:
        if request.method == "PATCH":
            server.handle_request(request)
            raise httpx.ReadError("connection reset")

    transport.hook = hook
    with api_of(transport) as api:
        assert sending(api).send(PATCH) == TaskOutcome(1, Outcome.APPLIED, BOTH.changes)


def test_a_stop_before_the_first_attempt_interrupts():
    transport = Hooked(sandbox_with(1))
    with api_of(transport) as api:
        one = sending(api, lambda: False)
        outcome = one.send(PATCH)
    assert (outcome.outcome, outcome.changes) == (Outcome.INTERRUPTED, BOTH.changes)
    assert (one.to_settle, transport.count("PATCH")) == (False, 0)


def test_a_stop_between_two_attempts_tells_that_the_first_may_have_been_stored():
    transport = Hooked(sandbox_with(1))
    half_stored_and_lost(transport)
    turns = iter([True, False])
    with api_of(transport) as api:
        one = sending(api, lambda: next(turns))
        assert one.send(PATCH) == TaskOutcome(
            1, Outcome.FAILED, BOTH.changes, "the run was stopped" + PERHAPS
        )
    assert (one.plan, one.to_settle, transport.count("PATCH")) == (BOTH, True, 1)


def test_a_server_that_had_no_room_once_was_crowded_whatever_it_said_then():
    transport = Hooked(sandbox_with(1))
    answering(transport, 429, 403)
    with api_of(transport) as api:
        one = sending(api)
        with pytest.raises(ServerError):
            one.send(PATCH)
    assert (one.crowded, one.to_settle) == (True, True)


def test_a_refusal_is_told_as_one_although_the_run_was_stopped():
    transport = Hooked(sandbox_with(1))
    stop = threading.Event()

    def hook(request: httpx.Request) -> httpx.Response:
        stop.set()
        return httpx.Response(403, json={"detail": "No."}, request=request)

    transport.hook = hook
    with api_of(transport) as api, pytest.raises(ServerError, match="was forbidden"):
        sending(api, stop=stop).send(PATCH)


def test_what_nothing_held_back_is_sent_without_another_read():
    transport = Hooked(sandbox_with(1))
    with api_of(transport) as api:
        assert sending(api).send(PATCH).outcome is Outcome.APPLIED
    assert transport.count("GET") == 0


def test_what_was_read_long_ago_is_read_again_even_so():
    transport = Hooked(sandbox_with(1))
    with api_of(transport) as api:
        old = Patch(BOTH, PATCH.body, read_at=1000.0 - AGED_SECONDS - 1)
        assert sending(api).send(old).outcome is Outcome.APPLIED
    assert transport.count("GET") == 1


def test_a_task_that_broke_between_two_attempts_is_not_written_to_again():
    transport = Hooked(sandbox_with(1))

    def hook(request: httpx.Request) -> None:
        if request.method == "PATCH":
            transport.state.tasks[1].values["data"] = 1
            raise httpx.ReadError("connection reset")

    transport.hook = hook
    with api_of(transport) as api:
        assert sending(api).send(PATCH).outcome is Outcome.FAILED
    assert transport.count("PATCH") == 1
