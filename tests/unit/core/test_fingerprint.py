"""What fingerprints tell apart, and where they do not commit themselves."""

from __future__ import annotations

import pytest

from reconciler.core.fingerprint import SHAPES_MAX, Fingerprints
from reconciler.core.values import Json


def held(declared: dict[str, Json], live: dict[str, Json], *whole: str) -> bool:
    fingerprints = Fingerprints()
    fingerprints.add(declared, frozenset(whole))
    return fingerprints.hold(0, live)


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        (1, True),
        (0, False),
        (None, "null"),
        ("1", 1),
        ([1], [True]),
        ({}, []),
        ({}, None),
        ({"b": 1}, {"b": 2}),
        ({"b": {"c": 1}}, {"b": {"d": 1}}),
        ({"b": {}}, {"b": "text"}),
        ({"b": 1, "c": 1}, {"b": 1}),
        ([], {}),
        ("a", "b"),
    ],
)
def test_values_that_differ_are_not_held(declared: Json, live: Json):
    assert held({"data": {"a": declared}}, {"data": {"a": declared}})
    assert not held({"data": {"a": declared}}, {"data": {"a": live}})


@pytest.mark.parametrize("live", [{}, {"data": None}, {"data": ["a"]}, {"data": "a"}])
def test_a_task_without_what_is_declared_is_not_held(live: dict[str, Json]):
    assert not held({"data": {"a": 1}}, live)


def test_equal_values_that_are_written_differently_are_left_to_be_compared_in_full():
    assert not held({"data": {"a": 1}}, {"data": {"a": 1.0}})
    assert not held({"data": {"a": [{"b": 1, "c": 2}]}}, {"data": {"a": [{"c": 2, "b": 1}]}})


def test_other_keys_are_not_managed_unless_the_object_is_replaced():
    assert held({"data": {"a": 1}}, {"data": {"b": 2, "a": 1}})
    assert not held({"data": {"a": 1}}, {"data": {"b": 2, "a": 1}}, "data")


def test_a_policy_counts_for_the_declarations_that_it_is_given_with():
    fingerprints = Fingerprints()
    for whole in ((), ("data",), ()):
        fingerprints.add({"data": {"a": 1}}, frozenset(whole))
    live: Json = {"a": 1, "b": 2}
    assert [fingerprints.hold(place, {"data": live}) for place in range(3)] == [True, False, True]


def test_lone_surrogates_have_no_fingerprint():
    assert not held({"data": {"a": "x"}}, {"data": {"a": "\ud800"}})


def test_values_that_go_from_a_text_to_an_object_and_back_are_all_held():
    values: list[Json] = ["a", {"b": 1}, "c", {"b": 2}, {}, {"d": {"b": 1}}]
    fingerprints = Fingerprints()
    for value in values:
        fingerprints.add({"data": {"a": value}}, frozenset())
    for place, value in enumerate(values):
        assert fingerprints.hold(place, {"data": {"a": value}})


@pytest.mark.parametrize(
    ("first", "then", "live"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, {"a": 1}),
        ({"a": 1}, {"a": 1, "b": 2}, {"a": 1, "b": 3}),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}),
        ({"a": 1}, None, {"a": 1}),
    ],
)
def test_what_is_declared_beyond_the_declaration_before_counts(first: Json, then: Json, live: Json):
    fingerprints = Fingerprints()
    for value in (first, then):
        fingerprints.add({"meta": value}, ())
    assert fingerprints.hold(1, {"meta": then})
    assert not fingerprints.hold(1, {"meta": live})


def test_tasks_of_more_shapes_than_are_numbered_are_compared_in_full():
    fingerprints = Fingerprints()
    many: list[dict[str, Json]] = [{"data": {str(n): n}} for n in range(SHAPES_MAX + 3)]
    for declared in many:
        fingerprints.add(declared, frozenset())
    fingerprints.add(many[0], frozenset())
    known = [fingerprints.hold(place, live) for place, live in enumerate([*many, many[0]])]
    assert known == [True] * SHAPES_MAX + [False] * 3 + [True]


def test_a_part_holds_what_the_whole_held():
    fingerprints = Fingerprints()
    for number in range(5):
        fingerprints.add({"overlap": number}, frozenset())
    fingerprints.add_unknown()
    part = fingerprints.at([4, 5, 1])
    lives: list[dict[str, Json]] = [{"overlap": 4}, {"overlap": 5}, {"overlap": 1}]
    assert [part.hold(place, live) for place, live in enumerate(lives)] == [True, False, True]
