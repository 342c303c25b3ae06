"""Every folder here is a case; conftest.py says what its files are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from reconciler.cli.main import run
from reconciler.contract.location import locate_schema
from tests.cases.plan.conftest import Case, Ran

CASES = sorted(file.parent.name for file in Path(__file__).parent.glob("*/manifest.yaml"))


@pytest.mark.parametrize("case", CASES, indirect=True)
def test_plan_shows_what_apply_does_and_apply_does_what_plan_shows(case: Case):
    plan = case.command("plan")
    assert case.agrees("plan.txt", plan.output)
    if (case.folder / "plan.json").exists():
        assert case.agrees("plan.json", case.command("plan", "--format", "json").output)
    apply = case.command("apply", "--yes")
    assert apply.output.startswith(plan.output)
    assert case.agrees("report.txt", apply.output.removeprefix(plan.output))
    assert case.agrees("refused.txt", apply.errors)
    assert (plan.exit_code, apply.exit_code) == (case.exit_code("plan"), case.exit_code("apply"))
    assert case.agrees("requests.json", _written(plan, apply))
    if (case.folder / "after.json").exists():
        assert case.agrees("after.json", json.dumps(case.stored(), indent=2) + "\n")
    if apply.exit_code == 0 and not case.settings.get("options"):
        assert case.command("plan", "--detailed-exitcode").exit_code == 0


@pytest.mark.parametrize("case", CASES, indirect=True)
def test_what_is_written_for_machines_is_as_the_schemas_say(case: Case, tmp_path: Path):
    report = tmp_path / "report.jsonl"
    plan = case.command("plan", "--format", "json").output
    case.command("apply", "--yes", "--report", str(report))
    lines = report.read_text(encoding="ascii").splitlines() if report.exists() else []
    assert bool(lines) == (case.exit_code("apply") != 1)
    for line in lines:
        _validator("report.schema.json").validate(json.loads(line))
    if plan:  # there is none where the server could not be asked
        _validator("plan.schema.json").validate(json.loads(plan))


@pytest.mark.parametrize("case", CASES, indirect=True)
def test_show_prints_what_plan_and_apply_printed(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    plan, report = tmp_path / "plan.json", tmp_path / "report.jsonl"
    plan.write_text(case.command("plan", "--format", "json").output, encoding="ascii")
    case.command("apply", "--yes", "--report", str(report))
    full = [option for option in case.settings.get("options", ()) if option == "--full"]

    def shown(file: Path, *options: str) -> str:
        assert run(["show", str(file), *options]) == 0
        return capsys.readouterr().out

    if plan.stat().st_size:  # there is none where the server could not be asked
        assert case.agrees("plan.txt", shown(plan, *full))
        assert shown(plan, "--format", "json") == plan.read_text(encoding="ascii")
    if (case.folder / "report.txt").exists():
        said = shown(report, *full)
        assert said.endswith((case.folder / "report.txt").read_text(encoding="utf-8"))
        if case.exit_code("apply") == 0:
            assert _changes(said) == _changes((case.folder / "plan.txt").read_text("utf-8"))
        _validator("report.schema.json").validate(json.loads(shown(report, "--format", "json")))


def _changes(text: str) -> set[str]:
    """Give the lines that show values, without places: what is grouped may differ by problems."""
    lines = (line for line in text.splitlines() if re.match(r"    (    )*[-+~] ", line))
    return {line.rpartition("  manifest.yaml:")[0] or line for line in lines}


def _validator(name: str) -> Draft7Validator:
    return Draft7Validator(json.loads(locate_schema(name).read_text(encoding="utf-8")))


def _written(plan: Ran, apply: Ran) -> str:
    """One request a line."""
    commands = {"plan": plan.requests, "apply": apply.requests}
    blocks = (
        f'  "{name}": [\n' + ",\n".join(f"    {json.dumps(request)}" for request in sent) + "\n  ]"
        for name, sent in commands.items()
    )
    return "{\n" + ",\n".join(blocks) + "\n}\n"
