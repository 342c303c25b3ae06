"""CI installs the package from where it was installed here, and no secret gets into a workflow."""

from __future__ import annotations

import json
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from reconciler.engine.starter.package_source import SUBMODULE, choose_install_command

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def make_package(folder: Path, source: object) -> Distribution:
    info = folder / "label_studio_reconciler-1.2.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: label-studio-reconciler\nVersion: 1.2.3\n", "utf-8")
    if source is not None:
        (info / "direct_url.json").write_text(json.dumps(source), encoding="utf-8")
    return Distribution.at(info)


def git_source(url: str, commit: str = COMMIT) -> object:
    return {"url": url, "vcs_info": {"vcs": "git", "commit_id": commit}}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (None, "pip install label-studio-reconciler==1.2.3"),
        (
            git_source("https://git.example.org/r.git"),
            f'pip install "label-studio-reconciler @ git+https://git.example.org/r.git@{COMMIT}"',
        ),
        (git_source("https://ann:secret@git.example.org/reconciler.git"), SUBMODULE),
        (git_source('https://git.example.org/$(x)"'), SUBMODULE),
        (git_source("https://git.example.org/r.git", "main; rm -rf /"), SUBMODULE),
        ({"url": "file:///home/ann/reconciler", "dir_info": {"editable": True}}, SUBMODULE),
        ([], SUBMODULE),
    ],
)
def test_the_command_follows_what_pip_recorded(source: object, expected: str, tmp_path: Path):
    assert choose_install_command(make_package(tmp_path, source)) == expected
