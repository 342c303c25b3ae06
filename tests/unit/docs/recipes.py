"""Running the recipes of docs/ci.md: their commands in a repository, as a CI service runs them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from reconciler.sandbox.access import SANDBOX_TOKEN

INSTALL: Final = "pip install ./reconciler"
"""How the recipes install this package."""

_EXPRESSION: Final = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")
_SHIM: Final = '#!/bin/sh\nexec "{python}" -m reconciler "$@"\n'
_PIP: Final = '#!/bin/sh\ntest "$*" = "install ./reconciler" && test -d reconciler\n'
"""Accepts only what the recipes install, and installs nothing: the tests are offline."""


class Ran(NamedTuple):
    """What a command of a recipe printed, both streams together, and its exit code."""

    command: str
    code: int
    output: str


class Runner:
    """A machine of a CI service, with the repository checked out in ``repository``."""

    def __init__(self, repository: Path, url: str) -> None:
        self.repository = repository
        self.url = url
        self.artifacts = repository.parent / "artifacts"
        self._tools = repository.parent / "tools"
        self._tools.mkdir()
        self._add_tool("reconciler", _SHIM.format(python=sys.executable))
        self._add_tool("pip", _PIP)
        (repository / "reconciler").mkdir(exist_ok=True)
        self._git("init", "--quiet")
        self._git("add", "manifests")
        self._git("commit", "--quiet", "--allow-empty", "--message", "Manifests")
        self.commit = self._git("rev-parse", "HEAD").strip()

    def run_job(
        self, workflow: Mapping[str, Any], name: str, values: Mapping[str, str] | None = None
    ) -> list[Ran]:
        """Run the steps of a GitHub job until one fails; ``values`` are those of expressions.

        Steps after a failure run if they are marked so. Raises KeyError for unknown expressions.
        """
        known = {
            "vars.LABEL_STUDIO_URL": self.url,
            "secrets.LABEL_STUDIO_READ_KEY": SANDBOX_TOKEN,
            **(values or {}),
        }
        job, ran = workflow["jobs"][name], list[Ran]()
        failed = False
        for step in job["steps"]:
            if failed and step.get("if") != "always()":
                continue
            if "run" in step:
                given = (workflow.get("env", {}), job.get("env", {}), step.get("env", {}))
                environment = {
                    variable: _fill(value, known)
                    for variables in given
                    for variable, value in variables.items()
                }
                ran.append(self.run(step["run"], environment))
                failed = ran[-1].code != 0
            else:
                action = step["uses"].partition("@")[0]
                options = step.get("with", {})
                _ACTIONS[action](self, {key: _fill(value, known) for key, value in options.items()})
        return ran

    def run_script(
        self, pipeline: Mapping[str, Any], name: str, variables: Mapping[str, str] | None = None
    ) -> list[Ran]:
        """Run the commands of a GitLab job until one fails, with these variables of its matrix."""
        ran = list[Ran]()
        secrets = {"LABEL_STUDIO_URL": self.url, "LABEL_STUDIO_API_KEY": SANDBOX_TOKEN}
        for command in [*pipeline["default"]["before_script"], *pipeline[name]["script"]]:
            ran.append(self.run(command, secrets | {**(variables or {})}))
            if ran[-1].code:
                break
        return ran

    def run(self, command: str, environment: Mapping[str, str] | None = None) -> Ran:
        """Run a command in the repository, with the variables of a CI service and these."""
        kept = {"HOME": str(self.repository.parent), "CI": "true", "GITHUB_SHA": self.commit}
        path = f"{self._tools}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(  # noqa: S603 - commands of our own pages
            ["bash", "-e", "-c", command],  # noqa: S607 - as it is installed
            cwd=self.repository,
            env={
                **kept,
                "PATH": path,
                "PYTHONPATH": os.pathsep.join(sys.path),
                **(environment or {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=60,
        )
        return Ran(command, done.returncode, done.stdout)

    def save_artifact(self, options: Mapping[str, str]) -> None:
        """Keep a file for later jobs, as actions/upload-artifact does."""
        file = self.repository / options["path"]
        if file.exists() or options.get("if-no-files-found") != "ignore":
            folder = self.artifacts / options["name"]
            folder.mkdir(parents=True)
            shutil.move(file, folder)

    def load_artifacts(self, options: Mapping[str, str]) -> None:
        """Put artifacts into folders with their names, as actions/download-artifact does."""
        for folder in self.artifacts.glob(options["pattern"]):
            shutil.copytree(folder, self.repository / folder.name)

    def _add_tool(self, name: str, script: str) -> None:
        tool = self._tools / name
        tool.write_text(script, encoding="utf-8")
        tool.chmod(0o700)

    def _git(self, *arguments: str) -> str:
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
        done = subprocess.run(  # noqa: S603 - commands of this test
            ["git", *who, *arguments],  # noqa: S607 - as it is installed
            cwd=self.repository,
            env={"PATH": os.environ["PATH"], "HOME": str(self.repository.parent)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


def _fill(value: object, known: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda found: known[found[1]], str(value))


_ACTIONS: Final = {
    "actions/checkout": lambda _runner, _options: None,
    "actions/setup-python": lambda _runner, _options: None,
    "actions/upload-artifact": Runner.save_artifact,
    "actions/download-artifact": Runner.load_artifacts,
}
