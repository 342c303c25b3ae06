"""Two values written briefly: whatever differs shows."""

from __future__ import annotations

import pytest

from reconciler.core.contrast import (
    are_brief,
    are_short,
    find_differing,
    format_brief,
    format_whole,
)
from reconciler.core.values import ABSENT, UNREADABLE, Json, Side


@pytest.mark.parametrize(
    ("before", "after", "written"),
    [
        (1, "1", ("1", '"1"')),
        (ABSENT, None, ("(absent)", "null")),
        (UNREADABLE, {}, ("(unreadable)", "{}")),
        ("cafe", "caf\u0435", ('"cafe"', '"caf\\u0435"')),
        ([1], {"a": 1}, ("[1]", '{"a": 1}')),
    ],
)
def test_short_values_are_written_whole(before: Side, after: Side, written: tuple[str, str]):
    assert format_brief(before, after) == format_whole(before, after) == written


def test_long_texts_are_shown_around_what_differs():
    before, after = "s" * 100 + "old" + "e" * 100, "s" * 100 + "new" + "e" * 100

    assert find_differing(before, after)[0] == 100
    assert format_brief(before, after) == (
        f'"…{"s" * 24}old{"e" * 24}…"',
        f'"…{"s" * 24}new{"e" * 24}…"',
    )


@pytest.mark.parametrize(
    ("length", "hint", "note"),
    [
        (500, "", "(502 characters)"),
        (500, "there is more", "(502 characters, there is more)"),
        (5_000, "", "(more than 2,000 characters)"),
    ],
)
def test_what_is_cut_off_says_so(length: int, hint: str, note: str):
    given = {"hint": hint} if hint else {}
    _, new = format_brief(ABSENT, "v" * length, **given)
    old, _ = format_brief("v" * length, ABSENT, **given)

    assert old == new == f'"{"v" * 399}… {note}'


def test_what_stands_at_an_end_is_not_left_out():
    assert find_differing("old", "new") == (0, "old", "new")
    assert find_differing("s" * 25, "s" * 25 + "new") == (25, f"…{'s' * 24}", f"…{'s' * 24}new")
    assert find_differing("olde" + "e" * 24, "e" * 25) == (0, f"old{'e' * 24}…", f"{'e' * 24}…")


def test_one_side_that_is_too_long_is_enough_to_look_behind():
    before: Json = {"k": "v" * 1_990}
    after: Json = {"k": "v" * 1_990, "n": "more"}

    old, new = format_brief(before, after)

    assert old.endswith('v"}')
    assert new.endswith('v", "n": "more"}')


def test_values_that_differ_only_far_behind_are_shown_there():
    before: Json = {"k": "v" * 3_000, "n": 1}
    after: Json = {"k": "v" * 3_000, "n": 2}

    assert format_brief(before, after) == (f'…{"v" * 16}", "n": 1}}', f'…{"v" * 16}", "n": 2}}')


@pytest.mark.parametrize(("length", "short"), [(60, True), (61, False)])
def test_texts_are_short_up_to_a_length(length: int, short: bool):  # noqa: FBT001 - as given
    assert are_short("", "x" * length) is short


@pytest.mark.parametrize(("length", "brief"), [(398, True), (399, False)])
def test_values_are_brief_as_far_as_their_text_is(length: int, brief: bool):  # noqa: FBT001 - as given
    assert are_brief(1, "x" * length) is brief
