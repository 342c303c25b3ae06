from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.values import Json
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import check_manifests, load_manifests


def test_tasks_that_are_not_compared_have_no_fingerprints_but_all_else(tmp_path: Path):
    file = tmp_path / "a.jsonl"
    file.write_text('{"version": 1}\n{"id": 1, "data": {"a": 1}}\n')
    live: dict[int, dict[str, Json]] = {1: {"id": 1, "data": {"a": 1}}}
    one, other = (
        load(find_manifests([str(file)]), load_contract())
        for load in (load_manifests, check_manifests)
    )
    assert one.names() == other.names() == {"data"}
    assert [task.attributes for task in one] == [task.attributes for task in other]
    assert list(one.filter_differing(live)) == []
    assert list(other.filter_differing(live)) == [1]


def test_projects_may_declare_the_same_keys(tmp_path: Path):
    file = tmp_path / "a.yaml"
    file.write_text(
        "{version: 1, project: 7, key: data.k, tasks: [{key: a, overlap: 1}]}\n---\n"
        "{version: 1, project: 8, key: data.k, tasks: [{key: a, overlap: 2}]}\n"
    )
    index = load_manifests(find_manifests([str(file)]), load_contract())
    live: dict[int, dict[str, Json]] = {5: {"id": 5, "overlap": 2, "data": {"k": "a"}}}
    for project, differing in [(7, [5]), (8, [])]:
        keys = index.find_keys(project, live)
        live[5]["project"] = project
        assert list(index.filter_differing(live, keys)) == differing
        assert index.build(5, keys[5], project).attributes == {"overlap": project - 6}
    with pytest.raises(ValueError, match="several projects"):
        index.build(5, index.find_keys(7, live)[5])
