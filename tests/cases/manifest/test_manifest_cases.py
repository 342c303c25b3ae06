"""Each folder of ``negative`` and ``positive`` is a case: manifests, and what they come to.

``problems.txt`` holds every line that a person is shown. ``desired.json`` holds the tasks, and
``sources.json`` where paths of theirs are declared: by task, by path, ``file:line:column``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.model import DesiredTask
from reconciler.core.notation import parse_path
from reconciler.errors import ManifestError
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import load_manifests

HERE = Path(__file__).parent
EXPECTATIONS = {"problems.txt", "desired.json", "sources.json"}


def cases(kind: str) -> list[Any]:
    return [pytest.param(case, id=case.name) for case in sorted((HERE / kind).iterdir())]


def load(case: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[DesiredTask, ...]:
    monkeypatch.chdir(case)
    manifests = sorted(entry.name for entry in case.iterdir() if entry.name not in EXPECTATIONS)
    return tuple(load_manifests(find_manifests(manifests), load_contract()))


@pytest.mark.parametrize("case", cases("negative"))
def test_every_problem_is_reported_with_its_place(case: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ManifestError) as caught:
        load(case, monkeypatch)
    expected = (case / "problems.txt").read_text(encoding="utf-8").removesuffix("\n")
    assert str(caught.value).split("\n") == expected.split("\n")


@pytest.mark.parametrize("case", cases("positive"))
def test_manifests_come_to_these_tasks(case: Path, monkeypatch: pytest.MonkeyPatch):
    tasks = load(case, monkeypatch)
    expected = json.loads((case / "desired.json").read_text(encoding="utf-8"))
    # As text, since Python holds 1, 1.0 and true equal.
    assert written([shown(task) for task in tasks]) == written(expected)
    if (case / "sources.json").exists():
        sources = json.loads((case / "sources.json").read_text(encoding="utf-8"))
        by_id = {str(task.id): task for task in tasks}
        assert sources == {
            id_: {path: source(by_id[id_], path) for path in paths}
            for id_, paths in sources.items()
        }


def shown(task: DesiredTask) -> dict[str, Any]:
    return {
        "id": task.id,
        "project": task.project,
        "attributes": task.attributes,
        "replaced": sorted(task.replaced),
        "absent": task.absent,
    }


def source(task: DesiredTask, path: str) -> str:
    """Tell where ``path`` is declared; the empty one stands for the task itself."""
    return str(task.places.source_of(parse_path(path)) if path else task.source)


def written(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True)
