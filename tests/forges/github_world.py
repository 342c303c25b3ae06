"""A repository on a GitHub of these tests, whose jobs run the action against a sandbox."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from reconciler.engine.review import reviewing
from reconciler.forges import forge_client
from reconciler.sandbox import loopback_server
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.exchange import Request, Response
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.sandbox_transport import handle_in_turn
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import load_state
from tests.forges import github_api
from tests.forges.action_runner import ROOT, ActionRun, run_action
from tests.forges.command_runner import run_command_line
from tests.forges.forge_server import serve_forge
from tests.forges.forge_state import REPOSITORY, Account, Change, ForgeState, Merging
from tests.git_repositories import GitRepository

BOT: Final = "github-actions[bot]"
JOB_TOKEN: Final = "ghs_0123456789abcdefghijklmnopqrstuvwxyz"
SCRIPT: Final = 'exec "$RUNNER_TEMP/reconciler/bin/reconciler" '
"""How a step begins, but for that which installs."""


def write_manifest(**overlaps: int) -> dict[str, str | None]:
    """Write the manifest of project 7, ``t101=2`` for an overlap of 2 of task 101."""
    lines = ["version: 1", "project: 7", "tasks:"]
    lines += [f"  - {{id: {name[1:]}, overlap: {value}}}" for name, value in overlaps.items()]
    return {"manifests/tasks.yaml": "\n".join(lines) + "\n"}


def add_many_tasks(state: State, count: int) -> dict[str, str | None]:
    """Add tasks to project 7, and write a manifest that changes a key of its own in each."""
    lines = ["version: 1", "project: 7", "tasks:"]
    for task in range(1000, 1000 + count):
        data = {"text": "A text.", f"key{task}": f"{task} {'é😀<' * 90}"}
        state.add_task(state.projects[7], {"data": data}, number=task)
        lines.append(f"  - {{id: {task}, data: {{key{task}: {'😀<&' * 90}}}}}")
    return {"manifests/tasks.yaml": "\n".join(lines) + "\n"}


@dataclass(slots=True)
class World:
    """The forge, the server, and the runs of jobs so far; ``inputs`` are those of every job.

    ``hook`` may answer requests to the server in its place. ``attempt`` is 2 for runs that are
    repeated.
    """

    forge: ForgeState
    state: State
    api: str
    url: str
    temp: Path
    inputs: dict[str, str] = field(default_factory=dict)
    runs: int = 1000
    attempt: int = 1
    hook: Callable[[Request], Response | None] = lambda _request: None

    def plan(
        self, change: Change, *, run: int = 0, event: str = "pull_request", **inputs: str
    ) -> ActionRun:
        """Run the job of a pull request, on what its merge would be."""
        commit = self.forge.check_out_merged(change)
        return self.run(event, commit, inputs | {"command": "plan"}, change=change, number=run)

    def apply(self, commit: str, *, event: str = "push", **inputs: str) -> ActionRun:
        """Run the job of a push to the default branch."""
        self.forge.repository.git("checkout", "-q", "--detach", commit)
        return self.run(event, commit, inputs | {"command": "apply"})

    def drift(self, **inputs: str) -> ActionRun:
        """Run the nightly job."""
        self.forge.repository.git("checkout", "-q", "--detach", "main")
        commit = self.forge.repository.git("rev-parse", "main")
        return self.run("schedule", commit, inputs | {"command": "drift"})

    def review_and_merge(self, change: Change, how: Merging = "merge") -> str:
        """Plan a change, which must be green, and merge it; return the commit."""
        assert self.plan(change).code == 0
        return self.forge.merge(change, how)

    def run(
        self,
        event: str,
        commit: str,
        inputs: Mapping[str, str],
        *,
        change: Change | None = None,
        number: int = 0,
    ) -> ActionRun:
        """Run the action in this process, with what the runner of an event gives it.

        The names of inputs have ``_`` for ``-``.
        """
        self.runs += 1
        environment = self.build_environment(event, commit, change, number or self.runs)
        given = {"paths": "manifests/", "url": self.url, "api-key": SANDBOX_TOKEN}
        context = {
            "github": {"event_name": event, "action_path": str(ROOT), "token": JOB_TOKEN},
            "runner": {"temp": str(self.temp)},
        }
        return run_action(
            given | self.inputs | {name.replace("_", "-"): one for name, one in inputs.items()},
            context,
            environment,
            run_step=lambda script, whole: run_script(script, whole, self.forge.repository.folder),
        )

    def build_environment(
        self, event: str, commit: str, change: Change | None, number: int
    ) -> dict[str, str]:
        """Build the variables of a job, and write its event."""
        payload: dict[str, Any] = {"repository": {"full_name": REPOSITORY}}
        if change:
            payload["number"] = change.number
            payload["pull_request"] = {
                "number": change.number,
                "user": {"login": change.author},
                "head": {
                    "sha": change.head,
                    "repo": {"full_name": change.repository} if change.repository else None,
                },
                "base": {"sha": change.base, "ref": change.target},
            }
        file = self.temp / "event.json"
        file.write_text(json.dumps(payload), encoding="utf-8")
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": change.author if change else "ann",
            "GITHUB_API_URL": self.api,
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(file),
            "GITHUB_GRAPHQL_URL": f"{self.api}/graphql",
            "GITHUB_REF_NAME": f"{change.number}/merge" if change else "main",
            "GITHUB_REF_TYPE": "branch",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ATTEMPT": str(self.attempt),
            "GITHUB_RUN_ID": str(number),
            "GITHUB_SERVER_URL": "https://github.example.org",
            "GITHUB_SHA": commit,
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary.md"),
            "HOME": str(self.temp),
            "PATH": os.environ["PATH"],
            "RUNNER_TEMP": str(self.temp),
        }

    @property
    def patches(self) -> int:
        """How many updates the server received."""
        return self.state.requests("PATCH")

    def overlap(self, task: int) -> object:
        """Return the overlap of a task on the server."""
        return self.state.tasks[task].values["overlap"]

    def comment(self, change: Change) -> str:
        """Return the one comment of the action under a change."""
        (body,) = self.forge.bodies(change, BOT)
        return body


def run_script(script: str, environment: Mapping[str, str], folder: Path) -> tuple[int, str]:
    """Run the script of a step in this process; the installation does nothing here."""
    if not script.startswith(SCRIPT):
        return 0, ""
    return run_command_line(shlex.split(script.removeprefix(SCRIPT)), environment, folder)


@contextmanager
def build_world(folder: Path) -> Iterator[World]:
    """Make a repository with a manifest that the server already conforms to."""
    repository = GitRepository.create(folder / "repository")
    repository.commit(write_manifest(t101=1))
    accounts = {JOB_TOKEN: Account(BOT)}
    forge = ForgeState(repository, accounts)
    state = load_state(ROOT / "examples" / "sandbox.json")
    temp = folder / "temp"
    temp.mkdir()
    with (
        serve(state) as url,
        serve_forge(forge, github_api.handle) as api,
        pytest.MonkeyPatch.context() as patch,
    ):
        world = World(forge, state, api, url, temp)
        patch.setattr(reviewing, "_PAUSES", (0, 0))
        patch.setattr(forge_client, "_PAUSES", (0, 0))
        patch.setattr(
            loopback_server,
            "handle_in_turn",
            lambda state, request: world.hook(request) or handle_in_turn(state, request),
        )
        yield world
