"""Plans and reports of an earlier version: shown as those of this version, and used."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree

import pytest

from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.tasks_file import load_state
from tests.unit.cli.conftest import Command, Wire
from tests.unit.labelstudio.wired import ADDRESS

FILES = Path(__file__).parent / "files_of_before"
EXAMPLES = Path(__file__).parents[3] / "examples"
SHOWN = {
    "plan.txt": ["plan.json"],
    "merged.txt": ["plan-1.json", "plan-2.json"],
    "report.txt": ["report.jsonl"],
    "report-full.txt": ["report.jsonl", "--full"],
    "both.txt": ["report.jsonl", "reverted.jsonl"],
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copytree(FILES, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("text", SHOWN)
def test_it_is_shown_as_before(command: Command, text: str):
    ran = command("show", *SHOWN[text])
    assert (ran.code, ran.output) == (0, Path(text).read_text(encoding="utf-8"))


def test_a_plan_is_written_as_before(command: Command):
    ran = command("show", "plan.json", "--format", "json")
    assert ran.output == Path("plan.json").read_text(encoding="ascii")


@pytest.mark.usefixtures("server")
@pytest.mark.usefixtures("server")
def test_a_plan_is_carried_out_and_a_report_reverted(command: Command, wire: Wire):
    state = load_state(EXAMPLES / "sandbox.json", "community")
    before = {task: dict(found.values) for task, found in state.tasks.items()}
    wire.transport = SandboxTransport(state)
    of_this_server("plan.json", "report.jsonl")

    assert "Apply: 13 applied.\n" in command("apply", "plan.json", "--yes").output
    assert {task: dict(found.values) for task, found in state.tasks.items()} != before
    assert "Revert: 13 applied.\n" in command("revert", "report.jsonl", "--yes").output
    now = {task: dict(found.values) for task, found in state.tasks.items()}
    assert without_times(now) == without_times(before)


def of_this_server(*files: str) -> None:
    """Let files be about the server that tests have."""
    written = json.loads(Path("plan.json").read_text(encoding="ascii"))["server"]["url"]
    for file in map(Path, files):
        file.write_text(file.read_text(encoding="ascii").replace(written, ADDRESS), "ascii")


def without_times(tasks: dict[int, dict[str, object]]) -> dict[int, dict[str, object]]:
    return {
        task: {k: v for k, v in row.items() if k != "updated_at"} for task, row in tasks.items()
    }
