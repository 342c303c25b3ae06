from __future__ import annotations

import json

import pytest

from reconciler.core.values import Json
from reconciler.manifest.readers.json_text import decode_quickly, find_offsets
from tests.unit.manifest.readers.rich import RICH, tasks


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_rich_lines_are_read_and_their_places_found_without_the_parser(
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
