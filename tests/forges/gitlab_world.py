"""A project on a GitLab of these tests, whose jobs are those of examples/ci/gitlab-ci.yml."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from reconciler.engine.review import reviewing
from reconciler.forges import forge_client
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.state import State
from reconciler.sandbox.tasks_file import load_state
from tests.forges import gitlab_api
from tests.forges.action_runner import ROOT, ActionRun, StepRun
from tests.forges.command_runner import run_command_line
from tests.forges.forge_server import serve_forge
from tests.forges.forge_state import PROJECT, REPOSITORY, Account, Change, ForgeState
from tests.forges.github_world import write_manifest
from tests.git_repositories import GitRepository

BOT: Final = "project_42_bot_0a1b2c"
PROJECT_TOKEN: Final = "glpat-0123456789abcdefghij"
PIPELINE: Final[dict[str, Any]] = yaml.safe_load(
    (ROOT / "examples" / "ci" / "gitlab-ci.yml").read_text(encoding="utf-8")
)


@dataclass(slots=True)
class GitLabWorld:
    """The forge, the server, and the runs of jobs; ``variables`` are those of the project."""

    forge: ForgeState
    state: State
    variables: dict[str, str]
    temp: Path
    runs: int = field(default=1000)

    def plan(self, change: Change, **variables: str) -> ActionRun:
        """Run the job of a merge request; that of merged results is on what a merge would be."""
        if "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA" in variables:
            commit = self.forge.check_out_merged(change)
        else:
            commit = change.head
        source = {REPOSITORY: str(PROJECT), None: ""}.get(change.repository, str(gitlab_api.FORK))
        own = {
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": change.base,
            "CI_MERGE_REQUEST_IID": str(change.number),
            "CI_MERGE_REQUEST_PROJECT_ID": str(PROJECT),
            "CI_PIPELINE_SOURCE": "merge_request_event",
            **({"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": source} if source else {}),
        }
        return self.run_job("plan", commit, **{**own, **variables})

    def apply(self, commit: str, **variables: str) -> ActionRun:
        """Run the job of a push to the default branch."""
        return self.run_job("apply", commit, **{"CI_COMMIT_BRANCH": "main", **variables})

    def drift(self) -> ActionRun:
        """Run the nightly job."""
        commit = self.forge.repository.git("rev-parse", "main")
        return self.run_job("drift", commit, CI_COMMIT_BRANCH="main")

    def run_job(self, name: str, commit: str, **variables: str) -> ActionRun:
        """Run the commands of a job until one fails, and then those that always run."""
        self.runs += 1
        self.forge.repository.git("checkout", "-q", "--detach", commit)
        environment = {
            "CI": "true",
            "CI_COMMIT_SHA": commit,
            "CI_JOB_ID": str(self.runs),
            "CI_JOB_URL": f"https://gitlab.example.org/jobs/{self.runs}",
            "CI_PIPELINE_ID": str(self.runs),
            "CI_PROJECT_ID": str(PROJECT),
            "GITLAB_CI": "true",
            "HOME": str(self.temp),
            "PATH": os.environ["PATH"],
            **self.variables,
            **variables,
        }
        if name == "apply by hand":
            environment["CI_COMMIT_BRANCH"] = "main"
        self.forge.jobs.append((int(environment["CI_PIPELINE_ID"]), self.runs, name))
        run = ActionRun()
        for script in PIPELINE[name]["script"]:
            if not run.code:
                run.steps += [self._run(one, environment) for one in _list_commands(script)]
        return run

    def _run(self, command: str, environment: dict[str, str]) -> StepRun:
        program, *arguments = shlex.split(command)
        assert program == "reconciler"
        folder = self.forge.repository.folder
        return StepRun(command, *run_command_line(arguments, environment, folder))

    @property
    def patches(self) -> int:
        """How many updates the server received."""
        return self.state.requests("PATCH")

    def overlap(self, task: int) -> object:
        """Return the overlap of a task on the server."""
        return self.state.tasks[task].values["overlap"]


def _list_commands(script: str) -> list[str]:
    """List the commands of a script: one, or a block that goes on after the first has failed."""
    lines = [line.removesuffix(" || code=$?") for line in script.splitlines()]
    return [line for line in lines if not line.startswith("exit ")]


@contextmanager
def build_gitlab_world(folder: Path) -> Iterator[GitLabWorld]:
    """Make a project with a manifest that the server already conforms to."""
    repository = GitRepository.create(folder / "repository")
    repository.commit(write_manifest(t101=1))
    forge = ForgeState(repository, {PROJECT_TOKEN: Account(BOT)})
    state = load_state(ROOT / "examples" / "sandbox.json")
    with (
        serve(state) as url,
        serve_forge(forge, gitlab_api.handle) as api,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(reviewing, "_PAUSES", (0, 0))
        patch.setattr(forge_client, "_PAUSES", (0, 0))
        variables = {
            "CI_API_V4_URL": f"{api}/api/v4",
            "GITLAB_TOKEN": PROJECT_TOKEN,
            "LABEL_STUDIO_API_KEY": SANDBOX_TOKEN,
            "LABEL_STUDIO_URL": url,
        }
        yield GitLabWorld(forge, state, variables, folder)
