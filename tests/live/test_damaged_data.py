"""Data that the server stored and cannot write out any more, and how it is repaired."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.live.command_line import Command
from tests.live.under_test import ServerUnderTest

DAMAGED = {"text": "half of a pair: \ud800", "n": 1}
REPAIRED = {"text": "whole again", "n": 1}


def damaged(server: ServerUnderTest) -> tuple[int, list[int]]:
    """Give a project with three tasks, the second of which has a lone surrogate in its data."""
    project, ids = server.make_tasks(3)
    server.patch(ids[1], {"data": DAMAGED})
    return project, ids


def write(project: int | None, *tasks: dict[str, object], policy: str = "replace") -> str:
    header = {"version": 1, "policy": {"data": policy}, **({"project": project} if project else {})}
    Path("manifest.json").write_text(json.dumps({**header, "tasks": tasks}), encoding="utf-8")
    return "manifest.json"


def test_a_lone_surrogate_breaks_every_answer_with_it_and_no_other(server: ServerUnderTest):
    project, ids = damaged(server)

    assert server.page(project, include="id,data", resolve_uri="false").status_code == 500
    assert [row["overlap"] for row in server.listed(project, include="id,overlap")] == [1, 1, 1]
    assert server.read(ids[1], include="id,project")["project"] == project


@pytest.mark.parametrize("named", [True, False])
def test_data_that_cannot_be_read_is_replaced_only_where_that_is_allowed(
    server: ServerUnderTest, command: Command, *, named: bool
):
    project, ids = damaged(server)
    task = {"id": ids[1], "data": REPAIRED, "overlap": 2}
    manifest = write(project if named else None, {"id": ids[0], "overlap": 1}, task)

    plan = command("plan", manifest)
    assert (plan.code, "rewrite-unreadable: would replace the whole of data" in plan.out) == (
        1,
        True,
    )
    assert "(unreadable) ->" in plan.out

    options = ("--allow", "rewrite-unreadable", "--yes", "--report", "report.jsonl")
    assert command("plan", manifest, "--out", "plan.json", *options[:2]).code == 0
    assert command("apply", "plan.json", *options).code == 0
    assert server.read(ids[1])["data"] == REPAIRED
    assert command("plan", manifest).out.startswith(server.url)
    assert "No changes" in command("plan", manifest).out

    reverted = command("revert", "report.jsonl", "--yes")
    assert (reverted.code, "unreadable: cannot restore data" in reverted.out) == (1, True)
    assert server.read(ids[1])["data"] == REPAIRED


@pytest.mark.parametrize("declared", [{"data": {"n": 2}}, {"overlap": 2}])
def test_where_the_whole_of_data_is_not_declared_the_task_is_unreadable(
    server: ServerUnderTest, command: Command, declared: dict[str, object]
):
    project, ids = damaged(server)
    plan = command("plan", write(project, {"id": ids[1], **declared}, policy="merge"))
    assert plan.code == 1
    assert "unreadable: the server cannot read the data of this task" in plan.out
    assert "policy {data: replace}" in plan.out
