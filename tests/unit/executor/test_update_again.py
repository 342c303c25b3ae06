"""What one update comes to that is cut off, refused or stopped between two attempts."""

from __future__ import annotations

import threading

import httpx

from reconciler.core.decision import Patch
from reconciler.core.report import Outcome, TaskOutcome
from reconciler.errors import ServerError
from reconciler.executor.batches import FRESH_SECONDS
from reconciler.executor.update import AGED_SECONDS
from reconciler.sandbox.sandbox_transport import SandboxTransport
from tests.unit.core.building import change, update
from tests.unit.executor.fates import sender_of
from tests.unit.labelstudio.wired import Hooked, api_of, sandbox_with

BOTH = update(1, change("overlap", 1, 2), change("inner_id", 1, 5))
PATCH = Patch(BOTH, {"overlap": 2, "inner_id": 5}, read_at=1000.0)
PERHAPS = "; an earlier update of the task may have been stored: its response was lost"


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
        result = sender_of(api).send(PATCH)
    assert result.outcome == TaskOutcome(1, Outcome.APPLIED, BOTH.changes)
    assert (result.error, result.to_settle, result.crowded) == (None, True, False)
    assert [sent.method for sent in transport.requests if sent.method != "OPTIONS"] == ["PATCH"]


def test_what_is_sent_in_two_parts_is_told_as_one():
    transport = Hooked(sandbox_with(1))
    half_stored_and_lost(transport)
    with api_of(transport) as api:
        result = sender_of(api).send(PATCH)
    assert result.outcome == TaskOutcome(1, Outcome.APPLIED, BOTH.changes)
    assert (result.error, result.to_settle, result.crowded) == (None, True, True)


def test_what_was_stored_before_its_answer_was_lost_is_applied():
    transport = Hooked(sandbox_with(1))
    server = SandboxTransport(transport.state)

    def hook(request: httpx.Request) -> None:
        if request.method == "PATCH":
            server.handle_request(request)
            raise httpx.ReadError("connection reset")

    transport.hook = hook
    with api_of(transport) as api:
        assert sender_of(api).send(PATCH).outcome == TaskOutcome(1, Outcome.APPLIED, BOTH.changes)


def test_a_stop_before_the_first_attempt_interrupts():
    transport = Hooked(sandbox_with(1))
    with api_of(transport) as api:
        result = sender_of(api, lambda: False).send(PATCH)
    outcome = result.outcome
    assert (outcome.outcome, outcome.changes) == (Outcome.INTERRUPTED, BOTH.changes)
    assert (result.to_settle, transport.count("PATCH")) == (False, 0)


def test_a_stop_between_two_attempts_tells_that_the_first_may_have_been_stored():
    transport = Hooked(sandbox_with(1))
    half_stored_and_lost(transport)
    turns = iter([True, False])
    with api_of(transport) as api:
        result = sender_of(api, lambda: next(turns)).send(PATCH)
    assert result.outcome == TaskOutcome(
        1, Outcome.FAILED, BOTH.changes, "the run was stopped" + PERHAPS
    )
    assert (result.to_settle, transport.count("PATCH")) == (True, 1)


def test_a_server_that_had_no_room_once_was_crowded_whatever_it_said_then():
    transport = Hooked(sandbox_with(1))
    answering(transport, 429, 403)
    with api_of(transport) as api:
        result = sender_of(api).send(PATCH)
    assert isinstance(result.error, ServerError)
    assert result.outcome == TaskOutcome(1, Outcome.FAILED, BOTH.changes, str(result.error))
    assert (result.crowded, result.to_settle) == (True, True)


def test_a_refusal_is_reported_although_the_run_was_stopped():
    transport = Hooked(sandbox_with(1))
    stop = threading.Event()

    def hook(request: httpx.Request) -> httpx.Response:
        stop.set()
        return httpx.Response(403, json={"detail": "No."}, request=request)

    transport.hook = hook
    with api_of(transport) as api:
        result = sender_of(api, stop=stop).send(PATCH)
    assert "returned 403" in str(result.error)
    assert result.outcome.outcome is Outcome.FAILED


def test_what_nothing_held_back_is_sent_without_another_read():
    transport = Hooked(sandbox_with(1))
    with api_of(transport) as api:
        assert sender_of(api).send(PATCH).outcome.outcome is Outcome.APPLIED
    assert transport.count("GET") == 0


def test_what_was_read_long_ago_is_read_again_even_so():
    transport = Hooked(sandbox_with(1))
    with api_of(transport) as api:
        old = Patch(BOTH, PATCH.body, read_at=1000.0 - AGED_SECONDS - 1)
        assert sender_of(api).send(old).outcome.outcome is Outcome.APPLIED
    assert transport.count("GET") == 1


def test_a_task_that_broke_between_two_attempts_is_not_written_to_again():
    transport = Hooked(sandbox_with(1))

    def hook(request: httpx.Request) -> None:
        if request.method == "PATCH":
            transport.state.tasks[1].values["data"] = 1
            raise httpx.ReadError("connection reset")

    transport.hook = hook
    with api_of(transport) as api:
        assert sender_of(api).send(PATCH).outcome.outcome is Outcome.FAILED
    assert transport.count("PATCH") == 1


def test_what_was_read_a_while_ago_is_read_again_only_after_a_pause():
    transport = Hooked(sandbox_with(1))
    with api_of(transport) as api:
        read_at = 1000.0 - (FRESH_SECONDS + AGED_SECONDS) / 2
        some_time_ago = Patch(BOTH, PATCH.body, read_at=read_at)
        assert sender_of(api).send(some_time_ago).outcome.outcome is Outcome.APPLIED
    assert transport.count("GET") == 0


def test_a_stop_while_a_task_is_read_again_interrupts():
    transport, stop = Hooked(sandbox_with(1)), threading.Event()

    def hook(request: httpx.Request) -> None:
        if request.method == "GET":
            stop.set()

    transport.hook = hook
    with api_of(transport) as api:
        old = Patch(BOTH, PATCH.body, read_at=1000.0 - AGED_SECONDS - 1)
        assert sender_of(api, stop=stop).send(old).outcome.outcome is Outcome.INTERRUPTED
    assert transport.count("PATCH") == 0
