"""Answers are decoded quickly, and never otherwise than with patience."""

from __future__ import annotations

import json
import math
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.values import Json
from reconciler.errors import NotLabelStudio
from reconciler.labelstudio.response import Response
from reconciler.labelstudio.secret_values import Secrets

ESCAPED = st.integers(0, 0xFFFF).map(lambda unit: f"\\u{unit:04x}") | st.sampled_from(
    ["\\ud800", "\\udfff", "\\ud83d\\ude00", "\\ude00\\ud83d", "\\u0000", '\\"', "\\\\", "\\/"]
)
PLAIN = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\')
STRINGS = st.lists(ESCAPED | PLAIN, max_size=6).map(lambda parts: '"' + "".join(parts) + '"')
DIGITS = st.text("0123456789", min_size=1, max_size=30)
WHOLE = st.integers().map(str) | st.integers(-(10**400), 10**400).map(str) | st.just("-0")
NUMBERS = WHOLE | st.builds(
    lambda whole, part, exponent: f"{whole}{part}{exponent}",
    WHOLE,
    DIGITS.map(".{}".format) | st.just(""),
    st.builds("{}{}".format, st.sampled_from(["e", "E", "e+", "e-"]), st.integers(0, 420))
    | st.just(""),
)
WORDS = st.sampled_from(["null", "true", "false"])
SPACE = st.sampled_from(["", " ", "\n\t", "\r "])
KEYS = st.sampled_from(['"a"', '"b"', '"\\u0061"', '""']) | STRINGS


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Objects in which keys may come twice."""
    pairs = st.builds("{}{}:{}".format, KEYS, SPACE, inner)
    return st.lists(pairs, max_size=5).map(lambda found: "{" + ",".join(found) + "}")


def lists(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda space, found: f"[{space}" + f"{space},".join(found) + "]",
        SPACE,
        st.lists(inner, max_size=5),
    )


TEXTS = st.recursive(
    NUMBERS | STRINGS | WORDS, lambda inner: objects(inner) | lists(inner), max_leaves=15
)


def decoded(content: bytes) -> Json:
    request = httpx.Request("GET", "http://label-studio.test/api/tasks/1/")
    headers = {"content-type": "application/json"}
    response = httpx.Response(200, content=content, headers=headers, request=request)
    return Response(response, content, "", Secrets()).json()


def patiently(content: bytes) -> Json:
    def refused(name: str) -> float:
        raise ValueError(name)

    def finite(text: str) -> float:
        return float(text) if math.isfinite(float(text)) else refused(text)

    found: Json = json.loads(content, parse_constant=refused, parse_float=finite)
    return found


def assert_alike(content: bytes) -> None:
    try:
        expected = patiently(content)
    except (ValueError, RecursionError):
        with pytest.raises(NotLabelStudio, match="JSON that cannot be parsed"):
            decoded(content)
    else:
        # By types and by all digits, and in the order of the keys.
        assert repr(decoded(content)) == repr(expected)


@given(TEXTS, SPACE)
@example("1e-400", "")
@example("1e400", "")
@example("-1E400", "")
@example("0.1", "")
@example("-0.0", "")
@example("123456789012345678", "")
@example("18446744073709551616", "")
@example("-9223372036854775809", "")
@example("9" * 400, "")
@example("9" * 4301, "")
@example('"\\ud800"', "")
@example('"\\ud800abcdef"', "")
@example('"\\ud800\\u0041"', "")
@example('"\\udc00\\ud800"', "")
@example('{"a": 1, "b": 2, "a": 3}', "")
@example('{"a": 1, "\\u0061": 2}', "")
def test_every_json_text_is_decoded_as_python_itself_does(text: str, space: str):
    assert_alike(f"{space}{text}{space}".encode())


@given(TEXTS, st.data())
def test_what_is_nearly_json_is_refused_where_python_refuses_it(text: str, data: st.DataObject):
    content = text.encode()
    place = data.draw(st.integers(0, len(content)))
    put = data.draw(st.sampled_from([b"", b",", b"]", b"0", b"\xff", b"\xed\xa0\x80", b"\x00"]))
    assert_alike(content[:place] + put + content[place + data.draw(st.integers(0, 2)) :])


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "[1, NaN]", '{"a": -Infinity}', "1e999", "nan", "inf"]
)
def test_what_is_no_number_of_json_is_refused(text: str):
    with pytest.raises(NotLabelStudio, match="JSON that cannot be parsed"):
        decoded(text.encode())


@pytest.mark.parametrize("depth", [1, 100, 300, 900])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}")])
def test_deep_nesting_is_decoded_all_the_way_down(depth: int, begin: str, end: str):
    found: Any = decoded((begin * depth + "1" + end * depth).encode())
    for _ in range(depth):
        found = found[0] if begin == "[" else found["a"]
    assert found == 1


def test_nesting_without_end_is_refused():
    with pytest.raises(NotLabelStudio, match="JSON that cannot be parsed"):
        decoded(b"[" * 200_000 + b"]" * 200_000)
