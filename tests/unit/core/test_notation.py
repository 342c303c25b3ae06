"""How values and paths are written for people."""

from __future__ import annotations

import re

import pytest

from reconciler.core.notation import (
    format_ascii,
    format_beginning,
    format_path,
    format_value,
    list_first,
    measure_width,
    pad,
    parse_path,
    shorten,
)
from reconciler.core.values import ABSENT, Json, Maybe


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (ABSENT, "(absent)"),
        ("(absent)", '"(absent)"'),
        (None, "null"),
        (True, "true"),
        (1.0, "1.0"),
        (10**20, "100000000000000000000"),
        ({"b": [1, None]}, '{"b": [1, null]}'),
        ("Gr\u00fc\u00dfe \U0001f600 \u4f60", '"Gr\u00fc\u00dfe \U0001f600 \u4f60"'),
        ("\x1b[31m", '"\\u001b[31m"'),
        ("\x7f\x9b", '"\\u007f\\u009b"'),
        ("a\u00a0b\u2003c\u3000d", '"a\\u00a0b\\u2003c\\u3000d"'),
        ("\u200b\u200d\ufeff\u202e", '"\\u200b\\u200d\\ufeff\\u202e"'),
        ("\u2028\u2029\ue000\ud800", '"\\u2028\\u2029\\ue000\\ud800"'),
        ("\u3164\u115f\u2800\u034f", '"\\u3164\\u115f\\u2800\\u034f"'),
        ("line\nbreak\ttab", '"line\\nbreak\\ttab"'),
        ({"\x1b": 1}, '{"\\u001b": 1}'),
    ],
)
def test_a_value_is_written_as_json_with_all_that_cannot_be_seen_escaped(value: Maybe, text: str):
    assert format_value(value) == text


@pytest.mark.parametrize(
    "text",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, "I want"
        "\u0915\u094d\u200d\u0937",  # Devanagari, a half form
        "\U0001f469\u200d\U0001f4bb",  # a woman with a laptop
        "\U0001f469\U0001f3fd\u200d\u2695\ufe0f",  # a doctor
        "\u2764\ufe0f\u200d\U0001f525",  # a heart on fire
    ],
)
def test_a_joiner_that_a_script_or_an_emoji_needs_is_text(text: str):
    assert format_value(text) == f'"{text}"'


@pytest.mark.parametrize("joiner", ["\u200c", "\u200d"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "\u0645"),
        ("\u0645", ""),
        ("a", "b"),
        ("\u0645", " "),
        ("\u0645", "a"),
        ("\u0645", "\u200c"),
        ("a", "\U0001f4bb"),
        ("\U0001f4bb", "1"),
    ],
)
def test_a_joiner_elsewhere_is_escaped(joiner: str, before: str, after: str):
    written = format_value(f"{before}{joiner}{after}")
    assert f"\\u{ord(joiner):04x}" in written


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("\u4f60\u597d", 4), ("e\u0301", 1), ("\U0001f469\u200d\U0001f4bb", 2), ("", 0)],
)
def test_text_is_padded_to_the_columns_of_a_terminal(text: str, width: int):
    assert measure_width(text) == width
    assert pad(text, 6) == text + " " * (6 - width)


def test_where_values_look_alike_they_are_written_in_ascii():
    assert format_ascii("caf\u00e9") == '"caf\\u00e9"'
    assert format_ascii(ABSENT) == "(absent)"


PATHS = [
    (("data",), "data"),
    (("data", "image", "url"), "data.image.url"),
    (("data", "a.b"), 'data["a.b"]'),
    (("data", ""), 'data[""]'),
    (("data", 'x"y\\z'), 'data["x\\"y\\\\z"]'),
    (("data", "[0]", "c"), 'data["[0]"].c'),
    (("data", "two words"), 'data["two words"]'),
    (("data", "caf\u00e9"), 'data["caf\u00e9"]'),
    (("data", "\n\u202e"), 'data["\\n\\u202e"]'),
    (("data", "$undefined$", "x-1", "@id"), "data.$undefined$.x-1.@id"),
]


@pytest.mark.parametrize(("path", "text"), PATHS)
def test_a_path_is_written_so_that_it_can_be_read_again(path: tuple[str, ...], text: str):
    assert format_path(path) == text
    assert parse_path(text) == path


def test_places_in_lists_are_numbers_in_brackets():
    assert format_path(("tasks", 0, "data", "a.b", 3)) == 'tasks[0].data["a.b"][3]'
    assert format_path((3, "weight")) == "[3].weight"


def test_keys_that_are_not_bare_can_be_read_without_quotes():
    assert parse_path("data.caf\u00e9.two words") == ("data", "caf\u00e9", "two words")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "data.",
        ".data",
        "data..b",
        "data[",
        "data[0]",
        'data["a',
        'data."a"',
        "data]",
        "[]",
    ],
)
def test_what_is_no_path_is_refused(text: str):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        parse_path(text)


def test_a_long_text_is_cut_in_its_middle():
    assert shorten("a" * 60) == "a" * 60
    assert shorten("a" * 40 + "b" * 40) == "a" * 29 + "\u2026" + "b" * 29


@pytest.mark.parametrize("value", ["x" * 6, "x" * 7, "x" * 8, ["x" * 4], ["x" * 5], {"x" * 9: 1}])
def test_the_beginning_of_a_value_is_that_of_the_whole(value: Json):
    whole, beginning = format_value(value), format_beginning(value, 8)
    assert beginning[:8] == whole[:8]
    assert (len(beginning) > 8) is (len(whole) > 8)


def test_both_ends_of_a_long_text_are_as_long_as_there_is_room_for():
    assert shorten("abcdefghij", 9) == "abcd\u2026ghij"
    assert shorten("abcdefghij", 8) == "abc\u2026hij"


def test_the_first_of_many_texts_are_listed_and_the_others_counted():
    assert list_first(["a", "b"], 2) == "a, b"
    assert list_first(["a", "b", *"c" * 1_203], 2) == "a, b and 1,203 more"
