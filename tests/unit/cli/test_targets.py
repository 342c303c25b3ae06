"""``--target`` and ``--exclude`` of plan and apply."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command, Manifest
from tests.unit.labelstudio.wired import Hooked


def overlaps(server: Hooked) -> list[object]:
    return [task.values["overlap"] for task in server.state.tasks.values()]


def test_only_targets_are_changed_and_the_rest_is_said(
    server: Hooked, command: Command, manifest: Manifest
):
    ran = command("apply", manifest(), "--target", "1-2", "--exclude", "2", "--yes")
    assert (ran.code, overlaps(server)) == (0, [2, 1, 1])
    assert "Targets: --target 1-2, --exclude 2. Left out: 2 tasks.\n" in ran.output


def test_tasks_that_no_target_holds_are_not_read(
    server: Hooked, command: Command, manifest: Manifest
):
    assert command("plan", manifest(), "--target", "2").code == 0
    assert "[2]" in "".join(str(request.url.params) for request in server.requests).replace(
        "%5B2%5D", "[2]"
    )


def test_again_it_finds_no_changes(command: Command, server: Hooked, manifest: Manifest):
    options = ("--target", "path:overlap", "--target", "1")
    assert command("apply", manifest(), *options, "--yes").code == 0
    ran = command("plan", "tasks.yaml", *options)
    assert (ran.code, overlaps(server)) == (0, [2, 1, 1])
    assert "No changes: 1 task as declared.\n" in ran.output
    assert "Left out: 2 tasks." in ran.output


RULED = """
version: 1
project: 7
rules:
  - {name: overlap of two, where: {overlap: 1}, set: {overlap: 2}}
"""
KEYED = """
version: 1
project: 7
key: data.text
tasks:
  - {key: Sentence 2., overlap: 2}
"""


@pytest.mark.parametrize("text", [RULED, KEYED], ids=["by a rule", "by its key"])
def test_an_id_of_a_task_that_is_governed_otherwise_fits_when_it_is_as_declared(
    server: Hooked, command: Command, text: str
):
    Path("tasks.yaml").write_text(text, encoding="utf-8")
    for _ in range(2):
        assert command("apply", "tasks.yaml", "--target", "2", "--yes").code == 0
    assert overlaps(server) == [1, 2, 1]


CONFLICT = """
version: 1
project: 7
rules:
  - {name: ours, set: {overlap: 2}}
---
version: 1
project: 7
rules:
  - {name: theirs, where: {data.text: Sentence 2.}, set: {overlap: 3}}
"""


@pytest.mark.parametrize("rule", ["ours", "theirs"])
def test_to_choose_one_of_two_rules_does_not_hide_their_conflict(
    server: Hooked, command: Command, rule: str
):
    Path("tasks.yaml").write_text(CONFLICT, encoding="utf-8")
    ran = command("apply", "tasks.yaml", "--target", f"rule:{rule}", "--yes")
    assert (ran.code, server.count("PATCH")) == (1, 0)
    assert "rule-conflict" in ran.output
    others = command("apply", "tasks.yaml", "--target", f"rule:{rule}", "--exclude", "2", "--yes")
    assert others.code == 0
    assert overlaps(server) == ([2, 1, 2] if rule == "ours" else [1, 1, 1])


@pytest.mark.parametrize(("text", "task"), [(RULED, "9"), (KEYED, "1")])
def test_an_id_that_nothing_governs_is_refused(
    server: Hooked, command: Command, text: str, task: str
):
    Path("tasks.yaml").write_text(text, encoding="utf-8")
    ran = command("apply", "tasks.yaml", "--target", task, "--yes")
    assert (ran.code, server.count("PATCH")) == (1, 0)
    assert f"--target {task}: no declared task or rule fits" in ran.errors


@pytest.mark.parametrize("command_name", ["plan", "apply"])
def test_targets_that_match_nothing_are_named_before_anything_is_changed(
    server: Hooked, command: Command, manifest: Manifest, command_name: str
):
    yes = ("--yes",) if command_name == "apply" else ()
    right = ("--target", "1", "--target", "path:overlap", "--exclude", "2-9")
    wrong = ("--target", "path:overlapp", "--exclude", "file:b.yaml", "--exclude", "key:x")
    ran = command(command_name, manifest(), *right, *wrong, *yes)
    assert (ran.code, server.count("PATCH")) == (1, 0)
    assert (
        "nothing was changed: --target path:overlapp, --exclude file:b.yaml, --exclude key:x: no "
        "declared task or rule fits" in ran.errors
    )


@pytest.mark.parametrize("option", ["--target", "--exclude"])
def test_targets_are_refused_with_a_saved_plan(
    server: Hooked, command: Command, manifest: Manifest, option: str
):
    assert command("plan", manifest(), "--out", "plan.json").code == 0
    ran = command("apply", "plan.json", option, "1", "--yes")
    assert (ran.code, server.count("PATCH")) == (1, 0)
    assert f"{option} cannot be used with a saved plan" in ran.errors


def test_a_saved_plan_says_its_targets_and_is_carried_out(
    server: Hooked, command: Command, manifest: Manifest
):
    options = ("--target", "2", "--out", "plan.json")
    printed = command("plan", manifest(), *options)
    document = json.loads(Path("plan.json").read_text(encoding="utf-8"))
    left_out = {"tasks": 2, "changes": 0}
    assert document["targets"] == {"include": ["2"], "exclude": [], "left_out": left_out}
    assert command("show", "plan.json").output == printed.output
    assert command("apply", "plan.json", "--yes", "--report", "report.jsonl").code == 0
    assert overlaps(server) == [1, 2, 1]
    assert "    target  --target 2\n" in command("show", "report.jsonl").output
    report = json.loads(command("show", "report.jsonl", "--format", "json").output)
    assert report["runs"][0]["targets"] == {"include": ["2"], "exclude": []}


def test_a_limit_in_per_cent_means_all_declared_tasks(
    server: Hooked, command: Command, manifest: Manifest
):
    options = ("--target", "1", "--yes", "--max-changes")
    assert command("apply", manifest(), *options, "33%").code == 1
    assert command("apply", "tasks.yaml", *options, "34%").code == 0
    assert overlaps(server) == [2, 1, 1]


def test_a_shard_does_not_miss_what_another_one_holds(
    server: Hooked, command: Command, manifest: Manifest
):
    for shard in ("1/2", "2/2"):
        assert command("apply", manifest(), "--target", "2", "--shard", shard, "--yes").code == 0
    assert overlaps(server) == [1, 2, 1]


@pytest.mark.usefixtures("server")
def test_plans_of_different_targets_are_not_shown_as_one(command: Command, manifest: Manifest):
    for shard, target in (("1/2", "2"), ("2/2", "1")):
        name = f"{target}.json"
        options = ("--shard", shard, "--target", target, "--out", name)
        assert command("plan", manifest(), *options).code == 0
    ran = command("show", "1.json", "2.json")
    assert ran.code == 1
    assert "1.json was made with --target 1, but 2.json with --target 2" in ran.errors


@pytest.mark.usefixtures("server")
def test_what_is_no_target_is_a_usage_error(command: Command, manifest: Manifest):
    ran = command("plan", manifest(), "--target", "data.text")
    assert ran.code == 1
    assert "expected an id, a range such as 100-200, key:VALUE" in ran.errors


KEYED = """
version: 1
project: 7
key: data.external_id
rules:
  - name: more overlap
    where: {data.text: {prefix: Sentence}}
    set: {overlap: 2}
tasks:
  - {key: x-1, meta: {a: 1}}
  - {key: x-2, meta: {a: 1}}
"""


def test_keys_and_rules_are_targets(server: Hooked, command: Command):
    Path("keyed.yaml").write_text(KEYED, encoding="utf-8")
    for number, task in server.state.tasks.items():
        task.values["data"] = {"text": f"Sentence {number}.", "external_id": f"x-{number}"}
    options = ("--target", "key:x-1", "--exclude", "rule:more overlap", "--yes")
    for _ in range(2):  # the second run finds nothing to do
        ran = command("apply", "keyed.yaml", *options)
        assert (ran.code, overlaps(server)) == (0, [1, 1, 1]), ran.errors
    assert [task.values["meta"] for task in server.state.tasks.values()] == [{"a": 1}, {}, {}]
    for _ in range(2):
        ran = command("apply", "keyed.yaml", "--target", "rule:more overlap", "--yes")
        assert (ran.code, overlaps(server)) == (0, [2, 2, 2]), ran.errors
    ran = command("plan", "keyed.yaml", "--target", "key:x-3", "--target", "rule:less")
    assert "--target key:x-3, --target rule:less: no declared task or rule fits" in ran.errors


def test_a_key_that_names_no_task_blocks_only_where_it_is_looked_at(
    server: Hooked, command: Command
):
    Path("keyed.yaml").write_text(KEYED, encoding="utf-8")
    server.state.tasks[1].values["data"] = {"text": "Sentence 1.", "external_id": "x-1"}
    ran = command("plan", "keyed.yaml", "--target", "key:x-1", "--exclude", "path:overlap")
    assert (ran.code, "x-2" in ran.output) == (0, False)
    assert "Left out: 3 tasks and 1 change of the others." in ran.output
    blocked = command("plan", "keyed.yaml", "--target", "key:x-2", "--out", "plan.json")
    assert (blocked.code, "key x-2" in blocked.output) == (1, True)
    assert command("apply", "plan.json", "--yes").code == 1
    allowed = ("--target", "key:x-2", "--allow", "missing", "--out", "plan.json")
    ran = command("plan", "keyed.yaml", *allowed)
    assert (ran.code, "Allowed: missing (1 task, by --allow)." in ran.output) == (0, True)
    assert command("apply", "plan.json", "--yes", "--deny", "missing").code == 1
    assert command("apply", "plan.json", "--yes").code == 0
