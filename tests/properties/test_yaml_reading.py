"""YAML, over texts that nobody would think of: read as YAML 1.2 says."""

from __future__ import annotations

import re

import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from reconciler.core.values import Json
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import MAX_DEPTH
from reconciler.manifest.readers.yaml_reader import read_yaml
from tests.properties.documents import MANY, only, places, strict, values, whole
from tests.properties.yaml_reference import reference
from tests.properties.yaml_texts import mutated

# PyYAML leaves unquoted what YAML 1.1 takes for a string. Of that, YAML 1.2 takes these for
# numbers: its octals, and reals without a dot or without a sign in the exponent.
ONLY_IN_1_2 = re.compile(
    r"0o[0-7]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?[0-9]+"
)
# PyYAML writes these as they are inside quotes, as the ends of lines that they are in YAML 1.1.
LINE_ENDS_OF_1_1 = re.compile("[\x85\u2028\u2029]")


def reads_alike_in_1_1_and_1_2(value: Json) -> bool:
    if isinstance(value, dict):
        return all(map(reads_alike_in_1_1_and_1_2, [*value, *value.values()]))
    if isinstance(value, list):
        return all(map(reads_alike_in_1_1_and_1_2, value))
    if isinstance(value, str):
        return not ONLY_IN_1_2.fullmatch(value) and not LINE_ENDS_OF_1_1.search(value)
    return True


@MANY
@given(
    value=values,
    unicode=st.booleans(),
    flow=st.sampled_from([True, False, None]),
    width=st.sampled_from([20, 80, 9999]),
)
@example(value="no", unicode=True, flow=False, width=80)
@example(value={"on": "2026-10-01", "1:30": "~", "=": "<<"}, unicode=True, flow=False, width=80)
def test_yaml_is_read_back_as_it_was_written(
    *, value: Json, unicode: bool, flow: bool | None, width: int
):
    assume(reads_alike_in_1_1_and_1_2(value))
    text = yaml.dump(value, allow_unicode=unicode, default_flow_style=flow, width=width)
    diagnostics = Diagnostics("a.yaml")
    document = only(read_yaml(text, diagnostics), diagnostics)
    assert strict(whole(document)) == strict(value)


def check_against_reference(text: str) -> None:
    diagnostics = Diagnostics("a.yaml")
    documents = read_yaml(text, diagnostics)
    expected = reference(text)
    if expected is None:
        assert diagnostics.problems
        return
    assert diagnostics.problems == []
    assert [strict(document.assemble()) for document in documents] == [
        strict(read.value) for read in expected
    ]
    assert [places(document) for document in documents] == [r.places for r in expected]


@settings(MANY, max_examples=1000)
@given(mutated())
@example("{a: &a {x: [1, 2]}, b: *a, c: [*a, *a]}")
@example("a: &a [&b x, *b]\nb: {*b : *a}\n")
@example("[" * MAX_DEPTH + "]" * MAX_DEPTH)
@example("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
@example("- &a [" + "[" * 59 + "]" * 60 + "\n- " + "[" * 40 + "*a" + "]" * 40)
@example("- &a [" + "[" * 59 + "]" * 59 + ", &b 1]\n- " + "[" * 40 + "*a" + "]" * 40)
@example("- &a [" + "[" * 59 + "]" * 60 + "\n- " + "[" * 39 + "*a" + "]" * 39)
def test_the_reader_agrees_with_a_slow_reference(text: str):
    check_against_reference(text)
