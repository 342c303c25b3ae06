"""What of a task manifests can declare, and what every format of manifest then reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.core.notation import format_path
from reconciler.core.values import Json
from reconciler.engine.load import find_files, load_desired
from reconciler.manifest.declarable import LEVELS_MAX, find_declarable
from reconciler.manifest.writers.manifest_text import Format, format_manifest


def nest(levels: int, *, of_lists: bool = False) -> Json:
    value: Json = 1
    for _ in range(levels):
        value = [value] if of_lists else {"a": value}
    return value


@pytest.mark.parametrize(
    ("attributes", "left", "refused"),
    [
        ({"data": {"a": "x\0", "b": 1}}, {"data": {"b": 1}}, "data.a"),
        ({"data": {"a": ["\ud800"], "b": 1}}, {"data": {"b": 1}}, "data.a"),
        ({"data": {"a\0": 1, "b": 1}}, {"data": {"b": 1}}, 'data["a\\u0000"]'),
        ({"data": {"a": {"b": "\0"}}}, {}, "data.a.b"),
        ({"data": {"$undefined$": 1, "b": 1}}, {"data": {"b": 1}}, "data.$undefined$"),
        ({"meta": {"$undefined$": 1}}, {"meta": {"$undefined$": 1}}, ""),
        ({"data": {"a": "/tasks/7/resolve/?fileuri=x"}}, {}, "data.a"),
        ({"data": {"a": [{"b": "/tasks/7/resolve/?fileuri=x"}]}}, {}, "data.a"),
        ({"data": {"a": 10**4300, "b": 10**4299}}, {"data": {"b": 10**4299}}, "data.a"),
        ({"meta": "\0", "overlap": 2}, {"overlap": 2}, "meta"),
        ({"overlap": 0, "data": {"b": 1}}, {"data": {"b": 1}}, "overlap"),
        ({"data": {"a": nest(LEVELS_MAX, of_lists=True)}}, {}, "data.a"),
        ({"data": {}, "meta": {"a": {}}}, {"data": {}, "meta": {"a": {}}}, ""),
    ],
)
def test_what_cannot_be_declared_is_left_out_and_named(
    attributes: dict[str, Any], left: dict[str, Any], refused: str
) -> None:
    found = find_declarable(attributes)

    assert found.attributes == left
    assert ", ".join(format_path(one.path) for one in found.refused) == refused


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("of_lists", [False, True])
def test_the_deepest_value_that_is_declared_can_be_read(
    form: Format, tmp_path: Path, *, of_lists: bool
) -> None:
    deepest = {"data": {"x": nest(LEVELS_MAX - 1, of_lists=of_lists)}}
    deeper = {"data": {"x": nest(LEVELS_MAX, of_lists=of_lists)}}

    assert find_declarable(deepest).refused == ()
    assert find_declarable(deeper).attributes == {}
    file = tmp_path / f"a.{form.value}"
    file.write_text("".join(format_manifest(form, {"version": 1}, iter([{"id": 1, **deepest}]))))
    assert load_desired(find_files([str(file)]))[1].attributes == deepest
