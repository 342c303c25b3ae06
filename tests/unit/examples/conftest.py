"""A sandbox with the tasks of the examples, on a port of this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from reconciler.engine.settings.run_settings import Settings
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import load_state
from tests.unit.examples.scripts import TASKS


@pytest.fixture
def state() -> State:
    return load_state(TASKS)


@pytest.fixture
def url(state: State) -> Iterator[str]:
    with serve(state) as address:
        yield address


@pytest.fixture
def settings(url: str) -> Settings:
    return Settings(url=url, token=SANDBOX_TOKEN)


@pytest.fixture
def closed_url() -> Iterator[str]:
    """The address of a port that is taken for the test, so that nothing can listen on it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
