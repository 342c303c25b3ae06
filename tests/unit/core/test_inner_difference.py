"""What differs inside two lists or objects: near what is shown, and no further."""

from __future__ import annotations

import pytest

from reconciler.core.inner_difference import (
    Budget,
    count_common_run,
    find_first_differences,
    find_inner_differences,
)
from reconciler.core.values import ABSENT, Json


def found(before: Json, after: Json, budget: Budget | None = None) -> list[tuple[object, ...]]:
    differences = find_inner_differences(before, after, budget or Budget())
    return [(inner.path, inner.before, inner.after) for inner in differences]


@pytest.mark.parametrize(
    ("before", "after", "inner"),
    [
        ([1, 2], [1, 2, 3], [((2,), ABSENT, 3)]),
        ([1, 2], [2], [((0,), 1, ABSENT)]),
        ([{"a": 1, "b": 2}], [{"a": 1, "b": 3}], [((0, "b"), 2, 3)]),
        ([{"a": 1}], [{}], [((0, "a"), 1, ABSENT)]),
        ([True, False], [1, 0], [((0,), True, 1), ((1,), False, 0)]),
        ([], [{"a": True, "b": [False]}], [((0,), ABSENT, {"a": True, "b": [False]})]),
        ([{"__a": 1}], [{"__a": 2}], [((0, "__a"), 1, 2)]),
        ([[True]], [[False]], [((0, 0), True, False)]),
        ([True], ["True"], [((0,), True, "True")]),
        ([1, {"a": True}], [1.0, {"a": 1}], [((1, "a"), True, 1)]),
        ([1e30, 1], [10**30, 2], [((1,), 1, 2)]),
        ([None], [0], [((0,), None, 0)]),
        (["x"], [["x"]], [((0,), "x", ["x"])]),
    ],
)
def test_two_lists_differ_in_elements_and_in_what_is_inside_them(
    before: list[Json], after: list[Json], inner: list[tuple[object, ...]]
):
    assert repr(found(before, after)) == repr(inner)  # repr tells True from 1, which == does not


NUMBERS: list[Json] = list(range(10_000))
BOXES: list[Json] = [{"x": n, "y": n / 2, "w": 10, "h": 20} for n in range(3_000)]
MOVED: list[Json] = [{"x": n + 1, "y": n / 2, "w": 10, "h": 20} for n in range(3_000)]


@pytest.mark.parametrize(
    ("before", "after", "inner"),
    [
        ([*NUMBERS, 1], [*NUMBERS, 2], [((10_000,), 1, 2)]),
        (NUMBERS, [*NUMBERS[:70], *NUMBERS[72:]], [((70,), 70, ABSENT), ((71,), 71, ABSENT)]),
        (NUMBERS, [*NUMBERS[:5], "new", *NUMBERS[5:]], [((5,), ABSENT, "new")]),
        (
            [*BOXES[:7], *BOXES[8:]],
            [*BOXES[:2_000], *BOXES[2_001:]],
            [((7,), ABSENT, BOXES[7]), ((1_999,), BOXES[2_000], ABSENT)],
        ),
        ([0, 1] * 5_000, [0, 1] * 2_000 + [1] + [0, 1] * 3_000, [((4_000,), ABSENT, 1)]),
        (["moved", *NUMBERS], [*NUMBERS, "moved"],
         [((0,), "moved", ABSENT), ((10_000,), ABSENT, "moved")]),
        ([NUMBERS, [NUMBERS]], [NUMBERS, [[*NUMBERS, 0]]], [((1, 0, 10_000), ABSENT, 0)]),
        ([True] * 100, [*[True] * 99, 1], [((99,), True, 1)]),
        ([1.0, 1e30] * 50, [1, 10**30] * 50, []),
        ([{"b": 1, "a": 2}] * 99 + [0], [{"a": 2, "b": 1}] * 99 + [1], [((99,), 0, 1)]),
        (
            [*"abcd", *NUMBERS],
            [*"dbac", *NUMBERS],
            [((0,), "a", "d"), ((2,), ABSENT, "a"), ((3,), "d", ABSENT)],
        ),
        ({"a": 0, "b": 1}, {"a": 0, "c": 1}, [(("b",), 1, ABSENT), (("c",), ABSENT, 1)]),
        ({"a": 1}, {"b": 1}, [((), {"a": 1}, {"b": 1})]),
        ({"a": True, "b": 0}, {"a": 1, "b": 0}, [(("a",), True, 1)]),
        (["\ud800", *NUMBERS], ["\ud801", *NUMBERS], [((0,), "\ud800", "\ud801")]),
        (["x" * 5_000 + "\n"], ["x" * 5_000], [((0,), "x" * 5_000 + "\n", "x" * 5_000)]),
    ],
)  # fmt: skip
def test_long_lists_are_aligned_where_they_differ(
    before: Json, after: Json, inner: list[tuple[object, ...]]
):
    assert repr(found(before, after)) == repr(inner)


@pytest.mark.parametrize(
    ("before", "after", "small"),
    [
        ([1], [2], True),
        (NUMBERS, [1], False),
        ([1], NUMBERS, False),
        (["x" * 5_000], ["x"], False),
        ([{"k" * 5_000: 1}], [{"k" * 5_000: 2}], False),
    ],
)
def test_only_small_lists_are_compared_without_counting(before: Json, after: Json, *, small: bool):
    budget = Budget()
    assert found(before, after, budget)
    assert (budget.made == 0) is small


def test_differences_are_found_one_by_one():
    budget = Budget()
    before: Json = [{"boxes": BOXES}]
    after: Json = [{"boxes": MOVED}]
    first = next(find_inner_differences(before, after, budget))
    assert (first.path, first.before, first.after) == ((0, "boxes", 0, "x"), 0, 1)
    assert budget.made < 200


def test_what_is_alike_is_passed_many_elements_at_once():
    budget = Budget()
    assert found([*BOXES, 1], [*BOXES, 2], budget) == [((3_000,), 1, 2)]
    assert budget.made < 200


def test_nothing_is_looked_for_beyond_the_budget_and_it_says_so():
    budget = Budget(left=1_000)
    some = found(BOXES, MOVED, budget)
    assert 100 < len(some) < 1_000
    assert budget.spent
    assert budget.made <= 1_100
    assert some == [((n, "x"), n, n + 1) for n in range(len(some))]


def test_what_was_not_looked_at_is_not_taken_for_removed():
    budget = Budget(left=50)
    assert all(after is not ABSENT for _, _, after in found([*BOXES, 1], MOVED, budget))
    assert budget.spent


def test_lists_may_be_nested_deeper_than_functions_are_called():
    before: Json = 1
    after: Json = 2
    for _ in range(5_000):
        before, after = [before, 0], [after, 0]
    [(path, *sides)] = found(before, after)
    assert len(path) == 5_000  # type: ignore[arg-type]
    assert sides == [1, 2]


@pytest.mark.parametrize("room", range(12))
@pytest.mark.parametrize("most", [1, 4, 64])
def test_a_common_run_is_as_long_as_what_is_alike(room: int, most: int):
    for length in range(room + 1):

        def alike(past: int, count: int, length: int = length) -> bool:
            assert past + count <= room
            return past + count <= length

        assert count_common_run(alike, room, most=most) == length


def test_the_first_differences_are_told_and_the_others_counted():
    found = find_first_differences([*range(10)], [*range(10, 20)], 3)

    assert [inner.path for inner in found.first] == [(0,), (1,), (2,)]
    assert (found.others, found.counted) == (7, True)
    assert found.describe_others() == "and 7 more"


def test_all_differences_are_told_where_nothing_bounds_them():
    before: list[Json] = [*range(1_000)]
    after: list[Json] = [*range(-1_000, 0)]

    found = find_first_differences(before, after, None)

    assert len(found.first) == 1_000
    assert found.describe_others() == ""


def test_far_behind_the_first_difference_nothing_is_looked_for():
    before: list[Json] = [{"n": n} for n in range(100_000)]
    after: list[Json] = [{"n": -1}, *before[1:-1], {"n": -2}]

    found = find_first_differences(before, after, 1)

    assert [inner.path for inner in found.first] == [(0, "n")]
    assert not found.counted
    assert found.describe_others() in {"there may be more", "and at least 1 more"}
