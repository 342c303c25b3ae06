"""Running the composite action of this project, as a runner of GitHub runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from tests.forges.expressions import Context, fill, is_step_due

ROOT: Final = Path(__file__).resolve().parents[2]
ACTION: Final[dict[str, Any]] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
"""The action, parsed."""


@dataclass(frozen=True, slots=True)
class StepRun:
    """What a step printed, both streams together, and its exit code."""

    name: str
    code: int
    output: str


@dataclass(slots=True)
class ActionRun:
    """The steps that ran, and the outputs of the action."""

    steps: list[StepRun] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> int:
        """The exit code of the first step that failed, or 0."""
        return next((step.code for step in self.steps if step.code), 0)

    @property
    def output(self) -> str:
        """What all steps printed."""
        return "".join(step.output for step in self.steps)

    @property
    def names(self) -> list[str]:
        """The names of the steps that ran."""
        return [step.name for step in self.steps]


RunStep = Callable[[str, dict[str, str]], tuple[int, str]]
"""Runs a script with an environment; returns its exit code, and what it printed."""

UseAction = Callable[[str, dict[str, str]], None]
"""Runs another action with its inputs."""


def run_action(
    inputs: Mapping[str, str],
    context: Context,
    environment: Mapping[str, str],
    *,
    run_step: RunStep,
    use_action: UseAction = lambda _name, _inputs: None,
) -> ActionRun:
    """Run the steps of the action; ``context`` has `github` and `runner`.

    Raises AssertionError for inputs that the action does not have, or needs and does not get.
    """
    known = ACTION["inputs"]
    assert set(inputs) <= set(known), inputs
    assert all(name in inputs for name, one in known.items() if one.get("required")), inputs
    defaults = {name: fill(one.get("default", ""), context) for name, one in known.items()}
    steps: dict[str, Any] = {}
    inner = {**context, "inputs": {**defaults, **inputs}, "steps": steps}
    run = ActionRun()
    output = Path(environment["RUNNER_TEMP"]) / "output"
    for step in ACTION["runs"]["steps"]:
        outcome, outputs = "skipped", dict[str, str]()
        if is_step_due(step.get("if", ""), inner, has_failed=bool(run.code)):
            output.write_text("", encoding="utf-8")
            if "uses" in step:
                given = {name: fill(value, inner) for name, value in step["with"].items()}
                use_action(step["uses"], given)
                code, printed = 0, ""
            else:
                own = {name: fill(value, inner) for name, value in step.get("env", {}).items()}
                whole = {**environment, "GITHUB_OUTPUT": str(output), **own}
                code, printed = run_step(step["run"], whole)
            run.steps.append(StepRun(step["name"], code, printed))
            outcome = "failure" if code else "success"
            outputs = read_outputs(output)
        if "id" in step:
            steps[step["id"]] = {"outcome": outcome, "outputs": outputs}
    run.outputs = {name: fill(one["value"], inner) for name, one in ACTION["outputs"].items()}
    return run


def read_outputs(file: Path) -> dict[str, str]:
    """Read what a step wrote for later steps, as ``name=value`` lines."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)
