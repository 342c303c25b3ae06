"""Runs a case: a folder with manifests and a server's tasks, and with what must come of them.

    case.yaml       optional: edition, poisoned (tasks whose data is no object), options of both
                    commands, and exit codes that are not 0
    manifest.yaml   what is declared
    live.json       what the server holds: the tasks file of the sandbox
    plan.txt        what plan prints, without colour
    plan.json       optional: what plan --format json prints
    report.txt      optional: what apply prints after the plan
    refused.txt     optional: what apply says on standard error
    requests.json   what is sent: method, path, then the query or the body
    after.json      optional: attributes of tasks as they are on the server afterwards

With ACCEPT_CASES in the environment what comes is written in place of what must come: look at
the differences before you commit them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from reconciler.cli.collaborators import Collaborators
from reconciler.cli.main import run
from reconciler.engine.apply import ApplyResult, apply_plan
from reconciler.executor.execution_options import ExecutionOptions
from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import load_state
from tests.sandboxed import LARGE_BATCHES, set_environment
from tests.unit.labelstudio.wired import query_of


class RecordingTransport(SandboxTransport):
    """The sandbox, and a list of what was asked of it that a person can read."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.requests: list[list[Any]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        said = json.loads(request.content) if request.content else _query_of(request)
        self.requests.append([request.method, request.url.path, *([said] if said else [])])
        return super().handle_request(request)


@dataclass(frozen=True, slots=True)
class Ran:
    """What one command did."""

    exit_code: int
    output: str
    errors: str
    requests: list[list[Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """One folder; ``command`` runs the command line on its manifests and its server."""

    folder: Path
    settings: Mapping[str, Any]
    state: State
    command: Callable[..., Ran]

    def exit_code(self, name: str) -> int:
        code: int = self.settings.get("exit", {}).get(name, 0)
        return code

    def agrees(self, name: str, actual: str) -> bool:
        """Compare with a file of the case; a file that is not there stands for no text."""
        file = self.folder / name
        if "ACCEPT_CASES" in os.environ and actual:
            file.write_text(actual, encoding="utf-8")
        expected = file.read_text(encoding="utf-8") if file.exists() else ""
        assert actual == expected, name
        return True

    def stored(self) -> dict[str, dict[str, Any]]:
        """Pick from the server those attributes of those tasks that after.json names."""
        named: Mapping[str, Mapping[str, Any]] = json.loads(
            (self.folder / "after.json").read_text(encoding="utf-8")
        )
        return {
            task: {name: self.state.tasks[int(task)].values[name] for name in attributes}
            for task, attributes in named.items()
        }


@pytest.fixture
def case(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Case:
    """Open the case whose name the test is given, on a sandbox of its own."""
    folder = Path(__file__).parent / request.param
    file = folder / "case.yaml"
    settings = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    state = load_state(folder / "live.json", settings.get("edition", "community"))
    for task in settings.get("poisoned", ()):
        state.tasks[task].values["data"] = 1
    transport = RecordingTransport(state)
    monkeypatch.chdir(folder)
    set_environment(monkeypatch)
    collaborators = Collaborators(transport, _apply_in_large_batches)
    monkeypatch.setenv("RECONCILER_CONCURRENCY", "1")  # PATCHes in an order that can be foreseen

    def command(name: str, *options: str) -> Ran:
        transport.requests.clear()
        code = run(
            [name, "manifest.yaml", *settings.get("options", ()), *options],
            collaborators=collaborators,
        )
        said = capsys.readouterr()
        return Ran(code, said.out, said.err, list(transport.requests))

    return Case(folder, settings, state, command)


def _apply_in_large_batches(*plan: Any, options: ExecutionOptions, **given: Any) -> ApplyResult:  # noqa: ANN401 - passed on
    """Make not as many batches as this machine happens to be slow."""
    return apply_plan(*plan, options=replace(options, batches=LARGE_BATCHES), **given)


def _query_of(request: httpx.Request) -> dict[str, Any]:
    query = query_of(request)
    if "query" in query:
        query["query"] = json.loads(query["query"])
    return query
