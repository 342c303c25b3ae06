from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.errors import ManifestError
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import load_manifests

SUFFIXES = "the name of a manifest ends in .yaml, .yml, .json, .jsonl"
SPELLING = "check the spelling and the current folder"
CORRECT = "correct the link, or remove it"
GONE = f"which does not exist ({CORRECT})"
INSIDE = "pass the target itself, or move it inside"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*names: str) -> None:
    for number, name in enumerate(names, start=1):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(f"version: 1\ntasks: [{{id: {number}}}]\n", encoding="utf-8")


def link(name: str, to: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).symlink_to(to)


def unread(*paths: str) -> list[str]:
    return [str(problem) for problem in find_manifests(paths).unread]


def files(*paths: str) -> list[str]:
    found = find_manifests(paths)
    assert found.problems == ()
    return [*found.files]


def problems(*paths: str) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        load_manifests(find_manifests(paths), load_contract())
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
    link("link.yaml", "a.yaml")
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
        ("nowhere.yaml", f"nowhere.yaml: file or folder not found ({SPELLING})"),
        ("", f"'': file or folder not found ({SPELLING})"),
        ("empty", f"empty: this folder has no manifests ({SUFFIXES})"),
        ("*.json", f"*.json: this pattern matches no manifests ({SPELLING})"),
        ("*.txt", f"*.txt: this pattern matches no manifests ({SUFFIXES})"),
        ("notes.txt", f"notes.txt: not the name of a manifest ({SUFFIXES})"),
        ("reconciler.toml", f"reconciler.toml: not the name of a manifest ({SUFFIXES})"),
        ("dangling.yaml", f"dangling.yaml: links to nowhere.yaml, {GONE}"),
        ("loop", f"loop: links in a circle through loop ({CORRECT})"),
        ("good.yaml/a.yaml", f"good.yaml/a.yaml: file or folder not found ({SPELLING})"),
        ("a\0.yaml", f"a\0.yaml: a file cannot have this name ({SPELLING})"),
        ("a" * 300, f"{'a' * 300}: cannot be read: File name too long"),
    ],
)
def test_a_path_that_stands_for_nothing_is_a_problem(path: str, line: str):
    write("good.yaml", "notes.txt", "reconciler.toml", "empty/.hidden.yaml")
    link("dangling.yaml", "nowhere.yaml")
    link("loop", "loop")
    assert problems("good.yaml", path) == [line]


def test_all_paths_are_told_about_with_the_problems_inside_the_others():
    Path("bad.yaml").write_text("version: 2\ntasks: []\n", encoding="utf-8")
    version = "expected 1, found the integer 2 (this tool reads version 1 only)"
    assert problems("nowhere", "bad.yaml", "c.yaml") == [
        f"bad.yaml:1:10: version: {version}",
        f"c.yaml: file or folder not found ({SPELLING})",
        f"nowhere: file or folder not found ({SPELLING})",
    ]


def test_a_file_that_goes_away_is_a_problem():
    write("m/a.yaml", "m/b.yaml")
    found = find_manifests(["m"])
    Path("m/a.yaml").unlink()
    with pytest.raises(ManifestError) as caught:
        load_manifests(found, load_contract())
    assert str(caught.value) == "m/a.yaml: cannot be read: No such file or directory"


def test_a_folder_that_cannot_be_listed_is_not_passed_over(monkeypatch: pytest.MonkeyPatch):
    write("m/a.yaml", "m/locked/b.yaml")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    # The owner's rights cannot be taken away where tests run as root.
    monkeypatch.setattr(os, "scandir", refuse)
    assert problems("m") == ["m/locked: cannot be read: Permission denied"]


def test_a_suffix_in_capitals_is_one():
    write("m/a.YAML", "m/b.Yml")
    Path("m/c.JSON").write_text('{"version": 1, "tasks": [{"id": 3}]}', encoding="utf-8")
    Path("m/d.JSONL").write_text('{"version": 1}\n{"id": 4}\n{"id": 5}\n', encoding="utf-8")
    assert files("m/a.YAML", "m") == ["m/a.YAML", "m/b.Yml", "m/c.JSON", "m/d.JSONL"]
    desired = load_manifests(find_manifests(["m"]), load_contract())
    assert [task.id for task in desired] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "name",
    ["b.yaml.bak", "b.yml~", "b.json.orig", "b.YAML.j2", "b.yaml ", "b.jsonl.gz", "b.ndjson"],
)
def test_what_looks_like_a_manifest_and_is_none_is_named(name: str):
    write("m/a.yaml", f"m/{name}", f"m/.{name}")
    assert files("m") == ["m/a.yaml"]
    assert unread("m") == unread("m/*") == [f"m/{name}: not read ({SUFFIXES})"]
    assert unread("m/*.yaml") == []


@pytest.mark.parametrize(
    "name", ["b.ymal", "b.yml1", "b.yaml2", "b.yam", "b.ym", "b.jsom", "b.jsno", "b.josn", "b.YMAL"]
)
def test_a_misspelt_name_of_a_manifest_is_named(name: str):
    write("m/a.yaml", f"m/{name}")
    assert files("m") == ["m/a.yaml"]
    assert unread("m") == [f"m/{name}: not read ({SUFFIXES})"]


@pytest.mark.parametrize(
    "name",
    [
        *("notes.txt", "README", "yaml", "a.yamlx", "ajson", "schema.xml", "a.toml", "a.html"),
        *("a.js", "a.jsx", "a.bson", "a.yang", "a.y", "a.", "a.ml", "a.yml11"),
    ],
)
def test_other_files_are_passed_over(name: str):
    write("m/a.yaml", f"m/{name}")
    assert (files("m"), unread("m")) == (["m/a.yaml"], [])


def test_a_folder_behind_a_link_is_read_under_the_name_of_the_link():
    write("top/a.yaml", "shared/team/b.yaml", "shared/team/deep/c.yaml", "top/z/d.yaml")
    Path(".git").mkdir()
    link("top/team", "../shared/team")
    assert files("top") == [
        "top/a.yaml",
        "top/team/b.yaml",
        "top/team/deep/c.yaml",
        "top/z/d.yaml",
    ]
    assert files("top/*/*.yaml") == ["top/team/b.yaml", "top/z/d.yaml"]
    assert files("top/**/*.yaml") == files("top/**") == sorted(files("top"))


def test_what_is_reached_twice_is_read_once():
    write("shared/team/a.yaml", "one/b.yaml", "two/c.yaml")
    Path(".git").mkdir()
    for name in ("one/team", "two/team", "two/again"):
        link(name, "../shared/team")
    assert files(".") == ["one/b.yaml", "one/team/a.yaml", "two/c.yaml"]
    assert files("two/team", "one") == ["two/team/a.yaml", "one/b.yaml"]
    assert files("one/team") == ["one/team/a.yaml"]


def test_links_cost_no_more_than_the_folders_that_they_lead_to():
    """Two ways from each folder to the next are a million ways to the last."""
    Path(".git").mkdir()
    for level in range(20):
        for way in "ab":
            link(f"l{level:02}/{way}", f"../l{level + 1:02}")
    write("l20/a.yaml")
    assert files("l00") == ["l00/" + "a/" * 20 + "a.yaml"]
    assert files("l00/**/*.yaml") == files("l00")


@pytest.mark.parametrize("repository", [True, False])
def test_without_a_repository_links_stay_in_the_folders_that_are_named(*, repository: bool):
    write("r/top/a.yaml", "r/shared/b.yaml", "outside/c.yaml", "outside/d/e.yaml")
    if repository:
        Path("r/.git").mkdir()
    link("r/top/shared", "../shared")
    link("r/top/c.yaml", "../../outside/c.yaml")
    link("r/top/d", "../../outside/d")
    here, top = Path.cwd(), "r" if repository else "r/top"
    out = [
        f"r/top/{name}: links out of {here}/{top}, to {here}/outside/{name} ({INSIDE})"
        for name in ("c.yaml", "d")
    ]
    shared = f"r/top/shared: links out of {here}/{top}, to {here}/r/shared ({INSIDE})"
    wanted = out if repository else [*out, shared]
    assert problems("r/top") == problems("r/top/*") == problems("r/top/**") == wanted
    assert problems("r/top/*.yaml") == out[:1]
    assert problems("r/top/*/*.yaml") == [
        line.replace(f"/{name}", f"/{name}/{file}")
        for name, file, line in zip(("d", "shared"), ("e.yaml", "b.yaml"), wanted[1:], strict=False)
    ]


def test_a_link_that_is_named_leads_anywhere():
    write("outside/c.yaml", "outside/d/e.yaml", "r/a.yaml")
    Path("r/.git").mkdir()
    link("r/c.yaml", "../outside/c.yaml")
    link("r/d", "../outside/d")
    assert files("r/c.yaml", "r/d") == ["r/c.yaml", "r/d/e.yaml"]
    assert files("r", "outside") == ["r/a.yaml", "r/c.yaml", "r/d/e.yaml"]


@pytest.mark.parametrize("path", ["m", "m/**/*.yaml"])
def test_a_link_in_a_circle_is_named_and_where_it_leads(path: str):
    write("m/a.yaml", "m/deep/b.yaml", "n/c.yaml")
    Path(".git").mkdir()
    link("m/deep/up", "..")
    link("m/deep/far", "../..")
    link("m/itself", "itself")
    link("m/n", "../n")
    link("n/m", "../m")
    here = Path.cwd()
    assert problems(path) == [
        f"m/deep/far: links in a circle, back to {here} (remove the link)",
        f"m/deep/up: links in a circle, back to {here}/m (remove the link)",
        f"m/itself: links in a circle through itself ({CORRECT})",
        f"m/n/m: links in a circle, back to {here}/m (remove the link)",
    ]


@pytest.mark.parametrize("path", ["m", "m/*", "m/**"])
def test_a_link_to_nothing_is_an_error_where_manifests_may_be_missing(path: str):
    write("m/a.yaml")
    link("m/b.yaml", "gone.yaml")
    link("m/team", "../shared/team")
    link("m/notes.txt", "gone.txt")
    link("m/.hidden.yaml", "gone.yaml")
    assert problems(path) == [
        f"m/b.yaml: links to gone.yaml, {GONE}",
        f"m/team: links to ../shared/team, {GONE}",
    ]
    assert unread(path) == ["m/notes.txt: not read: links to gone.txt, which does not exist"]


def test_a_pattern_through_a_link_to_nothing_matches_less_than_it_should():
    write("m/a/a.yaml")
    link("m/team", "../shared/team")
    wanted = [f"m/team: links to ../shared/team, {GONE}"]
    assert problems("m/*/*.yaml") == problems("m/**/*.yaml") == problems("m/*/a.yaml") == wanted


@pytest.mark.parametrize("path", ["m/*/b.yaml", "m/**/b.yaml", "m/*"])
def test_a_pattern_does_not_pass_over_what_cannot_be_listed(
    monkeypatch: pytest.MonkeyPatch, path: str
):
    write("m/a/b.yaml", "m/locked/b.yaml")
    lstat, scandir = os.lstat, os.scandir

    def refuse(path: str, within: Callable[[str], object]) -> object:
        if str(path).startswith("m/locked"):
            raise PermissionError(13, "Permission denied", path)
        return within(path)

    # The owner's rights cannot be taken away where tests run as root.
    monkeypatch.setattr(os, "lstat", partial(refuse, within=lstat))
    monkeypatch.setattr(os, "scandir", partial(refuse, within=scandir))
    folder, file = (f"m/locked{f}: cannot be read: Permission denied" for f in ("", "/b.yaml"))
    told = {"m/*/b.yaml": [file], "m/**/b.yaml": [folder, file], "m/*": [folder]}
    assert problems(path) == told[path]


def test_a_pattern_matches_as_in_shells():
    write("m/a.yaml", "m/.b.yaml", "m/.h/c.yaml", "m/deep/d.yaml", "m/deep/e.json")
    assert files("m/.*.yaml") == ["m/.b.yaml"]
    assert files("./m/*.yaml", "m/.h/*") == ["m/a.yaml", "m/.h/c.yaml"]
    assert files("m/*/") == ["m/deep/d.yaml", "m/deep/e.json"]
    assert files("*/../m/[!b].yaml") == ["m/../m/a.yaml"]
    assert files(f"{Path.cwd()}/m/d*/?.json") == [f"{Path.cwd()}/m/deep/e.json"]
    assert files("m/**/*.yaml", "**/**/e.json") == ["m/a.yaml", "m/deep/d.yaml", "m/deep/e.json"]


def test_a_name_that_is_no_text_is_read_and_shown():
    write("m/\udcff.yaml", "m/\udcff.yaml.bak")
    (task,) = load_manifests(find_manifests(["m"]), load_contract())
    assert task.source.file == "m/\udcff.yaml"
    assert unread("m") == [f"m/\udcff.yaml.bak: not read ({SUFFIXES})"]
