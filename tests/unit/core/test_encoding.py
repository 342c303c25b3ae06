"""JSON text: the same for digests for ever, ASCII for whatever prints it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.core.encoding import encode, encode_canonical, encode_indented
from reconciler.core.values import Json, is_same
from tests.unit.core.generating import VALUES

bounded = settings(max_examples=500, deadline=None, derandomize=True)
ODD = st.text(st.sampled_from('a1e.0-,:[]{}"\\\n\x7f\x01\u00e9\u2028\U0001f600\ud800'), max_size=8)
ANY = VALUES | ODD | st.lists(ODD | VALUES, max_size=4) | st.dictionaries(ODD, VALUES, max_size=3)


def written_by_the_standard_library(value: Any) -> bytes:  # noqa: ANN401 - JSON
    """What digests have always been made of."""

    def canonical(inner: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(inner, list):
            return list(map(canonical, inner))
        if isinstance(inner, dict):
            return {key: canonical(member) for key, member in inner.items()}
        whole = isinstance(inner, float) and inner.is_integer()
        return int(Decimal(repr(inner))) if whole else inner

    return json.dumps(canonical(value), sort_keys=True, separators=(",", ":")).encode()


@bounded
@given(st.lists(ANY, max_size=4))
@example([[0.0, -0.0, 1.0, -10.0, 1e15, 1e16, 1e22, 1.5e300, 10**30]])
@example([1e22])
@example([1e-7])
@example([1e-5, 0.0001, 0.00012, 1e-7, 5e-324, -1.5e-7, 123456789.125])
@example([{"a": 1.0, "b": [2.0], "c": "x"}])
@example(["1.0,", 1.0])
@example(['a"1.0,', 1.0])
@example([{"b": "1e5", "a": -0.5, "0e": 0.05}])
@example(["\x7f", "\u00e9", "\U0001f600", "\ud800"])
@example([{"\U00010000": 1, "\uffff": 2, "a": 3}])
def test_canonical_text_is_that_of_the_standard_library(value: list[Json]):
    assert encode_canonical(value) == written_by_the_standard_library(value)


@bounded
@given(st.dictionaries(ODD, ANY, max_size=3))
@example({"a": "\x7f"})
@example({"a": "\ud800", "b": [1, {}]})
def test_a_document_is_ascii_and_reads_back_as_it_was(document: dict[str, Json]):
    text = encode_indented(document)
    assert text.isascii()
    assert "\x7f" not in text
    assert is_same(json.loads(text), json.loads(json.dumps(document)))


def test_a_document_is_indented():
    document: dict[str, Json] = {"a": [1, {"b": 'caf\u00e9 "x"\n'}], "c": {}, "d": []}
    assert encode_indented(document) == json.dumps(document, indent=2)
    half = {**document, "e": "\ud800"}
    assert encode_indented(half) == json.dumps(half, indent=2)


@pytest.mark.parametrize(
    ("left", "right"), [(1, 1.0), (1, True), (None, "null"), ("\ud800", "\ud801"), ([], {})]
)
def test_values_that_are_written_otherwise_have_other_texts(left: Json, right: Json):
    assert encode(left) != encode(right)
