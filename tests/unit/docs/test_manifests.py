"""Every manifest, plan and report on a page is valid."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from reconciler.artifacts.saved_file import read_saved
from reconciler.cli.main import run
from reconciler.contract.location import locate_schema
from reconciler.contract.openapi import load_contract
from reconciler.core.plan_document import restore_plan
from reconciler.core.report import Report
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import load_manifests
from reconciler.renderers.render_options import RenderOptions
from reconciler.renderers.text import render_report
from tests.unit.docs.pages import Block, blocks


def is_manifest(block: Block) -> bool:
    """Tell manifests from other blocks; worked examples name their file and have their own test."""
    if re.match(r"# \S+\.yaml\n", block.text):
        return False
    first = block.text.splitlines()[0] if block.kind == "jsonl" else block.text
    value = yaml.safe_load(first)
    return isinstance(value, dict) and "version" in value


MANIFESTS = [block for block in blocks("yaml", "jsonl") if is_manifest(block)]
PLANS, VALIDATIONS = (
    [
        block
        for block in blocks("json")
        if ('"kind": "validation"' in block.text) is kind and '"format_version"' in block.text
    ]
    for kind in (False, True)
)
REPORTS = [block for block in blocks("jsonl") if not is_manifest(block)]


def place(block: Block) -> str:
    return block.place


def validator(name: str) -> Draft7Validator:
    return Draft7Validator(json.loads(locate_schema(name).read_text(encoding="utf-8")))


def test_there_are_some_of_each():
    assert {block.place.split(":")[0] for block in MANIFESTS} == {
        "README.md",
        "manifest.md",
        "python.md",
    }
    assert len(PLANS) == len(VALIDATIONS) == len(REPORTS) == 1


@pytest.mark.parametrize("block", MANIFESTS, ids=place)
def test_it_is_a_manifest(block: Block, tmp_path: Path):
    path = tmp_path / f"shown.{block.kind}"
    path.write_text(block.text, encoding="utf-8")

    desired = load_manifests(find_manifests([str(path)]), load_contract())

    assert desired or desired.rules


@pytest.mark.parametrize("block", PLANS, ids=place)
def test_it_is_a_plan(block: Block):
    plan = json.loads(block.text)
    counts = plan["summary"]

    validator("plan.schema.json").validate(plan)
    assert restore_plan(plan).updates
    assert counts["tasks"] == sum(counts.values()) - counts["tasks"]
    assert len(plan["tasks"]) == counts["tasks"] - counts["unchanged"]


@pytest.mark.parametrize("block", VALIDATIONS, ids=place)
def test_it_is_what_validate_prints(
    block: Block,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    shown = json.loads(block.text)
    validator("validation.schema.json").validate(shown)
    monkeypatch.chdir(tmp_path)
    Path("manifests").mkdir()
    Path("manifests/reviews.yaml").write_text(
        "version: 1\ntasks:\n  - {id: 101, overlap: two}\n", encoding="utf-8"
    )
    assert run(["validate", "manifests/", "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out) == shown


@pytest.mark.parametrize("block", REPORTS, ids=place)
def test_it_is_a_report_and_shown_as_the_page_says(block: Block, tmp_path: Path):
    for line in block.text.splitlines():
        validator("report.schema.json").validate(json.loads(line))
    file = tmp_path / "report.jsonl"
    file.write_text(block.text, encoding="utf-8")
    report = read_saved(str(file))

    assert isinstance(report, Report)
    shown = [block.text for block in blocks("text")]
    assert render_report(report, RenderOptions()) in shown
