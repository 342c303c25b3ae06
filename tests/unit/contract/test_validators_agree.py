"""Both validators must judge alike: the fast one decides, the other words the messages."""

from __future__ import annotations

from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.contract.date_time import is_date_time
from reconciler.contract.manifest_schema import build_manifest_schema, build_patch_schema
from reconciler.contract.openapi import load_contract

FORMATS = jsonschema.FormatChecker(formats=())
FORMATS.checks("date-time")(is_date_time)


class Pair:
    """Both validators over one schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.python = jsonschema.Draft7Validator(schema, format_checker=FORMATS)
        self.rust = jsonschema_rs.Draft7Validator(
            schema, validate_formats=True, formats={"date-time": is_date_time}
        )

    def accepts(self, document: object) -> bool:
        python, rust = self.python.is_valid(document), self.rust.is_valid(document)
        assert python == rust, (python, rust, document)
        return python


MANIFESTS = Pair(build_manifest_schema(load_contract()))
PATCHES = Pair(build_patch_schema(load_contract()))


def manifest(**task: object) -> dict[str, object]:
    return {"version": 1, "tasks": [{"id": 1, **task}]}


ACCEPTED = [
    {"version": 1, "tasks": []},
    {"version": 1.0, "tasks": []},
    {"version": 1, "project": 7, "policy": {}, "defaults": {"overlap": 2}, "tasks": []},
    manifest(),
    manifest(data={"text": "é", "deep": [{"x": 1e30}]}, overlap=3),
    manifest(overlap=3.0),
    manifest(overlap=2147483647),
    manifest(meta=None, allow_skip=None, absent=["data.old_key", ["meta", "a.b"]]),
    manifest(meta=[1, "x"], completed_at="2026-01-02T03:04:05.1234567+02:00"),
    manifest(inner_id=2**62 - 1, precomputed_agreement=0.5),
]
REFUSED: list[object] = [
    None,
    [],
    {"tasks": []},
    {"version": 2, "tasks": []},
    {"version": True, "tasks": []},
    {"version": "1", "tasks": []},
    {"version": 1, "tasks": {}},
    {"version": 1, "tasks": [], "$schema": 1},
    {"version": 1, "tasks": [], "project": 0},
    {"version": 1, "tasks": [], "policy": {"data": "overwrite"}},
    {"version": 1, "tasks": [], "policy": {"project": "merge"}},
    {"version": 1, "tasks": [], "defaults": {"id": 1}},
    {"version": 1, "tasks": [{"overlap": 1}]},
    manifest(id=0),
    manifest(id=True),
    manifest(id="1"),
    manifest(data=None),
    manifest(data=[1, 2]),
    manifest(project=None),
    manifest(overlap=None),
    manifest(overlap=2.5),
    manifest(overlap=True),
    manifest(overlap=2147483648),
    manifest(inner_id=2**63),
    manifest(inner_id=10**30),
    manifest(created_at="2026-01-02T03:04:05Z"),
    manifest(completed_at="2026-01-02"),
    manifest(completed_at=5),
    manifest(last_comment_updated_at="yesterday"),
    manifest(absent="data.x"),
    manifest(absent=[""]),
    manifest(absent=[["data"]]),
    manifest(absent=[["data", ""]]),
    manifest(absent=["data.x", "data.x"]),
    manifest(absent=[["data", "x"], ["data", "x"]]),
]


@pytest.mark.parametrize("document", ACCEPTED, ids=str)
def test_accepted_by_both(document: object):
    assert MANIFESTS.accepts(document)


@pytest.mark.parametrize("document", REFUSED, ids=str)
def test_refused_by_both(document: object):
    assert not MANIFESTS.accepts(document)


@pytest.mark.parametrize(
    ("body", "good"),
    [
        ({"overlap": 2}, True),
        ({"data": {}, "meta": None}, True),
        ({}, False),
        ({"id": 1, "overlap": 2}, False),
        ({"data": [1, 2]}, False),
        ({"project": None}, False),
        ({"annotations": []}, False),
    ],
)
def test_the_last_gate(body: dict[str, object], good: bool):  # noqa: FBT001 - a column of the table
    assert PATCHES.accepts(body) is good


TEXT = st.text("aé.~ \u2028\U0001f600", max_size=4)
NUMBERS = st.one_of(
    st.integers(),
    st.sampled_from([0, 1, 2**31 - 1, 2**31, -(2**31) - 1, 2**63 - 1, 2**63, -(2**63) - 1]),
    st.sampled_from([1.0, -0.0, 2.5, 1e30, 1e308, 5e-324, float(2**31), float(2**63)]),
    st.floats(allow_nan=False, allow_infinity=False),
)
DATE_TIMES = st.one_of(
    st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    st.sampled_from(["2026-01-02T23:59:60Z", "2026-01-02", "0000-01-01T00:00:00Z"]),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXT, DATE_TIMES)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from([*load_contract(), "absent", "unknown"])
PATHS = st.one_of(TEXT, st.lists(TEXT, max_size=3), SCALARS)
TASKS = st.builds(
    lambda task, absent: task | absent,
    st.dictionaries(NAMES, VALUES, max_size=4),
    st.fixed_dictionaries({}, optional={"id": NUMBERS, "absent": st.lists(PATHS, max_size=3)}),
)


@given(tasks=st.lists(TASKS, max_size=2), defaults=TASKS, version=st.sampled_from([1, 1.0, True]))
def test_both_judge_any_manifest_alike(tasks: list[Any], defaults: Any, version: Any):  # noqa: ANN401 - any value
    MANIFESTS.accepts({"version": version, "tasks": tasks, "defaults": defaults})


@given(
    name=st.sampled_from([n for n, row in load_contract().items() if row.writable]), value=VALUES
)
def test_both_judge_any_attribute_alike(name: str, value: object):
    PATCHES.accepts({name: value})
