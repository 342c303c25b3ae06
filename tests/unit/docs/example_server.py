"""The sandbox that worked examples run on: a page may say what happens at its updates.

A comment in a ``console`` block says it, in one of the forms of `_FORMS`; it holds for the command
below it. An ``http`` block has requests, ``> PATCH /api/tasks/101/ {"overlap": 2}``, and answers.
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from io import StringIO
from typing import Any, Final

import httpx

from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.exchange import Request
from reconciler.sandbox.sandbox_transport import SandboxTransport, handle_in_turn
from reconciler.sandbox.state import State
from tests.faults.kinds import DONE, Fault, shown

_FORMS: Final = {
    "lost": re.compile(r"# update (\d+) is stored, but its answer is lost"),
    "busy": re.compile(r"# the server answers update (\d+) with 503"),
    "refused": re.compile(r"# from update (\d+) on, the server refuses connections"),
    "stop": re.compile(r"# you press Ctrl-C during update (\d+)"),
    "other": re.compile(r"# after update (\d+), another client sends PATCH (\S+) (\{.*\})"),
}
_FAULTS: Final = {"lost": Fault.LOST, "busy": Fault.UNAVAILABLE, "refused": Fault.DROPPED}
_HEADER: Final = "Authorization:"
_REQUEST: Final = re.compile(
    rf"^> ([A-Z]+ /.+)\n(?:> {_HEADER} (.+)\n)?(?:< \d+ (\{{.*), \.\.\.\}}\n)?",
    re.MULTILINE,
)
_OK: Final = 200
_STOP_SECONDS: Final = 30


class ExampleServer(SandboxTransport):
    """Answers as the sandbox does, except for what the page says; ``out`` is what is printed."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.out = StringIO()
        self._events: list[tuple[str, int, tuple[str, ...]]] = []
        self._updates = 0
        self._gone = False
        self._lock = threading.Lock()

    def expect(self, comment: str) -> None:
        """Let happen what a comment says, in the next command; raises ValueError if unknown."""
        for name, form in _FORMS.items():
            if found := form.fullmatch(comment):
                number, *more = found.groups()
                self._events.append((name, int(number), tuple(more)))
                return
        raise ValueError(comment)

    def begin(self, out: StringIO) -> None:
        """Count updates from 1: a command begins, which prints to ``out``."""
        self.out, self._updates = out, 0

    def end(self) -> None:
        """Forget what the page said of the command that has ended; all of it has happened."""
        assert all(number <= self._updates for _, number, _ in self._events), self._events
        self._events, self._gone = [], False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self._updates += request.method == "PATCH"
            number = self._updates
        events = [
            (name, more)
            for name, at, more in self._events
            if request.method == "PATCH" and at == number
        ]
        faults = [_FAULTS[name] for name, _ in events if name in _FAULTS]
        self._gone |= Fault.DROPPED in faults
        fault = Fault.DROPPED if self._gone else next(iter(faults), None)
        done = fault is None or fault in DONE
        answer = super().handle_request(request) if done else httpx.Response(204)
        for name, more in events:
            if name == "stop":
                self._interrupt()
            if name == "other":
                send(self.state, "PATCH", more[0], more[1])
        return answer if fault is None else shown(fault, request, answer)

    def _interrupt(self) -> None:
        """Send SIGINT, and answer only once the run says that it has noticed."""
        os.kill(os.getpid(), signal.SIGINT)
        until = time.monotonic() + _STOP_SECONDS
        while "stopping" not in self.out.getvalue() and time.monotonic() < until:
            time.sleep(0.001)


def send(
    state: State,
    method: str,
    target: str,
    body: str = "",
    *,
    authorization: str = f"Token {SANDBOX_TOKEN}",
) -> tuple[int, Any]:
    """Send one request; returns its status and body, None for a page."""
    path, _, query = target.partition("?")
    headers = {"content-type": "application/json", "authorization": authorization}
    response = handle_in_turn(state, Request(method, path, query, headers, body.encode()))
    is_json = response.headers["Content-Type"] == "application/json"
    return response.status, json.loads(response.body) if is_json else None


def send_again(exchange: str, state: State) -> str:
    """Send the requests of an ``http`` block, and return it with the answers of now.

    The token is the right one, unless a line below the request has another. An answer that ends
    in ``, ...}`` shows the attributes that it showed before; by default, an answer to an update
    shows those that were sent.
    """
    printed = "".join(re.findall(r"^# .+\n", exchange, re.MULTILINE))
    for line, header, shown_before in re.findall(_REQUEST, exchange):
        method, target, body = [*line.split(" ", 2), ""][:3]
        authorization = header or f"Token {SANDBOX_TOKEN}"
        status, answer = send(state, method, target, body, authorization=authorization)
        names = set(json.loads(f"{shown_before}}}")) if shown_before else None
        if names is None and method == "PATCH" and status == _OK:
            names = set(json.loads(body))
        below = f"> {_HEADER} {header}\n" if header else ""
        printed += f"> {line}\n{below}< {status} {_shorten(answer, names)}\n"
    return printed


def _shorten(answer: object, names: AbstractSet[str] | None) -> str:
    """Write an answer: with some of its attributes, all of them, or the reasons of a refusal."""
    if answer is None:
        return "(an HTML page)"
    if not isinstance(answer, Mapping):
        return json.dumps(answer)
    if "status_code" in answer:
        names = {"detail", "validation_errors"}
    if names is None or names >= set(answer):
        return json.dumps(answer)
    text = json.dumps({name: value for name, value in answer.items() if name in names})
    return "{...}" if text == "{}" else f"{text[:-1]}, ...}}"
