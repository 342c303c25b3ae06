"""Values of a program are declared as the same values in a file are."""

from __future__ import annotations

import json
import re
import tempfile
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.contract.openapi import load_contract
from reconciler.errors import ManifestError
from reconciler.manifest.files import FoundFiles
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.loader import load_manifests, load_values
from tests.properties.documents import MANY, parts, strict, texts

ids = st.integers(min_value=1, max_value=4) | st.sampled_from([0, 2.0, "1", None])
objects = st.dictionaries(texts, parts, max_size=3)
tasks = st.fixed_dictionaries(
    {"id": ids},
    optional={
        "data": objects | parts,
        "meta": objects,
        "overlap": st.integers(min_value=0, max_value=3),
        "absent": st.lists(texts | st.just("data.a"), max_size=2),
        "project": st.sampled_from([7, 8]),
    },
)
headers = st.fixed_dictionaries(
    {"version": st.just(1)},
    optional={
        "project": st.sampled_from([7, 0, None]),
        "policy": st.sampled_from([{"data": "replace"}, {"meta": "merge"}, {"x": 1}]),
        "defaults": st.fixed_dictionaries({}, optional={"data": objects, "overlap": parts}),
    },
)


def list_declared(desired: DesiredIndex) -> list[str]:
    return [
        strict(
            [
                task.id,
                task.project,
                dict(task.attributes),
                [*sorted(task.replaced)],
                [[*path] for path in task.absent],
            ]
        )
        for task in desired
    ]


def list_problems(error: ManifestError) -> set[tuple[str, str]]:
    """List problems without their places, which differ."""
    return {(found.path, re.sub(r"\bat \S+", "at", found.message)) for found in error.problems}


def outcome_of_file(header: dict[str, Any], given_tasks: list[Any]) -> object:
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump({**header, "tasks": given_tasks}, file)
        file.flush()
        try:
            return list_declared(load_manifests(FoundFiles([file.name]), load_contract()))
        except ManifestError as error:
            return list_problems(error)


@MANY
@given(headers, st.lists(tasks | parts, max_size=4))
def test_values_declare_what_a_file_with_them_declares(
    header: dict[str, Any], given_tasks: list[Any]
):
    of_file = outcome_of_file(header, given_tasks)
    try:
        found: object = list_declared(
            load_values(header, given_tasks, load_contract(), name="tasks")
        )
    except ManifestError as error:
        found = list_problems(error)
    assert found == of_file
