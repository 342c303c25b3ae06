"""What differs never prints alike."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.core.inner_difference import Budget, find_inner_differences
from reconciler.core.values import ABSENT, Json, Maybe, is_same
from reconciler.renderers.change_lines import format_change
from reconciler.renderers.style import Style
from tests.unit.core.generating import VALUES

bounded = settings(max_examples=200, deadline=None, derandomize=True)

ALIKE = st.text(
    st.sampled_from(
        "\u0647\u200c\u200d\u0627\U0001f4bb"
        "aA\u0430\u0391\uff21e\u00e9\u0301 \u00a0\u2003\u200b\u2060\ufe0f\n\\\"'\x00\ud800"
    ),
    max_size=8,
)
LONG = st.builds(
    lambda start, middle, end: "s" * start + middle + "e" * end,
    st.integers(0, 700),
    ALIKE,
    st.integers(0, 700),
)
TEXTS = ALIKE | LONG
NESTED = VALUES | TEXTS | st.lists(VALUES | TEXTS | st.booleans(), max_size=4)
COLORED = Style(color=True)
REMOVED, ADDED = (re.compile(rf"\x1b\[{code}m([^\x1b]*)\x1b\[0m") for code in ("31", "32"))


def texts(pattern: re.Pattern[str], lines: list[str]) -> list[str]:
    """What is written in one colour, without the marks before it."""
    return [text for text in pattern.findall("\n".join(lines)) if text not in {"+", "-"}]


def looks(text: str) -> str:
    """What is left of a text for the eye."""
    seen = unicodedata.normalize("NFKC", text)
    return "".join(c for c in seen if unicodedata.category(c)[0] not in "CZ" or c == " ")


def assert_unlike(before: Maybe, after: Maybe, *, full: bool) -> None:
    lines = format_change(before, after, style=COLORED, full=full)
    removed, added = texts(REMOVED, lines), texts(ADDED, lines)
    assert removed or added
    for line in lines:
        both = texts(REMOVED, [line]), texts(ADDED, [line])
        assert not all(both) or looks(both[0][0]) != looks(both[1][0])
    if len(lines) == 1 or len(removed) == len(added) == 1:
        assert list(map(looks, removed)) != list(map(looks, added))


@bounded
@given(NESTED | st.just(ABSENT), NESTED | st.just(ABSENT), st.booleans())
def test_two_values_that_differ_are_written_apart(before: Maybe, after: Maybe, full: bool):  # noqa: FBT001 - as given
    assume(not is_same(before, after))
    assert_unlike(before, after, full=full)


@bounded
@given(TEXTS, TEXTS, st.booleans())
def test_two_texts_that_differ_are_written_apart(before: str, after: str, full: bool):  # noqa: FBT001 - as given
    assume(before != after)
    assert_unlike(before, after, full=full)


@bounded
@given(st.lists(NESTED, max_size=4), NESTED, NESTED, st.booleans())
def test_one_element_that_differs_is_found_in_a_list(
    others: list[Json],
    before: Json,
    after: Json,
    full: bool,  # noqa: FBT001 - as given
):
    assume(not is_same(before, after))
    assert_unlike([*others, before, 1], [*others, after, 1], full=full)


@bounded
@given(NESTED | st.just(ABSENT), NESTED | st.just(ABSENT), st.booleans())
def test_no_value_steers_the_terminal(before: Maybe, after: Maybe, full: bool):  # noqa: FBT001 - as given
    assume(not is_same(before, after))
    for line in format_change(before, after, style=Style(), full=full):
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", line)


LARGE = st.builds(
    lambda elements, times, other, nested: _inside(
        [*elements * times, other, *elements * times], nested
    ),
    st.lists(NESTED, max_size=3),
    st.integers(0, 40),
    NESTED,
    st.lists(st.booleans(), max_size=12),
)


def _inside(value: Json, nested: list[bool]) -> Json:
    for as_list in nested:
        value = [1, value] if as_list else {"k": value, "n": 1}
    return value


def size(value: Maybe) -> int:
    """How many values are in a value, itself included."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(size, inside))


@bounded
@given(LARGE, LARGE, st.booleans())
def test_large_values_that_differ_are_written_apart(before: Json, after: Json, full: bool):  # noqa: FBT001 - as given
    assume(not is_same(before, after))
    assert_unlike(before, after, full=full)


@bounded
@given(LARGE | NESTED, LARGE | NESTED)
def test_what_is_found_inside_differs_and_nothing_else_does(before: Json, after: Json):
    found = list(find_inner_differences(before, after, Budget()))
    assert bool(found) is not is_same(before, after)
    assert not any(is_same(inner.before, inner.after) for inner in found)
    assert len({(inner.path, inner.after is ABSENT) for inner in found}) == len(found)


@bounded
@given(LARGE, LARGE)
def test_finding_all_that_differs_takes_no_more_steps_than_there_are_values(
    before: Json, after: Json
):
    budget = Budget()
    list(find_inner_differences(before, after, budget))
    assert budget.made <= 4 * (size(before) + size(after))


@bounded
@given(LARGE, LARGE, st.integers(0, 300))
def test_whatever_is_found_within_a_budget_is_what_comes_first(
    before: Json, after: Json, left: int
):
    budget = Budget(left)
    some = list(find_inner_differences(before, after, budget))
    all_of_it = list(find_inner_differences(before, after, Budget()))
    assert some == all_of_it[: len(some)]
    assert budget.spent or some == all_of_it
    assert budget.made <= left + 200


@bounded
@given(LARGE | LONG, LARGE | LONG)
def test_what_is_shown_is_bounded_whatever_the_values(before: Json, after: Json):
    lines = format_change(before, after, style=Style(), full=False)
    assert len(lines) <= 22
    assert all(len(line) <= 2 * 2_000 + 300 for line in lines)
