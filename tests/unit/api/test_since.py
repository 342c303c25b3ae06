"""``since`` of plan, as ``--since`` of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

import reconciler
from reconciler import Manifests, NullProgress, SettingsError
from tests.git_repositories import GitRepository
from tests.unit.api.conftest import Server

ALL = "version: 1\ntasks:\n" + "".join(f"  - {{id: {n}, overlap: 2}}\n" for n in (1, 2, 3))


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    made = GitRepository.create(tmp_path)
    made.commit({"m/a.yaml": ALL, "m/b.yaml": "version: 1\ntasks: [{id: 4, overlap: 2}]\n"})
    return made


def test_only_what_is_declared_differently_is_planned_and_applied(
    repository: GitRepository, server: Server
):
    repository.write({"m/a.yaml": ALL.replace("1, overlap: 2", "1, overlap: 3")})
    declared = reconciler.load("m")
    made = reconciler.plan(declared, server.settings, since="HEAD")
    assert [task.task for task in made.tasks] == [1]
    assert made.tasks_left_out == 3
    assert "since HEAD" in reconciler.render(made)
    both = reconciler.plan(declared, server.settings, since="HEAD", targets=["2-9"])
    assert both.tasks == ()
    report = reconciler.apply(made, server.settings)
    assert report.runs[0].targets.since is not None
    assert [outcome.task for outcome in report.outcomes] == [1]


def test_what_counts_is_what_was_loaded(repository: GitRepository, server: Server):
    changed = ALL.replace("2, overlap: 2", "2, overlap: 3")
    repository.write({"m/a.yaml": changed})
    declared = reconciler.load("m")
    repository.write({"m/a.yaml": ALL})
    made = reconciler.plan(declared, server.settings, since="HEAD")
    assert [task.task for task in made.tasks] == [2]


def test_a_revision_from_where_head_left_it(repository: GitRepository, server: Server):
    repository.git("checkout", "-q", "-b", "work")
    repository.commit({"m/b.yaml": None})
    repository.git("checkout", "-q", "main")
    repository.commit({"m/c.yaml": "version: 1\ntasks: [{id: 5, overlap: 2}]\n"})
    repository.git("checkout", "-q", "work")
    made = reconciler.plan(reconciler.load("m"), server.settings, since="main...")
    assert made.tasks == ()
    since = made.targets.since
    assert since is not None
    assert "4" in reconciler.render(made)


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("nowhere", "has no revision"),
        ("--output=x", "expected a git revision"),
        ("a..b", "expected one revision"),
    ],
)
def test_what_is_no_revision_is_refused(server: Server, since: str, expected: str):
    with pytest.raises(SettingsError, match=expected):
        reconciler.plan(reconciler.load("m"), server.settings, since=since)


def test_manifests_of_no_file_have_no_revision(server: Server):
    with pytest.raises(SettingsError, match="were not read from files"):
        reconciler.plan(Manifests.from_tasks([{"id": 1}]), server.settings, since="HEAD")


def test_a_file_that_was_wrong_there_is_noted(repository: GitRepository, server: Server):
    repository.commit({"m/b.yaml": "version: 1\ntasks: [{id: x}]\n"})
    repository.write({"m/b.yaml": "version: 1\ntasks: [{id: 4, overlap: 2}]\n"})
    heard: list[str] = []

    class Hear(NullProgress):
        def note(self, text: str) -> None:
            heard.append(text)

    made = reconciler.plan(reconciler.load("m"), server.settings, since="HEAD", progress=Hear())
    assert [task.task for task in made.tasks] == [4]
    assert "all of this file counts as changed" in heard[0]
