"""What the writers write, read by four readers: ours, PyYAML, ruamel.yaml and npm's yaml."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from reconciler.core.values import Json
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.yaml_reader import read_yaml
from reconciler.manifest.writers.yaml_scalars import format_text
from reconciler.manifest.writers.yaml_values import format_entry, format_flow
from tests.node_yaml import NodeYaml
from tests.properties.documents import MANY, only, strict, values, whole

TEXTS = """\
no|NO|yes|y|N|on|Off|true|null|Null|~|nan|.nan|.inf|-.inf|1|-1|+1|0|012|0o14|0x1F|0b1
1_000|1:30|1:30:00|1e3
1.0e+3|.5|1.|-|--|---|...|- a|-a|a -|? a|?|a ?|: a|:|a:|a: b|a:b|a :b|# a|a #b|a#b|a, b|,
[|]|{|}|[a]|{a}|!|!a|! a
a !|!!str a|&a|& a|*a|* a|a & b|a * b|@a|`a|%a|a%|a@b|"|"a"|a "b"|'|'a'|it's|\\|a\\b|<<|=
a=b|>|> a|a > b|||| a|a | b
2026-10-01|2026-10-01T00:00:00Z|s3://bucket/x y.jpg|https://a.b/c?d=e&f=g#h|C:\\x|a\tb| a
a |a  b|é|日本語|नमस्ते|مرحبا
می‌خواهم|👨‍👩‍👧|\u200e|\ufeff|\x85|\u2028|\u2029|\xa0|\x7f|\x1b[31m|\ufffe|\U0010ffff
\ue000|a_b|_a|x-000102|A.b/c
"""
ODD_TEXTS = [text for line in TEXTS.splitlines() for text in line.split("|")]
LINES = [
    *("a\nb", "a\nb\n", "a\nb\n\n", "\na", "a\n\nb", " a\nb", "a\n b", "a \nb", "\ta\nb", "a\n\tb"),
    *("a\nb\t", "\n", "\n\n", "a\n", "a\r\nb", "# a\n# b", "- a\n- b", "a: b\nc: d", "---\n...\n"),
    *("می‌خواهم\n👨‍👩‍👧", "a\x85b\n", "%a\n%b", "|\n>", "'\n\"", "{\n}", "a\n" * 3 + "b"),
]
DEEP: Json = [[[[{"a": [[], {}, [{}], {"b": [1, [2, {"c": "d\ne"}]]}]}]]], {"x": {"y": {"z": []}}}]
SOME = settings(MANY, max_examples=150)
texts = st.sampled_from([*ODD_TEXTS, *LINES]) | st.text(
    st.sampled_from([*"ab \n\t:#-,[]{}'\"|>&*!%@?=~.0e+\\", "é", "\u200d", "\x85", "😀"])
    | st.characters(codec="utf-8", exclude_characters="\0"),
    max_size=8,
)
inner = st.recursive(
    values | texts,
    lambda part: st.lists(part, max_size=4) | st.dictionaries(texts, part, max_size=4),
    max_leaves=8,
)
objects = st.dictionaries(texts, inner, max_size=4)


@pytest.fixture(scope="module")
def node(request: pytest.FixtureRequest) -> Iterator[NodeYaml]:
    with NodeYaml.install(request.config.cache.mkdir("node-yaml")) as reader:
        yield reader


def write(value: dict[str, Json]) -> str:
    """Write a value in a block and in a flow, as two elements of a list."""
    return f"- {format_entry('block', value, indent=2)}- {{flow: {format_flow(value)}}}\n"


def read_by_us(text: str) -> Json:
    diagnostics = Diagnostics("test.yaml")
    return whole(only(read_yaml(text, diagnostics), diagnostics))


def read_by_ruamel(text: str) -> Json:
    value: Json = YAML(typ="safe", pure=True).load(io.StringIO(text))
    return value


@SOME
@given(value=objects)
@example(value={text: text for text in [*ODD_TEXTS, *LINES]})
@example(value={"deep": DEEP, "lists": [[["a\nb"]], [[]], [{}], ["a\nb\n", {"c": "d\ne"}]]})
@example(value={"k" * 990: 1, "l" * 1100: {"m\n" * 600: [1, "a\nb"]}, "": {"": ""}})
@example(value={"n": [1e30, 1e-7, -0.0, 1.0, 5e-324, 1.7976931348623157e308, 10**40, -1, 1e16]})
def test_three_readers_in_python_read_what_was_written(value: dict[str, Json]):
    written = write(value)
    expected = strict([{"block": value}, {"flow": value}])

    assert strict(read_by_us(written)) == expected
    assert strict(yaml.safe_load(written)) == expected
    assert strict(yaml.load(written, Loader=yaml.CSafeLoader)) == expected
    assert strict(read_by_ruamel(written)) == expected


@SOME
@given(value=objects)
@example(value={text: text for text in [*ODD_TEXTS, *LINES]})
@example(value={"deep": DEEP, "lists": [[["a\nb"]], [[]], [{}], ["a\nb\n", {"c": "d\ne"}]]})
@example(value={"k" * 990: 1, "l" * 1100: {"m\n" * 600: [1, "a\nb"]}, "": {"": ""}})
def test_the_reader_of_npm_reads_what_was_written(node: NodeYaml, value: dict[str, Json]):
    written = write(value)

    expected = strict([{"block": value}, {"flow": value}])

    assert strict(node.read(written, version="1.2")) == expected
    assert strict(node.read(written, version="1.1")) == expected


@MANY
@given(value=objects)
@example(value={"a": "b\nc\n", "d": ["e\nf"]})
def test_lines_end_without_a_space_and_hold_no_control_characters(value: dict[str, Json]):
    written = format_entry("a", value, indent=0)

    assert written.endswith("\n")
    assert not re.search(r"[ ]$", written, re.MULTILINE)
    assert all(c in "\n\t\u200c\u200d" or c.isprintable() for c in written)


@pytest.mark.parametrize(
    "text",
    ["A sentence.", "s3://bucket/x.jpg", "it's 5 o'clock (or so)", "x-000102", "日本語", "a, b"],
)
def test_plain_text_stays_plain(text: str):
    assert format_text(text) == text


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "a\n\udfff"])
def test_what_no_manifest_can_hold_is_refused(text: str):
    with pytest.raises(ValueError, match=r"no manifest can hold U\+(0000|D800|DFFF)"):
        format_entry("a", {"b": [text]}, indent=0)


def test_values_are_written_for_people():
    value: Json = {
        "text": "A sentence.",
        "story": "Once upon a time\nthere was a task.\n",
        "boxes": [{"x": 1, "y": 2.5}, {"x": 3, "labels": ["cat", "no"]}],
        "nothing": None,
        "empty": [{}, []],
    }

    assert (
        format_entry("data", value, indent=0)
        == """\
data:
  text: A sentence.
  story: |
    Once upon a time
    there was a task.
  boxes:
    - x: 1
      "y": 2.5
    - x: 3
      labels:
        - cat
        - "no"
  nothing: null
  empty:
    - {}
    - []
"""
    )
    assert json.loads(json.dumps(read_by_us(format_flow(value)))) == value
