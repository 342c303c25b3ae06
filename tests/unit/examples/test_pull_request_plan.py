"""A pull request's plan as data: what it would change, what stops it, and a comment to post."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler import Settings, load, plan
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.state import State
from tests.unit.examples.scripts import (
    ROOT,
    Ran,
    import_script,
    name_server,
    run_script,
)

MANIFESTS = ROOT / "examples" / "manifests"
SCRIPT = import_script("pull_request_plan.py")


def summarize(path: Path, url: str) -> tuple[Ran, dict[str, Any]]:
    ran = run_script("pull_request_plan.py", path, environment=name_server(url))
    return ran, json.loads(ran.out)


def declare(folder: Path, tasks: list[dict[str, Any]]) -> Path:
    file = folder / "manifest.json"
    file.write_text(json.dumps({"version": 1, "tasks": tasks}))
    return file


def test_it_summarizes_the_plan(url: str, settings: Settings):
    ran, summary = summarize(MANIFESTS, url)

    assert (ran.code, ran.err) == (0, "")
    assert summary["applicable"] is True
    assert summary["server"] == url
    assert summary["digest"] == plan(load(MANIFESTS), settings).digest
    assert (summary["totals"]["tasks"], summary["totals"]["update"]) == (13, 13)
    assert summary["paths"][0] == {"path": ["overlap"], "tasks": 7}
    assert summary["stopped"] == []
    assert summary["comment"].startswith(f"```text\n{url} (Label Studio Community")
    assert summary["comment"].endswith(f"Digest: {summary['digest']}\n```\n")


def test_the_token_is_nowhere_in_it(url: str):
    ran, _ = summarize(MANIFESTS, url)

    assert SANDBOX_TOKEN not in ran.out + ran.err


def test_tasks_that_are_stopped_come_with_their_reasons(url: str, state: State, tmp_path: Path):
    state.tasks[103].values["total_annotations"] = 1
    file = declare(tmp_path, [{"id": 103, "data": {"text": "Other."}}, {"id": 999, "overlap": 2}])

    ran, summary = summarize(file, url)

    assert ran.code == 1
    assert summary["applicable"] is False
    assert [(task["task"], task["status"]) for task in summary["stopped"]] == [
        (103, "blocked"),
        (999, "missing"),
    ]
    assert [task["reasons"][0]["kind"] for task in summary["stopped"]] == [
        "annotated-data",
        "missing",
    ]
    assert summary["stopped"][0]["source"].startswith(f"{file}:1:")
    assert summary["paths"] == []


def test_long_values_are_shortened(url: str, tmp_path: Path):
    file = declare(tmp_path, [{"id": 101, "data": {"text": "long " * 1000}}])

    _, summary = summarize(file, url)

    assert len(summary["comment"]) < 2_000


def test_bad_manifests_have_a_comment_of_their_own(url: str, tmp_path: Path):
    file = declare(tmp_path, [{"id": 101, "overlap": "two"}])

    ran, summary = summarize(file, url)

    assert ran.code == 1
    (problem,) = summary["problems"]
    assert problem.startswith(f"{file}:1:")
    assert problem in summary["comment"]


def test_without_a_server_or_with_a_bad_token_there_is_no_summary(url: str, closed_url: str):
    gone = name_server(closed_url)
    refused = name_server(url, "0123456789abcdef" * 2)

    without_server = run_script("pull_request_plan.py", MANIFESTS, environment=gone)
    with_bad_token = run_script("pull_request_plan.py", MANIFESTS, environment=refused)

    assert (without_server.code, without_server.out) == (1, "")
    assert (with_bad_token.code, with_bad_token.out) == (1, "")
    assert "returned 401: Invalid token." in with_bad_token.err
    assert "0123456789abcdef" not in with_bad_token.err


@pytest.mark.parametrize(
    ("text", "fence"), [("plain", "```"), ("a `word`", "```"), ("```\n# out\n", "````")]
)
def test_nothing_in_a_comment_ends_its_block(text: str, fence: str):
    lines = SCRIPT["format_comment"](text).splitlines()

    assert (lines[0], lines[-1]) == (f"{fence}text", fence)
    assert fence not in lines[1:-1]


def test_a_comment_is_cut_at_the_end_of_a_line():
    comment = SCRIPT["format_comment"]("0123456789\n" * 10_000)

    assert len(comment) < 65_536
    assert comment.endswith("0123456789\n... the rest is too long for a comment\n```\n")
