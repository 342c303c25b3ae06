"""Paths inside a task, and the values that they lead to."""

from __future__ import annotations

import pytest

from reconciler.core.notation import format_path, parse_path
from reconciler.core.paths import (
    PathIndex,
    are_nested,
    get_value,
    is_inside,
    is_inside_value,
    iterate_around,
    iterate_leaves,
    iterate_managed,
    iterate_outwards,
    set_value,
)
from reconciler.core.values import ABSENT, UNREADABLE, Json, Maybe, Side

LIVE: dict[str, Json] = {"data": {"z": 1, "a": {"b": [1], "c": None}}, "meta": None, "overlap": 1}
DEEP = ("data", "a", "b")


def test_paths_around_a_path_end_or_begin_with_the_path_itself():
    assert list(iterate_around(DEEP)) == [("data",), ("data", "a"), DEEP]
    assert list(iterate_outwards(DEEP)) == [DEEP, ("data", "a"), ("data",)]
    assert list(iterate_around(())) == list(iterate_outwards(())) == []


@pytest.mark.parametrize(
    ("one", "other", "inside", "nested"),
    [
        ("data.a", "data.a", True, True),
        ("data.a.b", "data.a", True, True),
        ("data.a", "data.a.b", False, True),
        ("data.ab", "data.a", False, False),
        ("data.a", "meta.a", False, False),
    ],
)
def test_paths_are_compared_key_by_key(one: str, other: str, *, inside: bool, nested: bool):
    assert is_inside(parse_path(one), parse_path(other)) is inside
    assert are_nested(parse_path(one), parse_path(other)) is nested


def test_every_path_is_inside_the_empty_one():
    assert is_inside(DEEP, ())


def test_leaves_are_what_merging_sets():
    value: Json = {"a": {"b": 1, "c": {}}, "d": [{"e": 2}], "f": None}
    assert list(iterate_leaves(("data",), value)) == [
        (("data", "a", "b"), 1),
        (("data", "a", "c"), {}),
        (("data", "d"), [{"e": 2}]),
        (("data", "f"), None),
    ]
    assert list(iterate_leaves(("data",), ABSENT)) == [(("data",), ABSENT)]


def test_of_a_replaced_attribute_everything_is_managed():
    declared: dict[str, Json] = {"data": {"a": 1, "b": 2}, "meta": {"c": 3}, "overlap": 2}
    managed = iterate_managed(declared, {"data"}, [("meta", "old")])
    assert [*map(format_path, managed)] == ["data", "meta.c", "overlap", "meta.old"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("overlap",), 1),
        (("data", "a", "c"), None),
        (("data", "a", "x"), ABSENT),
        (("data", "a", "b", "0"), ABSENT),
        (("meta", "x"), ABSENT),
        (("none",), ABSENT),
    ],
)
def test_a_path_is_looked_up_through_objects_only(path: tuple[str, ...], value: Maybe):
    assert get_value(LIVE, path) is value or get_value(LIVE, path) == value


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("meta.x", True),
        ("data.a.b.0", True),
        ("data.z.x.y", True),
        ("data.a.b", False),
        ("data.a.x", False),
        ("data.x.y", False),
        ("none.x", False),
        ("overlap", False),
    ],
)
def test_a_value_that_is_no_object_has_no_paths_inside(path: str, *, inside: bool):
    assert is_inside_value(LIVE, parse_path(path)) is inside


@pytest.mark.parametrize(
    ("base", "path", "value", "result"),
    [
        ({"a": 1}, ("a",), 2, {"a": 2}),
        ({"a": 1}, ("b", "c"), None, {"a": 1, "b": {"c": None}}),
        ({"a": 1}, ("a", "b"), 2, {"a": {"b": 2}}),
        (UNREADABLE, ("a",), 1, {"a": 1}),
        (ABSENT, (), 1, 1),
        ({"a": {"b": 1, "c": 2}}, ("a", "b"), ABSENT, {"a": {"c": 2}}),
        ({"a": {"b": 1}}, ("a", "b"), ABSENT, {"a": {}}),
        ({"a": 1}, ("a", "b"), ABSENT, {"a": 1}),
        ({"a": 1}, ("b", "c"), ABSENT, {"a": 1}),
        (None, ("a",), ABSENT, None),
        (ABSENT, ("a", "b"), ABSENT, ABSENT),
    ],
)
def test_a_value_is_set_or_removed_at_a_path(
    base: Side, path: tuple[str, ...], value: Maybe, result: Side
):
    assert set_value(base, path, value) == result


def test_setting_a_value_leaves_what_was_there_as_it_is():
    base: Json = {"a": {"b": 1}, "z": {"y": 1}}
    changed = set_value(base, ("a", "b"), 2)
    assert base == {"a": {"b": 1}, "z": {"y": 1}}
    assert str(changed) == "{'a': {'b': 2}, 'z': {'y': 1}}"


@pytest.mark.parametrize(
    ("path", "overlapping"),
    [
        ("data.a.b", "data.a.b"),
        ("data.a.b.c", "data.a.b"),
        ("data.a", "data.a.b"),
        ("data", "data.a.b"),
        ("overlap", "overlap"),
        ("data.a.c", None),
        ("data.ab", None),
        ("meta", None),
    ],
)
def test_an_index_finds_a_path_that_overlaps(path: str, overlapping: str | None):
    index = PathIndex(map(parse_path, ["data.a.b", "data.x"]))
    index.add(("overlap",))
    found = index.find_overlapping(parse_path(path))
    assert (found and format_path(found)) == overlapping


def test_of_several_overlapping_paths_the_one_around_the_others_is_found():
    index = PathIndex([("data", "a", "b"), ("data", "a")])
    assert index.find_overlapping(("data", "a", "b", "c")) == ("data", "a")
