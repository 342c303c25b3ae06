"""Equality of JSON values, by example."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.core.values import ABSENT, DEPTH_MAX, Json, Maybe, is_same, is_too_deep


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0),
        (10**30, 1e30),
        (10**23, 1e23),
        (0, -0.0),
        (0.0, -0.0),
        (None, None),
        (ABSENT, ABSENT),
        ({"a": 1, "b": [2]}, {"b": [2.0], "a": 1.0}),
        ([[], {}], [[], {}]),
        ("caf\u00e9", "caf\u00e9"),
    ],
)
def test_what_json_writes_in_two_ways_is_the_same(left: Maybe, right: Maybe):
    assert is_same(left, right)
    assert is_same(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (True, 1),
        (False, 0),
        (True, 1.0),
        ([True], [1]),
        ({"a": False}, {"a": 0}),
        (1, "1"),
        (None, ABSENT),
        (None, False),
        (None, 0),
        (None, ""),
        ("", ABSENT),
        ([], {}),
        ([], None),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ({"a": None}, {}),
        ({"a": None}, {"b": None}),
        (2**53, 2**53 + 1),
        (2**53 + 1, float(2**53)),
        (10**30 + 1, 1e30),
        (0.1 + 0.2, 0.3),
        ("caf\u00e9", "cafe\u0301"),
        ("a", "A"),
    ],
)
def test_what_json_tells_apart_is_not_the_same(left: Maybe, right: Maybe):
    assert not is_same(left, right)
    assert not is_same(right, left)


def test_absence_says_what_it_is():
    assert repr(ABSENT) == "ABSENT"


@pytest.mark.parametrize(
    ("levels", "deep"), [(0, False), (1, False), (DEPTH_MAX, False), (DEPTH_MAX + 1, True)]
)
@pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: {"a": value, "b": 1}])
def test_values_nested_beyond_the_limit_are_too_deep(
    wrap: Callable[[Json], Json], levels: int, *, deep: bool
):
    value: Json = 1
    for _ in range(levels):
        value = wrap(value)
    assert is_too_deep(value) is deep
