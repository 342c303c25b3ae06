from __future__ import annotations

from pathlib import Path

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
