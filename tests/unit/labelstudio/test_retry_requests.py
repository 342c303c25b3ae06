"""Reads on a server that fails and comes back: what is asked again, and after which pauses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import cycle

import httpx
import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.plan_model import Plan
from reconciler.engine.connection import Connection
from reconciler.engine.plan import build_plan
from reconciler.engine.revert import RunHistory, build_revert_plan
from reconciler.errors import (
    Broken,
    NotLabelStudio,
    NotSent,
    Rejected,
    ServerError,
    TimedOut,
    Unauthorised,
    Unreachable,
)
from reconciler.sandbox.access import SANDBOX_REFRESH_TOKEN
from tests.unit.core.building import Listed
from tests.unit.labelstudio.patient import Patient
from tests.unit.labelstudio.wired import Hooked, Noted, Scripted, api_of, client_of, sandbox_with

Fault = Callable[[], httpx.Response]

GOOD = '{"id": 1}'


def raising(error: httpx.TransportError) -> Fault:
    def fail() -> httpx.Response:
        raise error

    return fail


def answering(status: int, **headers: str) -> Fault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: httpx.Response(status, json={"detail": "No."}, headers=named)


def page(status: int) -> Fault:
    return lambda: httpx.Response(status, html="<title>Gateway</title>")


def cut_off() -> httpx.Response:
    return httpx.Response(200, text='{"id": 1, "da', headers={"content-type": "application/json"})


def failing(times: int, fault: Fault) -> Scripted:
    """Fail so many times, and then be well."""
    transport = Scripted(
        lambda _: fault() if len(transport.requests) <= times else httpx.Response(200, text=GOOD)
    )
    return transport


PASSING = {
    "refused": raising(httpx.ConnectError("refused")),
    "reset": raising(httpx.ReadError("reset")),
    "hung up": raising(httpx.RemoteProtocolError("hung up")),
    "late": raising(httpx.ReadTimeout("late")),
    **{str(status): answering(status) for status in (408, 429, 500, 502, 503, 504)},
    **{f"page with {status}": page(status) for status in (200, 429, 500, 502, 503, 504)},
    "cut off": cut_off,
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_read_is_sent_again_after_a_fault_that_passes(fault: str):
    transport, backoff = failing(1, PASSING[fault]), Patient()
    with client_of(transport, backoff=backoff) as client:
        assert client.get("/api/tasks/1/") == {"id": 1}
        assert client.requests == 2
    assert backoff.waited == [0.5]


@pytest.mark.parametrize("first", ["reset", "502", "late", "page with 200"])
def test_a_fault_of_another_kind_takes_no_attempt_from_those_after_it(first: str):
    faults = iter([PASSING[first], PASSING["500"]])
    transport = Scripted(
        lambda _: fault() if (fault := next(faults, None)) else httpx.Response(200, text=GOOD)
    )
    with client_of(transport) as client:
        assert client.get("/api/tasks/1/") == {"id": 1}
        assert client.requests == 3


def test_however_many_kinds_of_faults_a_read_has_no_more_attempts():
    faults = cycle([PASSING[kind] for kind in ("reset", "502", "429", "503", "504")])
    transport = Scripted(lambda _: next(faults)())
    with client_of(transport) as client, pytest.raises(ServerError):
        client.get("/api/tasks/1/")
    assert len(transport.requests) == 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_a_read_that_is_refused_is_not_sent_again(status: int):
    transport = failing(9, answering(status))
    with client_of(transport) as client, pytest.raises(ServerError):
        client.get("/api/tasks/1/")
    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    ("fault", "requests"), [("reset", 3), ("503", 5), ("500", 2), ("page with 200", 3), ("late", 2)]
)
def test_a_read_is_given_up_after_a_few_attempts(fault: str, requests: int):
    transport = failing(99, PASSING[fault])
    with client_of(transport) as client, pytest.raises(ServerError):
        client.get("/api/tasks/1/")
    assert len(transport.requests) == requests


def test_a_server_that_has_answered_before_is_waited_for_longer():
    backoff = Patient()
    transport = Scripted(lambda _: httpx.Response(200, text=GOOD))
    with client_of(transport, backoff=backoff) as client:
        client.get("/api/version")
        transport._answer = lambda _: raising(httpx.ConnectError("refused"))()  # noqa: SLF001 - a fault from within
        with pytest.raises(NotSent):
            client.get("/api/version")
    assert backoff.waited == [0.5, 1.5, 4.5, 13.5]


def test_an_update_is_sent_once_whatever_becomes_of_it():
    for name, fault in PASSING.items():
        transport = failing(9, fault)
        with client_of(transport) as client, pytest.raises(ServerError):
            client.patch("/api/tasks/1/", {"overlap": 2})
        assert len(transport.requests) == 1, name


def test_the_pause_that_a_server_asks_for_is_kept():
    backoff = Patient()
    with client_of(failing(1, answering(429, retry_after="7")), backoff=backoff) as client:
        client.get("/api/tasks/1/")
    assert sum(backoff.waited) == 7.25


def test_a_date_to_come_back_at_is_read_by_the_clock_of_the_server():
    told = {"date": "Sun, 06 Nov 1994 08:49:37 GMT", "retry-after": "Sun, 06 Nov 1994 08:49:57 GMT"}
    fault = partial(httpx.Response, 503, json={}, headers=told)
    backoff = Patient()
    with client_of(failing(1, fault), backoff=backoff) as client:
        client.get("/api/tasks/1/")
    assert sum(backoff.waited) == 20.25


def test_a_server_that_asks_for_an_hour_is_left_alone_and_the_error_says_so():
    transport = failing(9, answering(429, retry_after="3600"))
    with client_of(transport) as client, pytest.raises(Rejected) as failed:
        client.get("/api/tasks/1/")
    assert "the server asks for a pause of 3,600 s" in str(failed.value)
    assert len(transport.requests) == 1


def test_a_pause_that_is_asked_for_holds_all_requests_back():
    backoff = Patient()
    with client_of(failing(1, answering(503, retry_after="30")), backoff=backoff) as client:
        with pytest.raises(Broken):
            client.patch("/api/tasks/1/", {})
        error = Broken("", status=503, retry_after=30.0)
        backoff.pause(1, error)
        client.get("/api/tasks/2/")
    assert backoff.waited == [30.25]


def test_a_pause_ends_where_the_run_is_told_to_stop_and_no_attempt_follows():
    backoff, stop = Patient(), threading.Event()
    backoff.stop_on(stop)
    stop.set()
    transport = failing(9, answering(503))
    with client_of(transport, backoff=backoff) as client, pytest.raises(Broken):
        client.get("/api/tasks/1/")
    assert len(transport.requests) == 1


AGAIN = "no complete response from http://label-studio.test: reset; trying again in 0.5 s"


def test_attempts_are_reported():
    backoff, told = Patient(), Noted()
    backoff.progress = told
    with client_of(failing(1, PASSING["reset"]), backoff=backoff) as client:
        client.get("/api/tasks/1/")
    assert told.details == [AGAIN]


@pytest.mark.parametrize("make", [build_plan, build_revert_plan])
def test_attempts_while_planning_are_reported_to_the_progress_listener(make: Callable[..., Plan]):
    told = Noted()
    nothing = Listed([]) if make is build_plan else RunHistory((), {})
    transport = Hooked(sandbox_with(1))
    transport.hook = lambda _: PASSING["reset"]() if len(transport.requests) == 1 else None
    with api_of(transport, backoff=Patient()) as api:
        make(nothing, Connection(api, load_contract()), progress=told)
    assert told.details == [AGAIN]


# Tokens


def exchanges_of(transport: Hooked) -> int:
    return sum(request.url.path == "/api/token/refresh" for request in transport.requests)


@pytest.mark.parametrize("fault", PASSING)
def test_the_exchange_of_a_token_is_sent_again_after_a_fault_that_passes(fault: str):
    transport = Hooked(sandbox_with(1))
    transport.hook = lambda _: PASSING[fault]() if len(transport.requests) == 1 else None
    with client_of(transport, SANDBOX_REFRESH_TOKEN) as client:
        client.get("/api/tasks/1/")
    assert [request.method for request in transport.requests] == ["POST", "POST", "GET"]


def test_an_exchange_that_was_given_up_is_not_begun_again_by_the_request_that_needed_it():
    transport = Hooked(sandbox_with(1))
    transport.hook = lambda _: answering(503)()
    with client_of(transport, SANDBOX_REFRESH_TOKEN) as client, pytest.raises(Broken) as failed:
        client.get("/api/tasks/1/")
    assert failed.value.given_up
    assert exchanges_of(transport) == len(transport.requests) == 5


def test_a_personal_access_token_that_is_refused_is_named_as_the_reason():
    transport = Hooked(sandbox_with(1))
    transport.hook = lambda _: answering(401)()
    with (
        client_of(transport, SANDBOX_REFRESH_TOKEN) as client,
        pytest.raises(Unauthorised, match=r"the personal access token was refused: .* No\."),
    ):
        client.get("/api/tasks/1/")
    assert len(transport.requests) == 1


@pytest.mark.parametrize("token", ["", 1, None, "two\nlines", "\u00fc"])
def test_an_access_token_that_none_can_be_is_not_sent(token: object):
    transport = Hooked(sandbox_with(1))
    transport.hook = lambda _: httpx.Response(200, json={"access": token})
    with (
        client_of(transport, SANDBOX_REFRESH_TOKEN) as client,
        pytest.raises(NotLabelStudio, match="returned no access token"),
    ):
        client.get("/api/tasks/1/")
    assert len(transport.requests) == 1


def test_eight_threads_whose_token_is_refused_in_mid_run_have_it_renewed_once():
    transport = Hooked(sandbox_with(8))
    together = threading.Barrier(8)
    with client_of(transport, SANDBOX_REFRESH_TOKEN) as client:
        client.get("/api/tasks/1/")
        transport.state.access_tokens.clear()
        later = transport.state.clock() + timedelta(seconds=1)
        transport.state.clock = lambda: later

        def all_at_once(request: httpx.Request) -> None:
            old = request.headers.get("authorization") == first
            if old and request.method == "GET":
                together.wait(5)

        first = transport.requests[-1].headers["authorization"]
        transport.hook = all_at_once
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda task: client.get(f"/api/tasks/{task}/"), range(1, 9)))
    assert exchanges_of(transport) == 2


# Bodies without end


def test_an_answer_that_never_ends_is_not_read_to_its_end():
    given: list[int] = []

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                given.append(1)
                yield b" " * 65536

    transport = Scripted(lambda _: httpx.Response(200, stream=Endless()))
    with (
        client_of(transport, size_max=3 << 20) as client,
        pytest.raises(NotLabelStudio, match="a response of more than 3 MB"),
    ):
        client.get("/api/tasks/")
    assert len(given) == 49
    assert len(transport.requests) == 1


@pytest.mark.parametrize("packed", ["gzip, gzip", "br", "zstd"])
def test_a_compression_that_was_not_requested_is_not_decompressed(packed: str):
    answer = httpx.Response(
        200, headers={"content-encoding": packed}, stream=httpx.ByteStream(b"x")
    )
    with (
        client_of(Scripted(lambda _: answer)) as client,
        pytest.raises(NotLabelStudio, match="a compression that was not requested"),
    ):
        client.get("/api/tasks/")


def test_a_body_that_drips_is_late_as_a_whole():
    backoff = Patient()

    class Dripping(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                backoff.clock += 1
                yield b" "

    transport = Scripted(lambda _: httpx.Response(200, stream=Dripping()))
    with client_of(transport, backoff=backoff) as client, pytest.raises(TimedOut) as failed:
        client.get("/api/tasks/1/")
    assert isinstance(failed.value, Unreachable)
    assert " in 5 s" in str(failed.value)
