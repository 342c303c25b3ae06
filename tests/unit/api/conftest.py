"""Sandboxes on loopback, as callers from Python reach them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from reconciler import Manifests, Settings
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.state import State
from tests.unit.labelstudio.wired import sandbox_with


class Server(NamedTuple):
    """A sandbox and how to reach it."""

    state: State
    settings: Settings


MakeServer = Callable[[int], Server]


@pytest.fixture(autouse=True)
def other_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the environment says counts for nothing: each of these would end a run."""
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in {
        "LABEL_STUDIO_URL": "https://another.test",
        "LABEL_STUDIO_API_KEY": "of-another",
        "HTTPS_PROXY": "http://proxy.test:1",
        "SSL_CERT_FILE": "/nowhere",
        "RECONCILER_TIMEOUT": "none",
        "RECONCILER_RPS": "none",
        "RECONCILER_MAX_CHANGES": "0",
        "RECONCILER_SHARD": "9/1",
        "RECONCILER_HEADER_HOST": "x",
        "RECONCILER_COMMIT": "of-another",
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "reconciler.toml").write_text('url = "https://another.test"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def make_server() -> Iterator[MakeServer]:
    with ExitStack() as stack:

        def make(tasks: int) -> Server:
            state = sandbox_with(tasks)
            url = stack.enter_context(serve(state))
            return Server(state, Settings(url=url, token=SANDBOX_TOKEN))

        yield make


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    """A sandbox with tasks 1 to 20."""
    return make_server(20)


def declare(first: int, last: int, text: str = "new") -> Manifests:
    """Declare a text for the tasks from ``first`` to ``last``."""
    tasks = [{"id": task, "data": {"text": text}} for task in range(first, last + 1)]
    return Manifests.from_tasks(tasks)


def list_changed(state: State, text: str = "new") -> set[int]:
    return {task for task, found in list_texts(state).items() if found == text}


def list_texts(state: State) -> dict[int, str]:
    values: dict[int, Any] = {task: stored.values for task, stored in state.tasks.items()}
    return {task: stored["data"]["text"] for task, stored in values.items()}
