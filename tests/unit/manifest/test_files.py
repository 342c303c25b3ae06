from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.errors import ManifestError
from reconciler.manifest.document import Complaints
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import load_manifests, read_documents

SUFFIXES = "a manifest ends in .yaml, .yml, .json, .jsonl"
SPELLING = "check its spelling, and the folder that you are in"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*names: str) -> None:
    for number, name in enumerate(names, start=1):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(f"version: 1\ntasks: [{{id: {number}}}]\n", encoding="utf-8")


def files(*paths: str) -> list[str]:
    found, problems = find_manifests(paths)
    assert problems == []
    return found


def problems(*paths: str) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        load_manifests(paths, load_contract())
    return str(caught.value).split("\n")


def test_a_folder_stands_for_its_manifests_in_the_order_of_their_names():
    write("m/b.yaml", "m/a.yml", "m/z/c.json", "m/d/e.jsonl", "m/d/b/f.yaml", "m/notes.txt")
    assert files("m") == ["m/a.yml", "m/b.yaml", "m/d/e.jsonl", "m/d/b/f.yaml", "m/z/c.json"]


def test_hidden_files_and_settings_are_skipped():
    write("a.yaml", ".b.yaml", ".git/c.yaml", "reconciler.toml", "d.yaml.swp")
    assert files(".") == ["a.yaml"]


def test_a_hidden_file_that_is_named_is_read():
    write(".b.yaml")
    assert files(".b.yaml") == [".b.yaml"]


@pytest.mark.parametrize(
    "again", ["m/a.yaml", "./m/a.yaml", "m//a.yaml", "m", "m/", "m/*.yaml", "m/../m/a.yaml"]
)
def test_a_file_named_twice_is_read_once(again: str):
    write("m/a.yaml")
    assert files("m/a.yaml", again) == ["m/a.yaml"]


def test_a_file_and_a_link_to_it_are_one():
    write("a.yaml")
    Path("link.yaml").symlink_to("a.yaml")
    assert files(".") == ["a.yaml"]


def test_paths_keep_the_order_in_which_they_are_named():
    write("a.yaml", "b/c.yaml", "d.yaml")
    assert files("d.yaml", "b", "a.yaml") == ["d.yaml", "b/c.yaml", "a.yaml"]


def test_a_pattern_stands_for_the_manifests_that_it_matches():
    write("m/b.yaml", "m/a.yaml", "m/deep/c.yaml", "m/notes.txt")
    assert files("m/*") == ["m/a.yaml", "m/b.yaml", "m/deep/c.yaml"]
    assert files("**/[ac].yaml") == ["m/a.yaml", "m/deep/c.yaml"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file():
    write("[a].yaml", "a.yaml")
    assert files("[a].yaml") == ["[a].yaml"]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("nowhere.yaml", f"nowhere.yaml:1:1: no such file or folder ({SPELLING})"),
        ("", f":1:1: no such file or folder ({SPELLING})"),
        ("empty", f"empty:1:1: no manifest in this folder ({SUFFIXES})"),
        ("*.json", f"*.json:1:1: no manifest matches this pattern ({SUFFIXES})"),
        ("*.txt", f"*.txt:1:1: no manifest matches this pattern ({SUFFIXES})"),
        ("notes.txt", f"notes.txt:1:1: not the name of a manifest ({SUFFIXES})"),
        ("reconciler.toml", f"reconciler.toml:1:1: not the name of a manifest ({SUFFIXES})"),
        ("dangling.yaml", f"dangling.yaml:1:1: no such file or folder ({SPELLING})"),
    ],
)
def test_a_path_that_stands_for_nothing_is_a_problem(path: str, line: str):
    write("good.yaml", "notes.txt", "reconciler.toml", "empty/.hidden.yaml")
    Path("dangling.yaml").symlink_to("nowhere.yaml")
    assert problems("good.yaml", path) == [line]


def test_all_paths_are_told_about_with_the_problems_inside_the_others():
    Path("bad.yaml").write_text("version: 2\ntasks: []\n", encoding="utf-8")
    version = "expected 1, found the integer 2 (this tool reads manifests of version 1)"
    assert problems("nowhere", "bad.yaml", "c.yaml") == [
        f"bad.yaml:1:10: version: {version}",
        f"c.yaml:1:1: no such file or folder ({SPELLING})",
        f"nowhere:1:1: no such file or folder ({SPELLING})",
    ]


def test_a_file_that_cannot_be_read_is_a_problem():
    Path("m").mkdir()
    Path("m/dangling.yaml").symlink_to("nowhere.yaml")
    assert problems("m") == ["m/dangling.yaml:1:1: cannot be read: No such file or directory"]


def test_a_folder_that_cannot_be_listed_is_not_passed_over(monkeypatch: pytest.MonkeyPatch):
    write("m/a.yaml", "m/locked/b.yaml")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    # The owner's rights cannot be taken away where tests run as root.
    monkeypatch.setattr(os, "scandir", refuse)
    assert problems("m") == ["m/locked:1:1: cannot be read: Permission denied"]


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\ntasks: [{id: 5}]\n",
        ' \n{"version": 1, "tasks": [{"id": 5, "meta": "\\ud83d\\ude00"}]}',
        "\ufeffversion: 1\ntasks: [{id: 5}]\n",
    ],
)
def test_a_dash_is_standard_input_in_yaml_or_json(text: str, monkeypatch: pytest.MonkeyPatch):
    give(text, monkeypatch)
    (task,) = load_manifests(["-", "-"], load_contract())
    assert (task.id, task.source.file) == (5, "-")


def test_problems_of_standard_input_have_places(monkeypatch: pytest.MonkeyPatch):
    give("version: 1\ntasks: [{id: x}]\n", monkeypatch)
    assert problems("-") == ['-:2:14: tasks[0].id: expected an integer, found the string "x"']


def test_nothing_on_standard_input_is_a_problem(monkeypatch: pytest.MonkeyPatch):
    give("", monkeypatch)
    assert problems("-") == [
        "-:1:1: no document in this file (write a manifest, or remove it)",
    ]


def give(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put ``text`` on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))


def test_a_pipe_in_a_folder_is_refused_and_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "tasks.yaml")
    complaints = Complaints(str(tmp_path / "tasks.yaml"))
    assert read_documents(complaints.file, complaints) == []
    assert [problem.message for problem in complaints.problems] == ["not a regular file"]
