"""Where a plan is saved, and what must not give way to it."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread

import pytest

from tests.unit.cli.conftest import Command, Manifest
from tests.unit.labelstudio.wired import Hooked


def test_a_pipe_is_written_to_and_stays_a_pipe(
    server: Hooked, command: Command, manifest: Manifest, tmp_path: Path
):
    assert server.count("GET") == 0
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")))
    reader.start()
    assert command("plan", manifest(), "--out", "pipe").code == 0
    reader.join(10)
    assert read[0].startswith('{\n  "format_version": "1.0"')
    assert pipe.is_fifo()


def test_a_plan_that_is_to_be_applied_does_not_give_way_to_the_report(
    server: Hooked, command: Command, manifest: Manifest
):
    command("plan", manifest(), "--out", "the.plan")
    before = Path("the.plan").read_bytes()
    ran = command("apply", "the.plan", "--yes", "--report", "the.plan")
    assert (ran.code, "the report would overwrite it" in ran.errors) == (1, True)
    assert Path("the.plan").read_bytes() == before
    assert server.count("PATCH") == 0


def test_a_plan_that_cannot_be_saved_is_said_so(
    server: Hooked, command: Command, manifest: Manifest
):
    ran = command("plan", manifest(), "--out", "nowhere/plan.json")
    assert (ran.code, "cannot save the plan to nowhere/plan.json: " in ran.errors) == (1, True)
    assert server.count("PATCH") == 0
    assert not Path("nowhere").exists()


def test_a_dash_is_not_taken_for_a_file_to_write(
    server: Hooked, command: Command, manifest: Manifest
):
    for args in (["plan", manifest(), "--out", "-"], ["apply", manifest(), "--report", "-"]):
        ran = command(*args)
        assert (ran.code, "standard output cannot be used here" in ran.errors) == (1, True)
    assert not Path("-").exists()
    assert server.requests == []


@pytest.mark.parametrize("text", ["notes of others", '{"format_version":"1.0","kind":"plan"'])
def test_a_file_that_is_not_a_report_does_not_give_way_to_one(
    server: Hooked, command: Command, manifest: Manifest, text: str
):
    Path("notes.txt").write_text(text, encoding="utf-8")
    ran = command("apply", manifest(), "--yes", "--report", "notes.txt")
    assert (ran.code, ran.output) == (1, "")
    assert ran.errors == (
        "reconciler: notes.txt exists and is not a report: nothing was changed "
        "(pass another file to --report)\n"
    )
    assert Path("notes.txt").read_text(encoding="utf-8") == text
    assert not Path("notes.txt.1").exists()
    assert server.requests == []


def test_a_revert_does_not_overwrite_a_file_that_is_not_a_report(
    server: Hooked, command: Command, manifest: Manifest
):
    assert command("apply", manifest(), "--yes", "--report", "report.jsonl").code == 0
    Path("notes.txt").write_text("notes of others", encoding="utf-8")
    sent = len(server.requests)
    ran = command("revert", "report.jsonl", "--yes", "--report", "notes.txt")
    assert (ran.code, "is not a report: nothing was changed" in ran.errors) == (1, True)
    assert Path("notes.txt").read_text(encoding="utf-8") == "notes of others"
    assert len(server.requests) == sent
    # An earlier report is kept under another name.
    assert command("revert", "report.jsonl", "--yes", "--report", "report.jsonl").code == 0
    assert Path("report.jsonl.1").exists()


def test_a_plan_saved_among_the_manifests_is_warned_of(server: Hooked, command: Command):
    Path("m").mkdir()
    Path("m/a.yaml").write_text("version: 1\nproject: 7\ntasks: [{id: 1, overlap: 2}]\n")
    outside = command("plan", "m", "--out", "plan.json")
    unread = command("plan", "m", "--out", "m/the.plan")
    assert (outside.code, outside.errors.count("warning"), unread.errors.count("warning")) == (
        0,
    ) * 3
    ran = command("plan", "m", "--out", "m/plan.json")
    assert "m/plan.json is in m, and the next run of it would read the plan" in ran.errors
    assert command("validate", "m").code == 1
    Path("m/plan.json").rename("plan.json")
    assert command("validate", "m").code == 0
    assert server.count("PATCH") == 0
