"""What differs between what is declared of a task and what is live."""

from __future__ import annotations

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.difference import are_equal, find_changes
from reconciler.core.values import ABSENT, Json, Side
from reconciler.errors import Source
from tests.unit.core.building import desired


def differences(
    live: dict[str, Json],
    declared: dict[str, Json],
    *,
    replaced: tuple[str, ...] = (),
    absent: tuple[str, ...] = (),
) -> list[tuple[str, Side, Side]]:
    task = desired(1, declared, replaced=replaced, absent=absent)
    changes = find_changes(task, live, load_contract())
    return [(".".join(c.path), c.before, c.after) for c in changes]


def test_merging_looks_only_at_what_is_declared():
    live: dict[str, Json] = {"data": {"a": 1, "b": {"c": 2, "d": 3}}, "overlap": 1}
    assert differences(live, {"data": {"b": {"c": 5}}}) == [("data.b.c", 2, 5)]
    assert differences(live, {"data": {"b": {}}}) == []
    assert differences(live, {"data": {}}) == []


def test_merging_adds_a_whole_object_as_one_change():
    assert differences({"data": {}}, {"data": {"a": {"b": {"c": 1}}}}) == [
        ("data.a", ABSENT, {"b": {"c": 1}})
    ]


def test_replacing_removes_what_is_not_declared_key_by_key():
    live: dict[str, Json] = {"meta": {"a": 1, "old": {"x": 1}, "deep": {"keep": 1, "go": 2}}}
    declared: dict[str, Json] = {"meta": {"new": 0, "a": 1, "deep": {"keep": 1}}}
    assert differences(live, declared, replaced=("meta",)) == [
        ("meta.new", ABSENT, 0),
        ("meta.deep.go", 2, ABSENT),
        ("meta.old", {"x": 1}, ABSENT),
    ]


def test_replacing_empties_an_object_key_by_key():
    assert differences({"meta": {"a": 1}}, {"meta": {}}, replaced=("meta",)) == [
        ("meta.a", 1, ABSENT)
    ]


@pytest.mark.parametrize("replaced", [(), ("meta",)])
@pytest.mark.parametrize(
    ("live", "declared"), [(None, {"a": 1}), ({"a": 1}, None), ([1], {"a": 1}), ({"a": 1}, [1])]
)
def test_an_object_and_something_else_differ_as_wholes(
    live: Json, declared: Json, replaced: tuple[str, ...]
):
    found = differences({"meta": live}, {"meta": declared}, replaced=replaced)
    assert found == [("meta", live, declared)]


def test_lists_are_compared_as_wholes():
    live: dict[str, Json] = {"data": {"l": [{"a": 1}, 2]}}
    assert differences(live, {"data": {"l": [{"a": 1.0}, 2]}}) == []
    assert differences(live, {"data": {"l": [{}, 2]}}) == [("data.l", [{"a": 1}, 2], [{}, 2])]


def test_an_absent_path_is_removed_where_it_is_and_nothing_else_is():
    live: dict[str, Json] = {"data": {"a": {"b": None, "c": 1}, "s": "text"}, "meta": None}
    absent = ("data.a.b", "data.a.x", "data.x.y", "data.s.t", "meta.a")
    assert differences(live, {}, absent=absent) == [("data.a.b", None, ABSENT)]


def test_an_absent_path_of_a_replaced_object_is_removed_once():
    live: dict[str, Json] = {"meta": {"old": 1}}
    found = differences(live, {"meta": {}}, replaced=("meta",), absent=("meta.old",))
    assert found == [("meta.old", 1, ABSENT)]


def test_an_absent_path_beside_declared_keys_of_its_object_is_removed_too():
    live: dict[str, Json] = {"meta": {"a": 1, "old": 1}}
    found = differences(live, {"meta": {"a": 2}}, absent=("meta.old",))
    assert found == [("meta.a", 1, 2), ("meta.old", 1, ABSENT)]


def test_absent_paths_of_other_objects_are_removed_beside_a_replaced_one():
    live: dict[str, Json] = {"meta": {}, "data": {"a": 1, "old": 1}}
    found = differences(live, {"meta": {}}, replaced=("meta",), absent=("meta.old", "data.old"))
    assert found == [("data.old", 1, ABSENT)]


@pytest.mark.parametrize("replaced", [(), ("meta",)])
@pytest.mark.parametrize("declared", [None, {}, {"a": 1}])
def test_an_attribute_that_is_not_there_is_not_null(declared: Json, replaced: tuple[str, ...]):
    found = differences({}, {"meta": declared}, replaced=replaced)
    assert found == [("meta", ABSENT, declared)]


def test_each_change_says_where_it_is_declared():
    changes = find_changes(
        desired(1, {"data": {"a": {"b": 1}}}), {"data": {"a": {}}}, load_contract()
    )
    assert [change.source for change in changes] == [Source("tasks.yaml", 6, 5)]


@pytest.mark.parametrize(
    ("path", "left", "right", "expected"),
    [
        ("completed_at", "2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z", True),
        ("completed_at", "2026-01-02T01:04:05.1234567Z", "2026-01-02T01:04:05.123456Z", True),
        ("completed_at", "2026-01-02T01:04:05.123457Z", "2026-01-02T01:04:05.123456Z", False),
        ("completed_at", "2026-01-02T01:04:05Z", None, False),
        ("completed_at", "yesterday", "2026-01-02T01:04:05Z", False),
        ("completed_at", "yesterday", "yesterday", True),
        ("overlap", "2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z", False),
        ("unknown", "2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z", False),
    ],
)
def test_only_attributes_that_are_date_times_compare_as_instants(
    path: str, left: Json, right: Json, *, expected: bool
):
    assert are_equal((path,), left, right, load_contract()) is expected


def test_a_date_time_inside_data_is_a_string_like_any_other():
    left, right = "2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"
    assert not are_equal(("data", "completed_at"), left, right, load_contract())


def test_a_path_inside_a_value_that_is_declared_is_not_removed_as_well():
    task = desired(1, {"data": {"x": 0}}, absent=("data.x.u", "data.y"))
    live: dict[str, Json] = {"data": {"x": {"u": {"v": 3}, "w": 4}, "y": 1}}

    found = find_changes(task, live, load_contract())

    assert [(change.path, change.after) for change in found] == [
        (("data", "x"), 0),
        (("data", "y"), ABSENT),
    ]
