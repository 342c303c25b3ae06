"""--shard, from the command line and from the environment."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.conftest import Command, Manifest
from tests.unit.labelstudio.wired import Hooked


@pytest.mark.usefixtures("server")
def test_a_plan_is_of_the_tasks_of_the_shard_and_says_so(command: Command, manifest: Manifest):
    plan = json.loads(command("plan", manifest(), "--shard", "2/2", "--format", "json").output)
    assert plan["shard"] == "2/2"
    assert [task["task"] for task in plan["tasks"]] == [1, 3]
    assert "Only tasks of shard 2/2\n" in command("plan", manifest(), "--shard", "2/2").output


@pytest.mark.usefixtures("server")
def test_an_undivided_plan_says_nothing_of_shards(command: Command, manifest: Manifest):
    assert "shard" not in json.loads(command("plan", manifest(), "--format", "json").output)
    assert "shard" not in command("plan", manifest()).output


@pytest.mark.usefixtures("server")
def test_the_environment_names_a_shard_and_the_option_wins(
    command: Command, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RECONCILER_SHARD", "1/2")
    assert "Plan: 1 task to update" in command("plan", manifest()).output
    assert "Plan: 2 tasks to update" in command("plan", manifest(), "--shard", "2/2").output
    monkeypatch.setenv("RECONCILER_SHARD", "")
    assert "Plan: 3 tasks to update" in command("plan", manifest()).output


def test_apply_changes_the_tasks_of_the_shard_alone(
    server: Hooked, command: Command, manifest: Manifest
):
    assert command("apply", manifest(), "--yes", "--shard", "1/2").code == 0
    assert [server.state.tasks[task].values["overlap"] for task in (1, 2, 3)] == [1, 2, 1]
    assert command("apply", manifest(), "--yes", "--shard", "2/2").code == 0
    assert command("plan", manifest(), "--detailed-exitcode").code == 0


@pytest.mark.usefixtures("server")
def test_a_shard_without_tasks_is_as_declared(command: Command, manifest: Manifest):
    for words in (("plan",), ("plan", "--detailed-exitcode"), ("apply",)):
        ran = command(*words, manifest(), "--shard", "9/9")
        assert (ran.code, ran.errors) == (0, "")
        assert ran.output.endswith("No changes: 0 tasks as declared.\n")


@pytest.mark.usefixtures("server")
def test_manifests_of_other_shards_are_checked_too(command: Command, manifest: Manifest):
    name = manifest()
    with open(name, "a", encoding="utf-8") as file:  # noqa: PTH123 - to add to it
        file.write("  - {id: 4, overlap: many}\n")
    assert command("plan", name, "--shard", "2/4").code == 1


@pytest.mark.parametrize(
    ("shard", "expected"),
    [
        ("0/3", "a shard from 1/3 to 3/3"),
        ("4/3", "a shard from 1/3 to 3/3"),
        ("x", "K/N, such as 2/4 for the second of four"),
        ("", "K/N, such as 2/4 for the second of four"),
    ],
)
def test_a_bad_shard_is_bad_usage(command: Command, manifest: Manifest, shard: str, expected: str):
    ran = command("plan", manifest(), "--shard", shard)
    assert (ran.code, ran.output) == (1, "")
    assert f"Invalid value for '--shard': expected {expected}, found '{shard}'." in ran.errors
