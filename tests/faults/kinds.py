"""What can go wrong with one request, and what the client gets to see of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, NoReturn

import httpx


class Fault(StrEnum):
    """A way to misbehave; the words are those that a failing test is named by."""

    DROPPED = "no connection"
    LOST = "done, answer lost"
    CUT = "done, answer cut off"
    HALF = "done, half an answer as if it were all"
    TIMED_OUT = "done, answered too late"
    LATE = "given up, done later"
    CROWDED = "429"
    CROWDED_FOR_A_SECOND = "429 with Retry-After"
    BROKEN = "500"
    BROKEN_AFTER = "done, 500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    GATEWAY_TIMEOUT = "done, 504"
    UNAUTHORISED = "401"
    FORBIDDEN = "403"
    NOT_JSON = "done instead of JSON"
    OTHER_JSON = "done, JSON of another shape"
    PAGE = "a page with 200"
    OTHER_TASK = "done, another task in the answer"
    OTHER_TYPE = "done, another content type"


DONE: Final = frozenset(fault for fault in Fault if fault.startswith("done, "))
"""The server does what it is asked; only its answer suffers."""

_Show = Callable[[httpx.Request, httpx.Response], httpx.Response]


def shown(fault: Fault, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
    """Give what the client sees in the place of ``answer``; raises what httpx would raise."""
    return _SHOWN[fault](request, answer)


class _CutOff(httpx.SyncByteStream):
    """A body that ends before its time, as httpx tells of it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content
        raise httpx.RemoteProtocolError("peer closed connection without sending complete body")


def _raising(error: type[httpx.TransportError], said: str) -> _Show:
    def fail(request: httpx.Request, _answer: httpx.Response) -> NoReturn:
        raise error(said, request=request)

    return fail


def _refusing(status: int, **headers: str) -> _Show:
    """Answer as Label Studio does."""
    body = {"id": "1", "status_code": status, "version": "1.23.2", "detail": "Made to fail."}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request, _answer: httpx.Response(status, json=body, headers=named)


def _page(status: int) -> _Show:
    """Answer as the proxies before it do."""
    html = f"<html><head><title>{status} from a proxy</title></head></html>"
    return lambda _request, _answer: httpx.Response(status, html=html)


def _half(_request: httpx.Request, answer: httpx.Response) -> httpx.Response:
    headers = {"Content-Type": "application/json"}
    return httpx.Response(answer.status_code, content=_first_half(answer), headers=headers)


def _cut(_request: httpx.Request, answer: httpx.Response) -> httpx.Response:
    return httpx.Response(answer.status_code, stream=_CutOff(_first_half(answer)))


def _first_half(answer: httpx.Response) -> bytes:
    return answer.content[: len(answer.content) // 2]


def _other_task(_request: httpx.Request, answer: httpx.Response) -> httpx.Response:
    """Answer for others than were asked for, as a cache with a wrong key does."""
    if not answer.is_success:
        return answer
    body: Any = json.loads(answer.content)
    if "tasks" in body:
        body["tasks"] = [{**task, "id": task["id"] + 1_000} for task in body["tasks"]]
    elif "id" in body:
        body = {**body, "id": body["id"] + 1_000, "data": {"text": "Of another."}, "overlap": 9}
    else:
        body = {"id": 1_000}
    return httpx.Response(answer.status_code, json=body)


def _other_type(_request: httpx.Request, answer: httpx.Response) -> httpx.Response:
    headers = {"Content-Type": "text/plain"}
    return httpx.Response(answer.status_code, content=answer.content, headers=headers)


_SHOWN: Final[Mapping[Fault, _Show]] = {
    Fault.DROPPED: _raising(httpx.ConnectError, "connection refused"),
    Fault.LOST: _raising(httpx.ReadError, "connection reset by peer"),
    Fault.CUT: _cut,
    Fault.HALF: _half,
    Fault.TIMED_OUT: _raising(httpx.ReadTimeout, "timed out"),
    Fault.LATE: _raising(httpx.ReadTimeout, "timed out"),
    Fault.CROWDED: _refusing(429),
    Fault.CROWDED_FOR_A_SECOND: _refusing(429, Retry_After="1"),
    Fault.BROKEN: _refusing(500),
    Fault.BROKEN_AFTER: _refusing(500),
    Fault.BAD_GATEWAY: _page(502),
    Fault.UNAVAILABLE: _page(503),
    Fault.GATEWAY_TIMEOUT: _page(504),
    Fault.UNAUTHORISED: _refusing(401),
    Fault.FORBIDDEN: _refusing(403),
    Fault.NOT_JSON: lambda _request, _answer: httpx.Response(200, text="OK"),
    Fault.OTHER_JSON: lambda _request, _answer: httpx.Response(200, json=[{"hello": "world"}]),
    Fault.PAGE: _page(200),
    Fault.OTHER_TASK: _other_task,
    Fault.OTHER_TYPE: _other_type,
}
