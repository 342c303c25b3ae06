"""An update never makes valid manifests invalid, however many entries declare a task."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from reconciler.contract.openapi import load_contract
from reconciler.errors import ManifestError
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import load_manifests
from reconciler.sandbox.tasks_file import new_state
from tests.unit.labelstudio.wired import TEXT
from tests.updating import prepare

values = st.sampled_from([1, "s"])
objects = st.dictionaries(st.sampled_from("ab"), values, max_size=2)
data = st.dictionaries(st.sampled_from("xyz"), values | objects, max_size=2)
own = st.fixed_dictionaries({}, optional={"data": data, "overlap": st.integers(1, 2)})
absent = st.lists(st.sampled_from(["data.x", "data.x.a", "data.y"]), max_size=1)
entries = st.tuples(st.sampled_from([[1], [2], [1, 2]]), own, absent)
headers = st.tuples(own, absent, st.sampled_from(["merge", "replace"]))
documents = st.tuples(headers, st.lists(entries, min_size=1, max_size=3))
live = st.fixed_dictionaries({"data": data}, optional={"overlap": st.integers(1, 3)})


_EMPTIED: list[Any] = [(({"data": {"x": 1}}, [], "replace"), [([1], {}, []), ([2], {}, [])])]
"""Defaults that no task may lose: the place of the problem is not that of an entry."""


@settings(max_examples=150, deadline=None)
@example(_EMPTIED, {"data": {}}, {"data": {}}, 0)
@given(st.lists(documents, min_size=1, max_size=2), live, live, st.integers(0, 3))
def test_files_stay_valid_if_all_or_some_of_them_are_written(
    written: list[Any], one: dict[str, Any], two: dict[str, Any], kept: int
):
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number, document in enumerate(written):
            (folder / f"{number}.json").write_text(json.dumps(build(*document)))
        assume(is_valid(folder))
        state = new_state("community")
        project = state.add_project("Project 7", TEXT, number=7)
        state.add_task(project, one, number=1)
        state.add_task(project, two, number=2)

        update = prepare([name], state)

        # A file that cannot be replaced stays as it was.
        for number, file in enumerate(update.files):
            if not kept >> number & 1:
                Path(file.file).write_bytes(file.after)
        assert is_valid(folder)


def build(header: Any, entries: list[Any]) -> dict[str, Any]:  # noqa: ANN401 - as drawn
    defaults, absent, policy = header
    return {
        "version": 1,
        "project": 7,
        "policy": {"data": policy},
        "defaults": defaults | ({"absent": absent} if absent else {}),
        "tasks": [
            ({"id": ids[0]} if len(ids) == 1 else {"ids": ids})
            | declared
            | ({"absent": gone} if gone else {})
            for ids, declared, gone in entries
        ],
    }


def is_valid(folder: Path) -> bool:
    try:
        load_manifests(find_manifests([os.fspath(folder)]), load_contract())
    except ManifestError:
        return False
    return True
