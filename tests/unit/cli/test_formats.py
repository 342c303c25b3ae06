"""Several formats at once: one goes to standard output, the others to files."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command, Manifest
from tests.unit.labelstudio.wired import Hooked

INVALID = "version: 1\ntasks:\n  - {id: 1, overlap: two}\n"


@pytest.mark.usefixtures("server")
def test_each_file_has_its_format_and_standard_output_the_other(
    command: Command, manifest: Manifest
):
    ran = command(
        *("plan", manifest(), "--format", "json", "--format", "markdown=plan.md"),
        *("--format", "sarif=plan.sarif", "--format", "text=plan.txt"),
    )

    assert (ran.code, ran.errors) == (0, "")
    assert json.loads(ran.output)["summary"]["update"] == 3
    assert Path("plan.md").read_text(encoding="utf-8").startswith("**Plan: 3 tasks to update")
    assert json.loads(Path("plan.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert "\x1b" not in Path("plan.txt").read_text(encoding="utf-8")
    for name in ("plan.md", "plan.sarif", "plan.txt"):
        assert stat.S_IMODE(Path(name).stat().st_mode) == 0o600


@pytest.mark.usefixtures("server")
def test_with_files_alone_the_text_is_still_printed(command: Command, manifest: Manifest):
    ran = command("plan", manifest(), "--format", "json=plan.json")

    assert "3 tasks to update" in ran.output
    shown = command("show", "plan.json", "--format", "gitlab-terraform")
    assert json.loads(shown.output) == {"create": 0, "update": 3, "delete": 0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "xml"], "expected one of text, json, markdown"),
        (["--format", "json="], "expected a file after json="),
        (["--format", "json=-"], "standard output cannot be used here"),
        (["--format", "json", "--format", "text"], "json and text cannot both go to standard"),
        (["--format", "json=a", "--format", "sarif=a"], "a is named twice"),
        (["--limit", "5000"], "--limit is for --format markdown"),
        (["--format", "markdown", "--limit", "1MB"], "expected a number of characters"),
        (["--format", "markdown", "--limit", "10"], "expected at least 2,000"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    server: Hooked, command: Command, manifest: Manifest, options: list[str], message: str
):
    ran = command("plan", manifest(), *options)

    assert (ran.code, ran.output) == (1, "")
    assert message in " ".join(ran.errors.split())
    assert server.count("GET") == 0


def test_no_manifest_is_overwritten_and_no_file_twice(
    server: Hooked, command: Command, manifest: Manifest
):
    file = manifest()
    before = Path(file).read_bytes()

    over = command("plan", file, "--format", f"json={file}")
    twice = command("plan", file, "--out", "p", "--format", "json=p")

    assert (over.code, "the output would overwrite it" in over.errors) == (1, True)
    assert (twice.code, "p is named twice" in twice.errors) == (1, True)
    assert Path(file).read_bytes() == before
    assert server.count("GET") == 0


@pytest.mark.usefixtures("server")
def test_a_file_that_cannot_be_written_keeps_nothing_else_back(
    command: Command, manifest: Manifest
):
    ran = command(
        *("plan", manifest(), "--format", "json=no/plan.json", "--format", "markdown=plan.md")
    )

    assert ran.code == 1
    assert "cannot write the json output to no/plan.json" in ran.errors
    assert "3 tasks to update" in ran.output
    assert Path("plan.md").exists()


@pytest.mark.usefixtures("server")
def test_problems_of_manifests_reach_the_files_of_a_plan(command: Command):
    Path("bad.yaml").write_text(INVALID, encoding="utf-8")

    ran = command("plan", "bad.yaml", "--format", "github", "--format", "junit=junit.xml")

    assert ran.code == 1
    assert "::error file=bad.yaml,line=3,col=" in ran.output
    assert 'failures="1"' in Path("junit.xml").read_text(encoding="utf-8")
    assert "1 problem in the manifests" in ran.errors


def test_problems_of_manifests_reach_the_files_of_a_validation(command: Command):
    Path("bad.yaml").write_text(INVALID, encoding="utf-8")

    ran = command("validate", "bad.yaml", "--format", "gitlab=quality.json")

    assert ran.code == 1
    (issue,) = json.loads(Path("quality.json").read_text(encoding="utf-8"))
    assert issue["location"] == {"path": "bad.yaml", "lines": {"begin": 3}}


def test_apply_writes_what_it_did(server: Hooked, command: Command, manifest: Manifest):
    ran = command(
        *("apply", manifest(), "--yes", "--format", "json", "--format", "markdown=done.md"),
        *("--format", "gitlab-terraform=planned.json"),
    )

    assert (ran.code, server.count("PATCH")) == (0, 3)
    document = json.loads(ran.output)
    assert (document["kind"], document["summary"]) == ("report", {"applied": 3})
    assert "3 tasks to update" in ran.errors
    assert Path("done.md").read_text(encoding="utf-8").startswith("**Apply: 3 applied.**")
    planned = json.loads(Path("planned.json").read_text(encoding="utf-8"))
    assert planned == {"create": 0, "update": 3, "delete": 0}


def test_an_apply_that_is_refused_writes_the_plan(
    server: Hooked, command: Command, manifest: Manifest
):
    ran = command("apply", manifest(), "--format", "markdown=plan.md")

    assert (ran.code, server.count("PATCH")) == (1, 0)
    assert Path("plan.md").read_text(encoding="utf-8").startswith("**Plan: 3 tasks to update")


def test_a_run_whose_files_cannot_be_written_says_so_and_stays_a_success(
    server: Hooked, command: Command, manifest: Manifest
):
    ran = command("apply", manifest(), "--yes", "--format", "markdown=no/done.md")

    assert (ran.code, server.count("PATCH")) == (0, 3)
    assert "cannot write the markdown output to no/done.md" in ran.errors
    assert "3 applied" in ran.output


@pytest.mark.usefixtures("server")
def test_what_a_format_cannot_show_is_refused(command: Command, manifest: Manifest):
    command("apply", manifest(), "--yes", "--report", "report.jsonl")

    ran = command("show", "report.jsonl", "--format", "gitlab-terraform")

    assert ran.code == 1
    assert "gitlab-terraform shows plans, and this is a report" in " ".join(ran.errors.split())
