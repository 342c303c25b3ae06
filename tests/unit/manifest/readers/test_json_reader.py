from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.errors import ManifestError
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import load_manifests
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.json_reader import CutDocument, read_json
from tests.unit.manifest.readers.rich import RICH, tasks


@pytest.mark.parametrize("indent", [None, 1])
def test_rich_tasks_of_a_document_are_read_and_their_places_found_without_the_parser(
    tmp_path: Path, indent: int | None
):
    file = tmp_path / "rich.json"
    whole = {"version": 1, "tasks": tasks(), "project": 7}
    text = json.dumps(whole, indent=indent, ensure_ascii=False)
    file.write_text(text, encoding="utf-8")
    (document,) = read_json(text.encode(), Diagnostics("rich.json"))
    assert isinstance(document, CutDocument)
    assert len(list(document.read_tasks())) == len(RICH)

    desired = load_manifests(find_manifests([str(file)]), load_contract())
    lines = text.split("\n")
    for task, (key, value) in zip(desired, RICH.items(), strict=True):
        assert task.attributes == {"data": {key: value}}
        source = task.places.source_of(("data", key))
        assert lines[source.line - 1][source.column - 1 :].startswith(json.dumps(key))
    source = document.locate_key(("project",))
    assert lines[source.line - 1][source.column - 1 :].startswith('"project"')
    assert document.parsed == set()


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_what_is_wrong_with_one_rich_task_is_told_with_its_place(tmp_path: Path, suffix: str):
    file = tmp_path / f"rich{suffix}"
    listed = [json.dumps(task, ensure_ascii=False) for task in tasks()]
    listed[1] = listed[1].replace('"n": null', '"n": 1, "n": 2', 1)
    listed[2] = listed[2].replace("799.9", "1e400")
    head, end = '{"version": 1, "tasks": [', "\n]}"
    text = head + "\n" + ",\n".join(listed) + end
    if suffix == ".jsonl":
        text = "\n".join(['{"version": 1}', *listed])
    file.write_text(text, encoding="utf-8")
    lines = text.split("\n")
    with pytest.raises(ManifestError) as caught:
        load_manifests(find_manifests([str(file)]), load_contract())
    assert [(p.source.line, p.source.column, p.path) for p in caught.value.problems] == [
        (3, lines[2].index('"n": 2') + 1, "tasks[1].data.chat[0]"),
        (4, lines[3].index("1e400") + 1, "tasks[2].data.series.t[7999]"),
    ]
