"""CI gets the package from where it was installed here, and no secret gets into a workflow."""

from __future__ import annotations

import json
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from reconciler.engine.starter.package_source import (
    SUBMODULE,
    PackageSource,
    choose_package_source,
)

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


def install_from(url: str) -> str:
    return f'pip install "label-studio-reconciler @ git+{url}@{COMMIT}"'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (None, PackageSource(install="pip install label-studio-reconciler==1.2.3")),
        (
            git_source("https://git.example.org/r.git"),
            PackageSource(install_from("https://git.example.org/r.git")),
        ),
        (
            git_source("https://github.com/acme/reconciler.git"),
            PackageSource(
                install_from("https://github.com/acme/reconciler.git"),
                action=f"acme/reconciler@{COMMIT}",
            ),
        ),
        (
            git_source("https://github.com/acme/tools/reconciler"),
            PackageSource(install_from("https://github.com/acme/tools/reconciler")),
        ),
        (git_source("https://ann:secret@git.example.org/reconciler.git"), SUBMODULE),
        (git_source("https://ann:secret@github.com/acme/reconciler.git"), SUBMODULE),
        (git_source('https://git.example.org/$(x)"'), SUBMODULE),
        (git_source("https://git.example.org/r.git", "main; rm -rf /"), SUBMODULE),
        ({"url": "file:///home/ann/reconciler", "dir_info": {"editable": True}}, SUBMODULE),
        ([], SUBMODULE),
    ],
)
def test_ci_follows_what_pip_recorded(source: object, expected: PackageSource, tmp_path: Path):
    assert choose_package_source(make_package(tmp_path, source)) == expected
