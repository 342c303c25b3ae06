"""Which server a run changes, and which manifests it reads, where there are several."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.command_line import Command
from tests.live.under_test import ServerUnderTest

ELSEWHERE = "https://label-studio.invalid"


def write(name: str, text: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")


def two_manifests(server: ServerUnderTest, header: str = "") -> list[int]:
    """Declare a task in each of two folders, the second with another ``header``."""
    project, tasks = server.make_tasks(2)
    for folder, head, task in zip(("here", "there"), ("", header), tasks, strict=True):
        declared = f"tasks: [{{id: {task}, data: {{text: new}}}}]"
        write(f"{folder}/tasks.yaml", f"version: 1\nproject: {project}\n{head}\n{declared}\n")
    return tasks


def stored(server: ServerUnderTest, tasks: list[int]) -> list[str]:
    return [server.get(task).text for task in tasks]


def test_nothing_is_changed_where_settings_files_name_two_servers(
    server: ServerUnderTest, command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LABEL_STUDIO_URL")
    tasks = two_manifests(server)
    write("here/reconciler.toml", f'url = "{server.url}"\n')
    write("there/reconciler.toml", f'url = "{ELSEWHERE}"\n')
    before = stored(server, tasks)
    for paths in (("here", "there"), (".",), ("*/*.yaml",)):
        ran = command("apply", *paths, "--yes")
        assert (ran.code, ran.out) == (1, "")
        assert "there/reconciler.toml:1: url is" in ran.err
    assert stored(server, tasks) == before
    assert command("apply", "here", "--yes").code == 0
    assert stored(server, tasks)[1] == before[1]


def test_nothing_is_changed_by_a_manifest_of_another_server(
    server: ServerUnderTest, command: Command
):
    tasks = two_manifests(server, f"server: {ELSEWHERE}")
    before = stored(server, tasks)
    ran = command("apply", ".", "--yes")
    assert ran.code == 1
    assert "there/tasks.yaml:3:9: server: the manifest declares" in ran.err
    assert stored(server, tasks) == before


def test_a_manifest_that_names_its_server_is_applied_there(
    server: ServerUnderTest, command: Command
):
    tasks = two_manifests(server, f"server: {server.url}/api/")
    assert command("apply", ".", "--yes").code == 0
    assert [server.get(task).json()["data"]["text"] for task in tasks] == ["new", "new"]


def test_manifests_behind_a_link_are_applied_once(server: ServerUnderTest, command: Command):
    tasks = two_manifests(server)
    Path(".git").mkdir()
    Path("top").mkdir()
    for name in ("team", "again"):
        Path("top", name).symlink_to("../here")
    assert command("apply", "top", "--yes").code == 0
    assert [server.get(task).json()["data"]["text"] for task in tasks] == ["new", "text 1"]


def test_an_environment_chooses_the_server_and_must_be_the_one_that_is_given(
    server: ServerUnderTest, command: Command, monkeypatch: pytest.MonkeyPatch
):
    tasks = two_manifests(server)
    before = stored(server, tasks)
    environments = {"here": server.url, "there": ELSEWHERE}
    write(
        "reconciler.toml",
        "".join(f'[environments.{name}]\nurl = "{url}"\n' for name, url in environments.items()),
    )
    ran = command("apply", ".", "--yes", "--env", "there")
    assert ran.code == 1
    assert f"LABEL_STUDIO_URL is {server.url}, but environment there is {ELSEWHERE}" in ran.err
    monkeypatch.delenv("LABEL_STUDIO_URL")
    monkeypatch.setenv("CI", "true")
    assert command("apply", ".", "--yes", "--env", "here").code == 1
    assert stored(server, tasks) == before
    monkeypatch.delenv("CI")
    ran = command("apply", ".", "--yes", "--env", "here")
    assert (ran.code, [server.read(task)["data"]["text"] for task in tasks]) == (0, ["new", "new"])
    assert ran.out.startswith(f"environment here: {server.url} (")
