"""``--allow``, ``--deny`` and ``RECONCILER_DENY``, and who is said to allow what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.cli.conftest import Command
from tests.unit.labelstudio.wired import Hooked

MANIFEST = """
version: 1
project: 7
tasks:
  - {id: 1, data: {text: B.}}
  - {id: 2, data: {score: 2}, overlap: 2}
  - {id: 3, data: {text: C., score: 2}}
"""


@pytest.fixture
def annotated(server: Hooked) -> Hooked:
    """Task 1 and 2 have annotations; all have a score, which the label config does not use."""
    Path("tasks.yaml").write_text(MANIFEST, encoding="utf-8")
    for number, task in server.state.tasks.items():
        task.values["data"] = {"text": "A.", "score": 1}
        task.values["total_annotations"] = int(number < 3)
    return server


def problems(file: str) -> list[dict[str, Any]]:
    document = json.loads(Path(file).read_text(encoding="utf-8"))
    return [problem for task in document["tasks"] for problem in task["problems"]]


def test_annotated_data_that_is_not_shown_is_told_apart_in_one_request(
    annotated: Hooked, command: Command
):
    ran = command("plan", "tasks.yaml")
    assert ran.code == 1
    assert "annotated-data: would change data.text of a task that has 1 annotation" in ran.output
    assert "annotated-extra: would change data.score, which the project's label" in ran.output
    assert ran.errors.endswith("if intended, pass --allow annotated-data)\n")
    assert [r.url.path for r in annotated.requests].count("/api/projects/7/") == 1


def test_the_label_config_is_not_read_for_data_without_annotations(
    annotated: Hooked, command: Command
):
    annotated.state.tasks[1].values["total_annotations"] = 0
    annotated.state.tasks[2].values["total_annotations"] = 0
    assert command("plan", "tasks.yaml", "--target", "1", "--target", "3").code == 0
    assert "/api/projects/7/" not in [request.url.path for request in annotated.requests]


def test_a_label_config_that_is_not_shown_may_use_all_data(annotated: Hooked, command: Command):
    annotated.hook = lambda request: (
        httpx.Response(403, json={"detail": "No."}) if "/projects/7" in request.url.path else None
    )
    ran = command("plan", "tasks.yaml", "--target", "2", "--verbose")
    assert "annotated-data: would change data.score of a task" in ran.output
    assert "the plan takes all of its annotated data for data that annotators saw" in ran.errors


def test_only_the_path_is_allowed(annotated: Hooked, command: Command):
    ran = command("apply", "tasks.yaml", "--allow", "annotated-data:data.score", "--yes")
    assert (ran.code, annotated.count("PATCH")) == (1, 0)
    assert "annotated-extra (allowed by --allow): would change data.score" in ran.output
    assert "Allowed: annotated-extra (1 task, by --allow)." in ran.output
    more = ("--allow", "annotated-data:data.text", "--yes", "--report", "report.jsonl")
    assert command("apply", "tasks.yaml", "--allow", "annotated-extra", *more).code == 0
    assert annotated.state.tasks[1].values["data"] == {"text": "B.", "score": 1}
    lines = Path("report.jsonl").read_text(encoding="utf-8").splitlines()
    allowed = {line["task"]: line.get("allowed") for line in map(json.loads, lines[1:-1])}
    assert allowed == {
        1: [{"kind": "annotated-data", "paths": [["data", "text"]], "by": "--allow"}],
        2: [{"kind": "annotated-extra", "by": "--allow"}],
        3: None,
    }
    assert "annotated-data (allowed by --allow)" in command("show", "report.jsonl").output


def test_a_saved_plan_shows_what_was_allowed_as_allowed(annotated: Hooked, command: Command):
    options = ("--allow", "annotated-data:data", "--out", "plan.json")
    printed = command("plan", "tasks.yaml", *options)
    assert printed.code == 0
    assert command("show", "plan.json").output == printed.output
    assert [one["by"] for problem in problems("plan.json") for one in problem["allowed"]] == [
        "--allow"
    ] * 2
    assert [problem["paths"] for problem in problems("plan.json")] == [
        [["data", "text"]],
        [["data", "score"]],
    ]
    assert command("apply", "plan.json", "--yes").code == 0
    assert annotated.state.tasks[1].values["data"] == {"text": "B.", "score": 1}


@pytest.mark.parametrize("denied", ["annotated-data", "annotated-data:data.text"])
@pytest.mark.parametrize("by", ["--deny", "RECONCILER_DENY"])
def test_a_denial_beats_what_a_saved_plan_allowed(
    annotated: Hooked,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    denied: str,
    by: str,
):
    assert command("plan", "tasks.yaml", "--allow", "annotated-data", "--out", "p.json").code == 0
    options = ["--deny", denied] if by == "--deny" else []
    if by == "RECONCILER_DENY":
        monkeypatch.setenv(by, f"empty-data, {denied}")
    for file in ("p.json", "tasks.yaml"):
        ran = command("apply", file, "--yes", "--allow", "annotated-data", *options)
        assert (ran.code, annotated.count("PATCH")) == (1, 0)
        assert f"{by} forbids it ({denied}), so nothing can allow it" in ran.output
        assert "pass --allow" not in ran.errors


def test_denials_of_options_and_of_the_environment_add_up(
    annotated: Hooked, command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RECONCILER_DENY", "annotated-extra")
    allow = ("--allow", "annotated-data", "--allow", "label-config")
    ran = command("plan", "tasks.yaml", *allow, "--deny", "annotated-data:data.text")
    assert ran.code == 1
    assert "2 blocked" in ran.output
    assert annotated.count("PATCH") == 0


@pytest.mark.usefixtures("annotated")
def test_a_settings_file_cannot_lift_a_denial_nor_make_one(command: Command):
    Path("reconciler.toml").write_text('deny = ["annotated-data"]\n', encoding="utf-8")
    assert "deny" in command("plan", "tasks.yaml").errors


@pytest.mark.usefixtures("annotated")
def test_what_cannot_be_denied_is_refused_before_any_request(
    command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RECONCILER_DENY", "everything")
    ran = command("plan", "tasks.yaml")
    assert (ran.code, ran.output) == (1, "")
    assert ran.errors.startswith("reconciler: RECONCILER_DENY: 'everything' cannot be denied;")


def test_a_missing_task_that_the_plan_allowed_is_left_alone(server: Hooked, command: Command):
    Path("tasks.yaml").write_text(MANIFEST.replace("id: 3", "id: 9"), encoding="utf-8")
    assert command("plan", "tasks.yaml", "--allow", "missing", "--out", "plan.json").code == 0
    assert "missing (allowed by --allow)" in command("show", "plan.json").output
    refused = command("apply", "plan.json", "--yes", "--deny", "missing")
    assert (refused.code, server.count("PATCH")) == (1, 0)
    ran = command("apply", "plan.json", "--yes")
    assert ran.code == 0
    assert "(allowed by --allow)" in ran.output


ALLOWING = """
version: 1
project: 7
allow:
  - {kind: annotated-data, paths: [data.text], reason: the typo changed no label}
rules:
  - name: no scores
    where: {data.score: {exists: true}}
    absent: [data.score]
tasks:
  - {id: 1, data: {text: B.}}
"""


def test_a_manifest_allows_for_its_own_changes_and_says_why(annotated: Hooked, command: Command):
    Path("allowing.yaml").write_text(ALLOWING, encoding="utf-8")
    ran = command("plan", "allowing.yaml", "--target", "path:data.text", "--out", "plan.json")
    said = "annotated-data (allowed by allowing.yaml:5: the typo changed no label): would change"
    assert (ran.code, said in ran.output) == (0, True)
    assert "Allowed: annotated-data (1 task, by allowing.yaml:5)." in ran.output
    assert command("show", "plan.json").output == ran.output
    assert command("plan", "allowing.yaml").code == 1  # the rule changes data.score
    assert command("apply", "plan.json", "--yes", "--deny", "annotated-data").code == 1
    assert annotated.count("PATCH") == 0
    assert command("apply", "plan.json", "--yes").code == 0


def test_a_manifest_allows_what_its_rules_change(annotated: Hooked, command: Command):
    text = ALLOWING.replace("kind: annotated-data, paths: [data.text]", "kind: annotated-extra")
    Path("allowing.yaml").write_text(text.partition("tasks:")[0], encoding="utf-8")
    ran = command("apply", "allowing.yaml", "--yes")
    assert (ran.code, annotated.count("PATCH")) == (0, 3), ran.output
    assert "annotated-extra (allowed by allowing.yaml:5: the typo changed no label)" in ran.output


TWO_DOCUMENTS = """
version: 1
project: 7
allow:
  - {kind: annotated-data, reason: the typo changed no label}
  - {kind: label-config, reason: it is gone}
  - {kind: empty-data, reason: it is gone}
tasks:
  - {id: 1, absent: [data.text]}
---
version: 1
project: 7
rules:
  - {name: scores, where: {data.score: 1}, set: {data: {score: 2}}}
"""


def test_a_document_allows_nothing_for_rules_of_another_in_its_file(
    annotated: Hooked, command: Command
):
    annotated.state.tasks[2].values["total_annotations"] = 0
    Path("two.yaml").write_text(TWO_DOCUMENTS, encoding="utf-8")
    ran = command("plan", "two.yaml", "--out", "plan.json")
    assert ran.code == 1
    found = [(one["kind"], [*one.get("allowed", [])]) for one in problems("plan.json")]
    assert [(kind, bool(allowed)) for kind, allowed in found] == [
        ("label-config", True),
        ("annotated-data", True),
        ("annotated-extra", False),
    ]
    assert found[1][1] == [
        {
            "kind": "annotated-data",
            "paths": [["data", "text"]],
            "by": "two.yaml:5",
            "reason": "the typo changed no label",
            "source": {"file": "two.yaml", "line": 5, "column": 5},
        }
    ]


@pytest.mark.usefixtures("annotated")
def test_a_document_allows_to_empty_data_only_where_it_removes_all_of_it(command: Command):
    text = TWO_DOCUMENTS.replace("set: {data: {score: 2}}", "absent: [data.score]")
    Path("two.yaml").write_text(text, encoding="utf-8")
    allow = ("--allow", "annotated-data")
    assert command("plan", "two.yaml", *allow, "--out", "plan.json").code == 1
    blocking = [one["kind"] for one in problems("plan.json") if "allowed" not in one]
    assert blocking == ["empty-data"]
    whole = text.replace("absent: [data.text]", "absent: [data.text, data.score]")
    Path("two.yaml").write_text(whole, encoding="utf-8")
    assert command("plan", "two.yaml", *allow).code == 0
