"""The sandbox behind a line on which chosen requests go wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import httpx

from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.state import State
from tests.faults.kinds import DONE, Fault, shown

TRUE = frozenset({None, Fault.OTHER_TYPE})
"""What befalls a request without keeping its answer from the client."""

LATE_BY = 2
"""How many requests later that is done which the client has given up."""

Schedule = Callable[[int], Fault | None]
"""Tells what befalls the request with this number; they count from 1."""


class Misbehaving(SandboxTransport):
    """Lets what befalls each request depend on its number, and counts.

    ``asked`` are the ids of tasks for which a PATCH was sent, whether it arrived or not; ``seen``
    are those that the client was shown as they are stored, and sent no PATCH for since.
    """

    def __init__(self, state: State, schedule: Schedule = lambda _number: None) -> None:
        super().__init__(state)
        self.schedule = schedule
        self.methods: list[str] = []
        self.faults = 0
        self.asked: set[int] = set()
        self.seen: set[int] = set()
        self._late: list[tuple[int, httpx.Request]] = []
        self._lock = threading.Lock()

    @property
    def count(self) -> int:
        """How many requests have come in; ``methods`` tells those of each, in order."""
        return len(self.methods)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        with self._lock:
            self.methods.append(request.method)
            number = self.count
            if request.method == "PATCH":
                task = int(request.url.path.split("/")[3])
                self.asked.add(task)
                self.seen.discard(task)
            self._do_late(up_to=number)
            fault = self.schedule(number)
            self.faults += fault is not None
            if fault is Fault.LATE:
                self._late.append((number + LATE_BY, request))
        done = fault is None or fault in DONE
        answer = super().handle_request(request) if done else httpx.Response(204)
        if fault in TRUE:
            self._note_seen(request, answer)
        return answer if fault is None else shown(fault, request, answer)

    def _note_seen(self, request: httpx.Request, answer: httpx.Response) -> None:
        if request.method == "GET" and answer.is_success:
            body = json.loads(answer.content)
            tasks = body.get("tasks", [body]) if isinstance(body, dict) else []
            with self._lock:
                self.seen |= {task["id"] for task in tasks if "data" in task}

    def finish(self) -> None:
        """Do what is still to be done late: the run that asked for it has ended."""
        with self._lock:
            self._do_late(up_to=self.count + LATE_BY)

    def _do_late(self, *, up_to: int) -> None:
        due = [request for number, request in self._late if number <= up_to]
        self._late = [(number, request) for number, request in self._late if number > up_to]
        for request in due:
            super().handle_request(request)


def once(fault: Fault, at: int) -> Schedule:
    """Let one request go wrong."""
    return lambda number: fault if number == at else None


def from_then_on(fault: Fault, at: int) -> Schedule:
    """Let one request go wrong, and all that follow."""
    return lambda number: fault if number >= at else None
