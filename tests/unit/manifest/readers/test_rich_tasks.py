"""Tasks with thousands of values: read without their places, which are looked for when asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.values import Json
from reconciler.errors import ManifestError
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import load_files, load_manifests
from reconciler.manifest.readers import text_document
from reconciler.manifest.readers.document import Diagnostics
from reconciler.manifest.readers.json_document import CutDocument, read_json_document
from reconciler.manifest.readers.json_text import decode_quickly, find_offsets

BOXES: Json = [{"x": n, "y": n / 7, "w": 1e-05, "h": -0.0} for n in range(3_000)]
CHAT: Json = [
    {
        "role": "user",
        "content": f'Is "{n}" in [1, 2}}? :-[ <b>\n \\ caf\u00e9 \U0001f600',
        "n": None,
    }
    for n in range(500)
]
SERIES: Json = {"t": [n / 10 for n in range(8_000)], "v": list(range(8_000))}
LONG: Json = "A sentence: with a colon. " * 40_000
RICH = {"boxes": BOXES, "chat": CHAT, "series": SERIES, "long": LONG}


def tasks() -> list[Json]:
    return [{"id": n, "data": {key: value}} for n, (key, value) in enumerate(RICH.items(), 1)]


@pytest.fixture
def _only_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to read a task with places."""
    monkeypatch.delattr(text_document, "parse_json")


@pytest.mark.usefixtures("_only_quickly")
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_rich_lines_are_read_and_their_places_found_without_the_reader_with_places(
    *, ascii_only: bool, separators: tuple[str, str]
):
    lines = [json.dumps(task, ensure_ascii=ascii_only, separators=separators) for task in tasks()]
    quick = [decode_quickly(line.replace("<", "\\u003c").encode()) for line in lines]
    assert [found.value for found in quick if found] == tasks()
    for line, (key, value) in zip(lines, RICH.items(), strict=True):
        name, steps = json.dumps(key), ("data", key)
        found = find_offsets(line.encode(), steps)
        assert line.encode()[found.key :].startswith(name.encode())
        begins = json.dumps(value, ensure_ascii=ascii_only, separators=separators)[:20]
        assert line.encode()[found.value :].decode().startswith(begins)


@pytest.mark.usefixtures("_only_quickly")
@pytest.mark.parametrize("indent", [None, 1])
def test_rich_tasks_of_a_document_are_read_and_their_places_found(
    tmp_path: Path, indent: int | None
):
    file = tmp_path / "rich.json"
    whole = {"version": 1, "tasks": tasks(), "project": 7}
    text = json.dumps(whole, indent=indent, ensure_ascii=False)
    file.write_text(text, encoding="utf-8")
    (document,) = read_json_document(text.encode(), Diagnostics("rich.json"))
    assert isinstance(document, CutDocument)

    desired = load_manifests([str(file)], load_contract())
    lines = text.split("\n")
    for task, (key, value) in zip(desired, RICH.items(), strict=True):
        assert task.attributes == {"data": {key: value}}
        source = task.places.source_of(("data", key))
        assert lines[source.line - 1][source.column - 1 :].startswith(json.dumps(key))
    source = document.key_source(("project",))
    assert lines[source.line - 1][source.column - 1 :].startswith('"project"')


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
        load_manifests([str(file)], load_contract())
    assert [(p.source.line, p.source.column, p.path) for p in caught.value.problems] == [
        (3, lines[2].index('"n": 2') + 1, "tasks[1].data.chat[0]"),
        (4, lines[3].index("1e400") + 1, "tasks[2].data.series.t[7999]"),
    ]


@pytest.mark.parametrize("levels", range(94, 104))
@pytest.mark.parametrize(
    "beside", ["", "]", "[[", '"', '"]', '\\"]', "\\", "\\\\", '\\"[{', 'a"b]c"d', "é]"]
)
@pytest.mark.parametrize("length", [0, 20_000])
def test_depth_is_counted_exactly_whatever_brackets_strings_have(
    levels: int, beside: str, length: int
):
    value: Json = [beside, "x" * length]
    for level in range(levels - 1):
        value = [beside, value, beside] if level % 3 else {beside: value, "b": [beside]}
    text = json.dumps(value).encode()
    assert (decode_quickly(text) is not None) == (levels <= 98)


def test_tasks_that_are_not_compared_have_no_fingerprints_but_all_else(tmp_path: Path):
    file = tmp_path / "a.jsonl"
    file.write_text('{"version": 1}\n{"id": 1, "data": {"a": 1}}\n')
    live: dict[int, dict[str, Json]] = {1: {"id": 1, "data": {"a": 1}}}
    one, other = (
        load_files(find_manifests([str(file)]), load_contract(), compared=compared)
        for compared in (True, False)
    )
    assert one.names() == other.names() == {"data"}
    assert [task.attributes for task in one] == [task.attributes for task in other]
    assert list(one.not_held(live)) == []
    assert list(other.not_held(live)) == [1]
