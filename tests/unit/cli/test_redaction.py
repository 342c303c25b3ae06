"""Where redaction comes from, and what redacted output is good for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command
from tests.unit.labelstudio.wired import Hooked

TASKS = """
version: 1
project: 7
tasks:
  - {id: 1, data: {text: s3cret, other: hidden}, meta: {a: private}, overlap: 2}
"""


@pytest.fixture
def tasks(server: Hooked) -> str:
    assert server.state.tasks
    Path("tasks.yaml").write_text(TASKS, encoding="utf-8")
    return "tasks.yaml"


def test_all_sources_add_up(tasks: str, command: Command, monkeypatch: pytest.MonkeyPatch):
    Path("reconciler.toml").write_text('redact = ["data.text"]\n', encoding="utf-8")
    monkeypatch.setenv("RECONCILER_REDACT", "data.other, data.absent")
    ran = command("plan", tasks, "--redact", "meta")
    assert ran.code == 0
    for value in ("s3cret", "hidden", "private"):
        assert value not in ran.output + ran.errors
    assert "Digest: not shown" in ran.output


def test_a_redacted_plan_is_not_applied(tasks: str, command: Command, server: Hooked):
    ran = command("plan", tasks, "--redact", "data.text", "--format", "json")
    Path("plan.json").write_text(ran.output, encoding="utf-8")
    refused = command("apply", "plan.json", "--yes")
    assert (refused.code, server.count("PATCH")) == (1, 0)
    assert "its values are redacted" in refused.errors


def test_a_wrong_path_is_named_with_its_line(tasks: str, command: Command):
    Path("reconciler.toml").write_text('redact = ["data.boxes[0]"]\n', encoding="utf-8")
    ran = command("plan", tasks)
    assert ran.code == 1
    assert "reconciler.toml:1: redact: " in ran.errors
    assert "lists" in ran.errors
