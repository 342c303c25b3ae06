from __future__ import annotations

import errno
import stat
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command, Manifest
from tests.unit.labelstudio.wired import Hooked

TEXT = "# ours\nversion: 1\nproject: 7\ntasks:\n  - {id: 1, overlap: 2}  # one\n  - id: 2\n"


def write(text: str = TEXT) -> Path:
    file = Path("tasks.yaml")
    file.write_bytes(text.encode())
    return file


def test_only_the_value_that_differs_is_edited(server: Hooked, command: Command):
    file = write()
    file.chmod(0o640)
    ran = command("pull", "tasks.yaml", "--update")
    assert (ran.code, ran.output) == (0, "tasks.yaml: 1 value updated\n")
    assert file.read_text() == TEXT.replace("overlap: 2", "overlap: 1")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert {request.method for request in server.requests} <= {"GET", "OPTIONS", "POST"}
    again = command("pull", "tasks.yaml", "--update")
    nothing = "The manifests have the live values; nothing to update.\n"
    assert (again.code, again.output) == (0, nothing)


def test_a_dry_run_prints_a_diff_and_writes_nothing(server: Hooked, command: Command):
    file = write()
    ran = command("pull", "tasks.yaml", "--update", "--dry-run")
    assert "-  - {id: 1, overlap: 2}  # one\n+  - {id: 1, overlap: 1}  # one\n" in ran.output
    assert (ran.code, file.read_text()) == (0, TEXT)
    assert server.requests


def test_a_read_only_file_is_named_and_left(server: Hooked, command: Command):
    file = write()
    file.chmod(0o444)
    ran = command("pull", "tasks.yaml", "--update")
    assert ran.code == 1
    assert "tasks.yaml:5:13: overlap: the file is read-only" in ran.errors
    assert file.read_text() == TEXT
    assert server.requests


def test_what_is_left_is_named_even_if_quiet(server: Hooked, command: Command):
    write().chmod(0o444)
    ran = command("pull", "tasks.yaml", "--update", "-q")
    assert ran.code == 1
    assert "tasks.yaml:5:13: overlap: the file is read-only" in ran.errors
    assert "reconciler: 1 value left as declared" in ran.errors
    assert server.requests


def test_a_full_disk_is_named_even_if_quiet(
    server: Hooked, command: Command, monkeypatch: pytest.MonkeyPatch
):
    file = write()

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    ran = command("pull", "tasks.yaml", "--update", "-q")
    assert (ran.code, file.read_text()) == (1, TEXT)
    assert "No space left on device" in ran.errors
    assert server.requests


def test_a_link_stays_and_its_target_is_edited(server: Hooked, command: Command):
    target = Path("kept")
    target.mkdir()
    (target / "real.yaml").write_text(TEXT)
    Path("tasks.yaml").symlink_to(target / "real.yaml")
    assert command("pull", "tasks.yaml", "--update").code == 0
    assert Path("tasks.yaml").is_symlink()
    assert "overlap: 1" in (target / "real.yaml").read_text()
    assert server.requests


def test_a_redacted_value_is_not_written(server: Hooked, command: Command):
    file = write()
    ran = command("pull", "tasks.yaml", "--update", "--redact", "overlap")
    assert (ran.code, file.read_text()) == (1, TEXT)
    assert "the live value is redacted" in ran.errors
    assert server.requests


def test_tasks_that_are_not_declared_are_added(server: Hooked, command: Command):
    file = write("version: 1\nproject: 7\ntasks:\n  - {id: 1, overlap: 2}\n")
    shown = command("pull", "tasks.yaml", "--update", "--add", "--ids", "2-3", "--dry-run")
    assert "+  - id: 2\n" in shown.output
    ran = command("pull", "tasks.yaml", "--update", "--add", "--ids", "2-3")
    assert (ran.code, ran.output) == (0, "tasks.yaml: 1 value updated, 2 tasks added\n")
    assert file.read_text().count("- id:") == 2
    assert command("plan", "tasks.yaml", "--detailed-exitcode").code == 0
    assert {request.method for request in server.requests} <= {"GET", "OPTIONS", "POST"}


def test_the_last_file_of_the_project_with_tasks_gets_the_new_ones(
    server: Hooked, command: Command
):
    header = "version: 1\nproject: 7\n"
    for name, task in {"b.yaml": 1, "a.yaml": 2}.items():
        Path(name).write_text(f"{header}tasks:\n  - {{id: {task}, overlap: 1}}\n")
    rules = "rules:\n  - {name: r, where: {data.none: 1}, set: {overlap: 1}}\n"
    Path("c.yaml").write_text(header + rules)
    ran = command("pull", ".", "--update", "--add", "--ids", "3")
    assert (ran.code, ran.output) == (0, "b.yaml: 1 task added\n")
    assert server.requests


def test_a_project_without_a_file_that_has_tasks_is_refused(server: Hooked, command: Command):
    write()
    ran = command("pull", "tasks.yaml", "--update", "--add", "--project", "8")
    assert ran.code == 1
    assert "no file declares tasks of project 8" in ran.errors
    assert server.requests


def test_a_read_only_file_gets_no_tasks(server: Hooked, command: Command):
    file = write("version: 1\nproject: 7\ntasks:\n  - {id: 1, overlap: 1}\n")
    file.chmod(0o444)
    ran = command("pull", "tasks.yaml", "--update", "--add", "--ids", "2")
    assert ran.code == 1
    assert "tasks.yaml: 1 task not added: the file is read-only" in ran.errors
    assert server.requests


def test_options_that_do_not_go_together_are_refused(manifest: Manifest, command: Command):
    file = manifest()
    assert "does not go with --update" in command("pull", file, "--update", "--hoist").errors
    assert "pass --add" in command("pull", file, "--update", "--ids", "1").errors
    assert "--add goes with" in command("pull", "--add").errors
    assert "Pass --update" in command("pull", file).errors
    assert "--update needs" in command("pull", "--update").errors
    assert "--dry-run goes with" in command("pull", "--dry-run").errors
    assert "Missing option '--project'" in command("pull").errors


def test_a_key_that_no_task_has_is_left_with_what_to_do(server: Hooked, command: Command):
    write("version: 1\nproject: 7\nkey: data.text\ntasks:\n  - {key: gone, overlap: 2}\n")
    ran = command("pull", "tasks.yaml", "--update")
    assert ran.code == 1
    assert 'has "gone" at data.text (correct the key; or the path' in ran.errors
    assert server.requests
