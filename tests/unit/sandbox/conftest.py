"""A sandbox of each edition, with a client that talks to it without a socket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import new_state


@dataclass(slots=True)
class Clock:
    """Moves on by a millisecond whenever it is looked at, and by more when it is told to."""

    moment: datetime = field(default=datetime(2026, 1, 1, tzinfo=UTC))

    def __call__(self) -> datetime:
        self.moment += timedelta(milliseconds=1)
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def community(clock: Clock) -> State:
    return _with_one_task("community", clock)


@pytest.fixture
def enterprise(clock: Clock) -> State:
    return _with_one_task("enterprise", clock)


@pytest.fixture
def http(community: State) -> Iterator[httpx.Client]:
    with _client(community) as client:
        yield client


@pytest.fixture
def enterprise_http(enterprise: State) -> Iterator[httpx.Client]:
    with _client(enterprise) as client:
        yield client


def _with_one_task(edition: str, clock: Clock) -> State:
    state = new_state(edition)
    state.clock = clock
    state.add_task(state.add_project("unit"), {"data": {"text": "x"}})
    return state


def _client(state: State) -> httpx.Client:
    return httpx.Client(
        transport=SandboxTransport(state),
        base_url="http://sandbox",
        headers={"Authorization": f"Token {SANDBOX_TOKEN}"},
    )
