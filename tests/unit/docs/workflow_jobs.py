"""Running the jobs of workflows that use the action of this project, on a GitHub of the tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.sandbox.access import SANDBOX_TOKEN
from tests.forges.action_runner import ActionRun
from tests.forges.expressions import evaluate, fill
from tests.forges.forge_state import Change
from tests.forges.github_world import World

_ACTION: Final = "./reconciler"
_JOB_FOLDER: Final = re.compile(r"/\S+/reconciler-ci/")


@dataclass(frozen=True, slots=True)
class Job:
    """A job of a workflow, and what GitHub knows when it runs it.

    ``change`` is the pull request of the run; without one, it is of ``commit`` on main. ``values``
    are of ``inputs``, ``matrix`` and ``github.event``.
    """

    workflow: Mapping[str, Any]
    name: str
    commit: str = ""
    change: Change | None = None
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def event(self) -> str:
        """The name of the event."""
        if self.change:
            return "pull_request"
        return "workflow_dispatch" if self.values.get("inputs") else "push"

    def run(self, world: World) -> ActionRun:
        """Check out the repository, and run the action with the inputs of the job.

        Raises AssertionError for a job that the event skips, or that has other steps.
        """
        job = self.workflow["jobs"][self.name]
        context = self._build_context(world)
        assert self.event in list_events(self.workflow)
        assert evaluate(job.get("if", "'always'"), context), job["if"]
        checkout, action, *rest = job["steps"]
        assert checkout["uses"].startswith("actions/checkout@")
        assert (action["uses"], rest) == (_ACTION, [])
        inputs = {name: fill(value, context) for name, value in action["with"].items()}
        commit = self.commit
        if self.change:
            commit = world.forge.check_out_merged(self.change)
        else:
            world.forge.repository.git("checkout", "-q", "--detach", commit)
        return world.run(self.event, commit, inputs, change=self.change)

    def _build_context(self, world: World) -> dict[str, Any]:
        secrets = ("LABEL_STUDIO_READ_KEY",) if self.change else ("LABEL_STUDIO_API_KEY",)
        number = {"number": str(self.change.number)} if self.change else {}
        return {
            **self.values,
            "github": {
                "event_name": self.event,
                "ref": "refs/pull/1/merge" if self.change else "refs/heads/main",
                "base_ref": "main" if self.change else "",
                "event": {**number, **self.values.get("event", {})},
            },
            "vars": {"LABEL_STUDIO_URL": world.url},
            "secrets": dict.fromkeys(secrets, SANDBOX_TOKEN),
        }


def list_events(workflow: Mapping[str, Any]) -> list[str]:
    """List the events of a workflow: YAML 1.1 reads their key as true."""
    return list(workflow[True])  # type: ignore[index]  # the key of a workflow is not a text


def show_log(run: ActionRun) -> str:
    """Write what a run printed; GitHub shows the lines with :: as annotations."""
    output = _JOB_FOLDER.sub("/home/runner/work/_temp/reconciler-ci/", run.output)
    lines = output.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("::"))
