from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.errors import ManifestError
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import load_manifests
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.manifest_file import read_documents


def problems(*paths: str) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        load_manifests(find_manifests(paths), load_contract())
    return str(caught.value).split("\n")


def give(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put ``text`` on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))


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
    (task,) = load_manifests(find_manifests(["-", "-"]), load_contract())
    assert (task.id, task.source.file) == (5, "-")


def test_problems_of_standard_input_have_places(monkeypatch: pytest.MonkeyPatch):
    give("version: 1\ntasks: [{id: x}]\n", monkeypatch)
    assert problems("-") == ['-:2:14: tasks[0].id: expected an integer, found the string "x"']


def test_nothing_on_standard_input_is_a_problem(monkeypatch: pytest.MonkeyPatch):
    give("", monkeypatch)
    assert problems("-") == [
        "-: standard input has no manifest (pipe one into it, or pass a file or folder)",
    ]


def test_a_pipe_in_a_folder_is_refused_and_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "tasks.yaml")
    diagnostics = Diagnostics(str(tmp_path / "tasks.yaml"))
    assert read_documents(diagnostics.file, diagnostics) == []
    assert [problem.message for problem in diagnostics.problems] == ["not a regular file"]
