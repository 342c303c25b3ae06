"""The composite action: its scripts run in bash, and tokens reach only the steps that need them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

import pytest

from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.exchange import Request, Response
from tests.forges.action_runner import ACTION, ROOT, ActionRun, run_action
from tests.forges.expressions import evaluate, fill
from tests.forges.github_world import JOB_TOKEN, SCRIPT, World, write_manifest

STEPS: Final[dict[str, dict[str, Any]]] = {step["name"]: step for step in ACTION["runs"]["steps"]}
RUNS: Final = {name: step for name, step in STEPS.items() if "run" in step}
_PYTHON: Final = """#!/bin/sh
case "$*" in
  "-I -m venv "*)
    mkdir -p "$4/bin"
    cp "$0" "$4/bin/python"
    printf '#!/bin/sh\\nexec "{python}" -m reconciler "$@"\\n' > "$4/bin/reconciler"
    chmod +x "$4/bin/reconciler" ;;
  "-I -m pip install --quiet --disable-pip-version-check {source}") ;;
  "-c "*) exec "{python}" "$@" ;;
  *) echo "unexpected: $*"; exit 99 ;;
esac
"""
"""Makes an environment that has this package already: the tests are offline."""


class BashRunner:
    """Runs scripts as a runner does: from a file, in a process of its own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.process = 0
        self.tools = world.temp / "tools"
        self.tools.mkdir()
        python = self.tools / "python3"
        python.write_text(_PYTHON.format(python=sys.executable, source=ROOT), encoding="utf-8")
        python.chmod(0o700)

    def run(self, script: str, environment: Mapping[str, str]) -> tuple[int, str]:
        """Run a script; its process is the one that a runner signals."""
        file = self.world.temp / "script.sh"
        file.write_text(script, encoding="utf-8")
        path = f"{self.tools}{os.pathsep}{environment['PATH']}"
        inside = {"PATH": path, "PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen(  # noqa: S603 - the scripts of the action
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", file],  # noqa: S607 - as installed
            cwd=self.world.forge.repository.folder,
            env={**environment, **inside},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        ) as running:
            self.process = running.pid
            printed, _ = running.communicate(timeout=60)
        return running.returncode, printed


def run_in_bash(world: World, bash: BashRunner, command: str, **inputs: str) -> ActionRun:
    """Run the action for what is checked out on the default branch."""
    commit = world.forge.repository.git("rev-parse", "HEAD")
    environment = world.build_environment("push", commit, None, 1)
    given = {"command": command, "paths": "manifests/", "url": world.url, "api-key": SANDBOX_TOKEN}
    context = {
        "github": {"event_name": "push", "action_path": str(ROOT), "token": JOB_TOKEN},
        "runner": {"temp": str(world.temp)},
    }
    return run_action({**given, **inputs}, context, environment, run_step=bash.run)


def test_the_scripts_install_plan_and_apply(world: World):
    bash = BashRunner(world)
    world.forge.push_directly(write_manifest(t101=2))

    planned = run_in_bash(world, bash, "plan")
    applied = run_in_bash(world, bash, "apply", digest=planned.outputs["digest"])

    assert (planned.code, applied.code, world.patches) == (0, 0, 1), applied.output
    assert planned.names == ["Install reconciler", "Plan"]
    assert applied.names == ["Install reconciler", "Apply"]
    summary = (world.temp / "summary.md").read_text(encoding="utf-8")
    assert "Plan: 1 task to update" in summary
    assert "1 applied" in summary


def test_an_unknown_command_is_refused(world: World):
    run = run_in_bash(world, BashRunner(world), "aply; touch pwned")

    assert (run.code, run.names, world.state.log) == (1, ["Install reconciler"], [])
    assert "::error::command: expected plan, apply, drift or validate" in run.output
    assert not (world.forge.repository.folder / "pwned").exists()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_cancelled_job_ends_what_is_running_and_keeps_its_report(name: str, world: World):
    """A runner signals the process of the script alone."""
    bash = BashRunner(world)
    world.forge.push_directly(write_manifest(**{f"t10{task}": 2 for task in range(1, 9)}))

    def cancel(request: Request) -> Response | None:
        if request.method == "PATCH" and not world.patches:
            os.kill(bash.process, signal.Signals[name])
        return None

    world.hook = cancel
    run = run_in_bash(world, bash, "apply", apply="fresh", args="--concurrency=1\n--rps=4")
    report = (world.temp / "reconciler-ci" / "report.jsonl").read_text(encoding="utf-8")

    assert run.code == 130, run.output
    assert 1 <= world.patches < 8
    assert json.loads(report.splitlines()[-1])["summary"]["applied"] == world.patches


class TestWhereTokensGo:
    def steps_with(self, name: str) -> set[str]:
        return {step for step, one in RUNS.items() if f"inputs.{name}" in str(one.get("env"))}

    def test_the_token_of_the_server_is_only_where_it_is_asked(self):
        assert self.steps_with("api-key") == {"Plan", "Apply"}

    def test_the_token_of_the_forge_is_only_where_the_forge_is_asked(self):
        forge = {
            "Find the reviewed plan",
            "Comment on the pull request",
            "Update the issue about drift",
        }
        assert self.steps_with("github-token") == forge
        assert "github.token" not in str(ACTION["runs"])

    def test_no_script_has_an_expression(self):
        assert all("${{" not in step["run"] for step in RUNS.values())
        assert [step["run"] for step in RUNS.values()][1:] == [
            f"{SCRIPT}ci {command}"
            for command in ("validate", "reviewed", "plan", "apply", "comment", "drift")
        ]

    def test_secrets_are_in_no_condition_and_no_name(self):
        for step in STEPS.values():
            shown = f"{step['name']} {step.get('if', '')} {step.get('with', '')}"
            assert not re.search(r"api-key|github-token|digest-key", shown)

    def test_nothing_runs_for_the_event_that_gives_secrets_to_forks(self):
        files = [ROOT / "action.yml", *(ROOT / "examples" / "ci").glob("*.yml")]
        assert len(files) > 4
        for file in files:
            assert "pull_request_target" not in file.read_text(encoding="utf-8")

    def test_other_actions_are_pinned(self):
        used = [step["uses"] for step in STEPS.values() if "uses" in step]
        assert used
        assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one) for one in used)

    def test_the_report_is_in_no_artifact(self):
        (upload,) = (step for step in STEPS.values() if "uses" in step)
        assert upload["with"]["path"].endswith("/plan.html")

    def test_tokens_are_in_no_output_file_or_comment(self, world: World):
        """Not even where a forge or a server repeats them."""
        secrets = (SANDBOX_TOKEN, JOB_TOKEN, "a secret of more than sixteen characters")
        world.inputs["digest-key"] = secrets[2]
        change = world.forge.open_change(write_manifest(t101=2))
        runs = [world.plan(change), world.apply(world.forge.merge(change)), world.drift()]
        world.state.tasks[101].values["overlap"] = 7
        runs.append(world.drift())

        written = [one.output + json.dumps(one.outputs) for one in runs]
        written += [comment.body for comment in world.forge.comments]
        written += [issue.body for issue in world.forge.issues.values()]
        files = [file for file in world.temp.rglob("*") if file.is_file()]
        written += [file.read_text(encoding="utf-8") for file in files]
        assert len(files) > 5
        assert not [secret for secret in secrets for text in written if secret in text]
        assert {one.headers["authorization"] for one in world.forge.asked} == {
            f"Bearer {JOB_TOKEN}"
        }


def test_the_page_is_an_artifact_only_if_asked(world: World):
    used: list[tuple[str, dict[str, str]]] = []
    commit = world.forge.push_directly(write_manifest(t101=2))
    for html in ("false", "true"):
        run_action(
            {
                "command": "plan",
                "paths": "manifests/",
                "url": world.url,
                "api-key": SANDBOX_TOKEN,
                "html": html,
                "env": "",
            },
            {"github": {"event_name": "push"}, "runner": {"temp": str(world.temp)}},
            world.build_environment("push", commit, None, 1),
            run_step=lambda _script, _environment: (0, ""),
            use_action=lambda name, inputs: used.append((name, inputs)),
        )
    ((name, inputs),) = used
    assert name.startswith("actions/upload-artifact@")
    assert inputs["name"] == "reconciler-plan"


def test_expressions_are_those_of_github():
    context = {"inputs": {"a": "x", "none": ""}, "github": {"event_name": "push"}}
    assert fill("${{ inputs.none && '-' }}${{ inputs.a }}", context) == "x"
    assert fill("${{ inputs.a == 'X' && 'true' || '' }}", context) == "true"
    assert fill("${{ inputs.b || github.event_name }}", context) == "push"
    assert evaluate("always() && (inputs.a != 'x' || inputs.none == '')", context) is True
    with pytest.raises(AssertionError):
        evaluate("contains(inputs.a, 'x')", context)
