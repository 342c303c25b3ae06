"""Which commit manifests are of: as the environment says, or git where it does not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.core.report import Commit
from reconciler.engine.commit import find_commit

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Run git in the folder of the test, as somebody."""

    def git(*arguments: str) -> str:
        who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
        done = subprocess.run(  # noqa: S603 - git, with what the tests say
            ["git", *who, *arguments],  # noqa: S607 - as it is installed
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    return git


@pytest.fixture
def commit(git: Git) -> str:
    """A repository with one commit of manifests/tasks.yaml; gives its name."""
    Path("manifests").mkdir()
    Path("manifests/tasks.yaml").write_text("version: 1\n", encoding="utf-8")
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Tasks")
    return git("rev-parse", "HEAD")


MANIFESTS = ("manifests", "manifests/tasks.yaml", "manifests/*.yaml")


@pytest.mark.parametrize("path", [*MANIFESTS, ".", "-"])
def test_git_tells_the_commit_of_the_folder(commit: str, path: str):
    assert find_commit([path], os.environ) == Commit(commit)


@pytest.mark.parametrize("path", MANIFESTS)
def test_a_manifest_that_was_changed_since_is_told(commit: str, path: str):
    Path("manifests/tasks.yaml").write_text("version: 1\ntasks: []\n", encoding="utf-8")
    assert find_commit([path], os.environ) == Commit(commit, dirty=True)


def test_a_manifest_that_is_new_is_told_and_one_that_is_removed_too(commit: str):
    Path("manifests/more.jsonl").write_text("{}\n", encoding="utf-8")
    assert find_commit(["manifests"], os.environ) == Commit(commit, dirty=True)
    Path("manifests/more.jsonl").unlink()
    Path("manifests/tasks.yaml").unlink()
    assert find_commit(["manifests"], os.environ) == Commit(commit, dirty=True)


def test_what_is_no_manifest_or_lies_elsewhere_does_not_count(commit: str):
    Path("manifests/.notes.swp").write_text("", encoding="utf-8")
    Path("report.jsonl").write_text("", encoding="utf-8")
    assert find_commit(["manifests"], os.environ) == Commit(commit)


@pytest.mark.usefixtures("commit")
def test_the_environment_comes_first_and_ours_before_that_of_ci(monkeypatch: pytest.MonkeyPatch):
    for name in ("CI_COMMIT_SHA", "GITHUB_SHA", "RECONCILER_COMMIT"):
        monkeypatch.setenv(name, f" {name} \n")
        assert find_commit(["manifests"], os.environ) == Commit(name)


def test_without_manifests_only_the_environment_tells(commit: str, monkeypatch: pytest.MonkeyPatch):
    assert find_commit([], os.environ) is None
    monkeypatch.setenv("GITHUB_SHA", commit)
    assert find_commit([], os.environ) == Commit(commit)


def test_outside_of_a_repository_or_before_its_first_commit_nothing_tells(git: Git):
    Path("tasks.yaml").write_text("version: 1\n", encoding="utf-8")
    assert find_commit(["tasks.yaml"], os.environ) is None
    git("init", "--quiet")
    assert find_commit(["tasks.yaml"], os.environ) is None


@pytest.mark.usefixtures("commit")
def test_a_machine_without_git_is_no_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_commit(["manifests"], os.environ) is None


@pytest.mark.usefixtures("commit")
def test_git_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    hanging = tmp_path / "bin" / "git"
    hanging.parent.mkdir()
    hanging.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    hanging.chmod(0o755)
    monkeypatch.setenv("PATH", f"{hanging.parent}:/usr/bin:/bin")
    assert find_commit(["manifests"], os.environ, seconds=0.1) is None


HOSTILE = (
    *("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass"),
    *("core.alternateRefsCommand", "diff.external", "diff.x.command", "diff.x.textconv"),
    *("filter.x.clean", "filter.x.smudge", "filter.x.process", "merge.x.driver", "gpg.program"),
    *("pager.ls-tree", "pager.rev-parse", "pager.status", "credential.helper", "uploadpack.hook"),
    *("alias.rev-parse", "alias.ls-tree", "alias.cat-file"),
)
"""Settings that name programs for git to run."""


@pytest.mark.parametrize("scope", ["repository", "user"])
def test_no_program_that_settings_name_is_run_and_no_other_repository_is_looked_at(
    commit: str, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scope: str
):
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
    program.chmod(0o755)
    (tmp_path / "hooks").mkdir()
    for hook in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        (tmp_path / "hooks" / hook).symlink_to(program)
    settings = tmp_path / "settings"
    file = tmp_path / ".git/config" if scope == "repository" else settings
    for name in HOSTILE:
        git("config", "--file", str(file), name, f"!{program}" if "alias" in name else str(program))
    git("config", "--file", str(file), "core.hooksPath", str(tmp_path / "hooks"))
    git("config", "--file", str(file), "filter.x.required", "true")
    Path("manifests/.gitattributes").write_text("* filter=x diff=x merge=x\n", encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    os.utime("manifests/tasks.yaml", (1, 1))  # so that git would look at its contents
    assert find_commit(["manifests"], os.environ) == Commit(commit)
    Path("manifests/tasks.yaml").write_text("version: 2\n", encoding="utf-8")
    assert find_commit(["manifests"], os.environ) == Commit(commit, dirty=True)
    assert not (tmp_path / "ran").exists()


def test_line_ends_that_git_stores_differently_are_no_change(commit: str):
    Path("manifests/tasks.yaml").write_bytes(b"version: 1\r\n")
    assert find_commit(["manifests"], os.environ) == Commit(commit)


def test_manifests_of_another_repository_are_of_no_commit_of_this_one(commit: str, tmp_path: Path):
    other = tmp_path.with_name(f"{tmp_path.name}-other") / "tasks.yaml"
    other.parent.mkdir()
    other.write_text("version: 1\n", encoding="utf-8")
    assert find_commit(["manifests", str(other)], os.environ) == Commit(commit)
