"""``validate --format json``: what it prints fits its schema, and says what the text says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from reconciler.contract.location import locate_schema
from tests.unit.cli.conftest import Command

SCHEMA = Draft7Validator(json.loads(locate_schema("validation.schema.json").read_text()))
TASKS = """\
version: 1
tasks:
  - {id: 1, overlap: 2}
  - {id: 2, overlap: two}
  - {id: 3, colour: red}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_problems_are_told_as_the_text_tells_them(command: Command):
    Path("tasks.yaml").write_text(TASKS, encoding="utf-8")
    text, ran = (
        command("validate", "tasks.yaml"),
        command("validate", "tasks.yaml", "--format", "json"),
    )
    document = json.loads(ran.output)
    SCHEMA.validate(document)
    assert (text.code, ran.code, ran.errors) == (1, 1, "")
    assert (document["valid"], document["tasks"], len(document["problems"])) == (False, None, 2)
    lines = [
        "{file}:{line}:{column}: ".format(**problem["source"])
        + f"{problem['path']}: {problem['message']}"
        + (f" ({problem['hint']})" if problem["hint"] else "")
        for problem in document["problems"]
    ]
    assert text.errors.splitlines() == [*lines, "2 problems in the manifests"]
    assert text.output == ""


@pytest.mark.usefixtures("folder")
def test_valid_manifests_are_counted(command: Command):
    Path("tasks.yaml").write_text("version: 1\ntasks: [{id: 1, overlap: 2}]\n", encoding="utf-8")
    ran = command("validate", "tasks.yaml", "--format", "json")
    document = json.loads(ran.output)
    SCHEMA.validate(document)
    assert ran.code == 0
    assert (document["valid"], document["tasks"], document["problems"]) == (True, 1, [])


@pytest.mark.usefixtures("folder")
def test_a_path_without_manifests_is_a_problem_too(command: Command):
    ran = command("validate", "nowhere.yaml", "--format", "json")
    document = json.loads(ran.output)
    SCHEMA.validate(document)
    assert ran.code == 1
    assert document["problems"][0]["source"]["file"] == "nowhere.yaml"
