"""Paths that are left out of declarations."""

from __future__ import annotations

import pytest

from reconciler.core.path_removal import drop_paths, keep_paths
from reconciler.core.values import Json


def test_what_is_dropped_takes_the_objects_that_it_empties():
    assert drop_paths({"data": {"a": {"b": 1}, "c": 2}}, [("data", "a", "b")]) == {"data": {"c": 2}}
    assert drop_paths({"meta": {"a": {"b": 1}}}, [("meta", "a", "b")]) == {}


@pytest.mark.parametrize("value", ["text", {}, [], None])
def test_what_stands_in_the_way_of_a_path_is_dropped_too(value: Json):
    # A rule that writes data.b.c would change an empty object as it would replace a string.
    left = drop_paths({"data": {"a": 1, "b": value}}, [("data", "b", "c")])

    assert left == {"data": {"a": 1}}


def test_what_is_beside_a_path_stays():
    assert drop_paths({"data": {"b": {"d": 1}}}, [("data", "b", "c")]) == {"data": {"b": {"d": 1}}}


def test_only_what_is_kept_stays():
    attributes: dict[str, Json] = {"data": {"a": {"b": 1, "c": 2}, "d": 3}, "overlap": 1}

    assert keep_paths(attributes, [("data", "a", "b"), ("overlap",), ("meta",)]) == {
        "data": {"a": {"b": 1}},
        "overlap": 1,
    }
