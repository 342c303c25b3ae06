"""What the readers of manifests promise, over texts that nobody would think of."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import TypeAlias

import pytest
import yaml
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from reconciler.core.notation import format_path, parse_path
from reconciler.core.values import ABSENT, Json
from reconciler.manifest.readers.document import MAX_DEPTH, Diagnostics, MarkedDocument
from reconciler.manifest.readers.json_document import read_json_document
from reconciler.manifest.readers.json_lines_reader import read_json_lines
from reconciler.manifest.readers.json_parser import parse_json
from reconciler.manifest.readers.json_text import decode_quickly, encode
from reconciler.manifest.readers.lines import LineFile
from reconciler.manifest.readers.source_map import Steps
from reconciler.manifest.readers.text_document import TextDocument
from reconciler.manifest.readers.yaml_reader import read_yaml

Places: TypeAlias = dict[tuple[Steps, str], tuple[int, int]]
"""By steps and "key" or "value": line and column."""

MANY = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts
parts: st.SearchStrategy[Json] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=15,
)


lists_of_tasks = st.fixed_dictionaries({"version": scalars, "tasks": st.lists(parts, max_size=3)})
values: st.SearchStrategy[Json] = parts | lists_of_tasks


def strict(value: Json) -> str:
    """Write a value such that 1, 1.0 and true, and 0.0 and -0.0, differ."""
    return json.dumps(value, sort_keys=True)


AnyDocument: TypeAlias = MarkedDocument | TextDocument


def only(documents: Sequence[AnyDocument], diagnostics: Diagnostics) -> AnyDocument:
    assert diagnostics.problems == []
    (document,) = documents
    return document


def whole(document: AnyDocument) -> Json:
    """Give what a document says, its tasks in their place."""
    if isinstance(document, MarkedDocument):
        return document.whole()
    assert isinstance(document.outline, dict)
    return {**document.outline, "tasks": [task for _, task, _ in document.tasks()]}


def places(document: AnyDocument) -> Places:
    return dict(_places(document, whole(document), ()))


def _places(
    document: AnyDocument, value: Json, steps: Steps
) -> Iterator[tuple[tuple[Steps, str], tuple[int, int]]]:
    source = document.value_source(steps)
    yield (steps, "value"), (source.line, source.column)
    children = value.items() if isinstance(value, dict) else ()
    for key, inner in children:
        source = document.key_source((*steps, key))
        yield ((*steps, key), "key"), (source.line, source.column)
        yield from _places(document, inner, (*steps, key))
    for index, inner in enumerate(value if isinstance(value, list) else ()):
        yield from _places(document, inner, (*steps, index))


@MANY
@given(value=values, ascii_only=st.booleans(), indent=st.sampled_from([None, 0, 2, "\t"]))
def test_json_is_read_back_as_it_was_written(
    *, value: Json, ascii_only: bool, indent: int | str | None
):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    diagnostics = Diagnostics("a.json")
    document = only(parse_json(text, diagnostics), diagnostics)
    assert strict(whole(document)) == strict(value)

    lines = text.split("\n")
    for (steps, kind), (line, column) in places(document).items():
        rest = lines[line - 1][column - 1 :]
        if kind == "key":
            assert rest.startswith(json.dumps(steps[-1], ensure_ascii=ascii_only) + ":")
        else:
            assert rest.startswith(beginning(at(value, steps), ascii_only=ascii_only))


def at(value: Json, steps: Steps) -> Json:
    return reduce(getitem, steps, value)


def beginning(value: Json, *, ascii_only: bool) -> str:
    if isinstance(value, dict | list):
        return "{" if isinstance(value, dict) else "["
    return json.dumps(value, ensure_ascii=ascii_only)


@contextmanager
def file_of(text: str) -> Iterator[LineFile]:
    """Put text into a file: what is read of lines is looked up there again."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(text.encode("utf-8", "surrogateescape"))
        yield LineFile(Path(file.name))


@MANY
@given(
    st.lists(parts, max_size=4),
    st.sampled_from(["\n", "\r\n", "\n\n \n"]),
    st.sampled_from([(", ", ": "), (",", ":"), (" ,", " :")]),
)
def test_json_lines_read_like_the_document_that_they_stand_for(
    tasks: list[Json], end: str, separators: tuple[str, str]
):
    text = end.join(json.dumps(part, separators=separators) for part in [{"version": 1}, *tasks])
    diagnostics = Diagnostics("a.jsonl")
    with file_of(text) as file:
        document = only(read_json_lines(file, diagnostics), diagnostics)
        assert strict(whole(document)) == strict({"version": 1, "tasks": tasks})
        lines = text.split("\n")
        for index, task in enumerate(tasks):
            assert strict(document.task(index)) == strict(task)
            source = document.value_source(("tasks", index))
            written = json.dumps(task, separators=separators)
            assert lines[source.line - 1][source.column - 1 :].rstrip() == written


names_and_more = st.sampled_from(["a", "b", "key", "true", ":", '"', "\u00e9", "a b", "\\"])
named_parts: st.SearchStrategy[Json] = st.recursive(
    scalars | names_and_more,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names_and_more, inner, max_size=3),
    max_leaves=8,
)


@MANY
@given(task=named_parts, indent=st.sampled_from(["", " ", "\t \t"]), ascii_only=st.booleans())
def test_what_is_found_in_a_line_without_reading_it_is_where_the_reader_finds_it(
    *, task: Json, indent: str, ascii_only: bool
):
    line = indent + json.dumps(task, ensure_ascii=ascii_only)
    diagnostics = Diagnostics("a.jsonl")
    read = places(only(parse_json(line, diagnostics, start=(2, 1)), diagnostics))
    with file_of('{"version": 1}\n' + line) as file:
        document = only(read_json_lines(file, diagnostics), diagnostics)
        list(document.tasks())
        for (steps, kind), place in read.items():
            source = getattr(document, f"{kind}_source")(("tasks", 0, *steps))
            assert (source.line, source.column) == place


@MANY
@given(named_parts, st.lists(names_and_more, min_size=1, max_size=3))
def test_a_key_that_is_not_there_is_not_found(task: Json, steps: list[str]):
    with file_of('{"version": 1}\n' + json.dumps(task)) as file:
        document = only(read_json_lines(file, Diagnostics("a")), Diagnostics("a"))
        list(document.tasks())
        try:
            there = reduce(getitem, steps, task)
        except (LookupError, TypeError):
            there = ABSENT
        if there is ABSENT:
            with pytest.raises(LookupError):
                document.key_source(("tasks", 0, *steps))


oddly_written = st.sampled_from(
    [
        *('{"a": 1, "a": 2}', '{"a" :1,"a":2}', '{"a":[{"b":1,"b":2}]}', '{"a":"\\":","a":1}'),
        *('{"a":1,"\\u0061":2}', "1e400", "-0", "-0.0", "1e-400", "1E5", "01", "NaN", '"\\ud800"'),
        *('"\\u0000"', '"\\ud83d\\ude00"', "9" * 5000, "9" * 400, '{"tasks":[1,2]}', "\ufeff1"),
        *("[" * 97 + "]" * 97, "[" * 98 + "]" * 98, "[" * 99 + "]" * 99, '{"a":"b c\td"}', "1 2"),
    ]
)


@MANY
@given(st.builds(json.dumps, parts, ensure_ascii=st.booleans()) | oddly_written)
def test_a_line_is_decoded_quickly_only_to_what_the_slow_reader_makes_of_it(line: str):
    diagnostics = Diagnostics("a.jsonl")
    documents = parse_json(line, diagnostics, steps=("tasks", 0))
    quick = decode_quickly(line.encode())
    if quick is not None:
        assert diagnostics.problems == []
        assert strict(quick.value) == strict(whole(only(documents, diagnostics)))
        assert quick.text == encode(quick.value)


gaps = st.sampled_from(["", " ", "\n", "\r\n  ", "\t"])


@st.composite
def spaced(draw: st.DrawFn, value: Json) -> str:
    """Write a value as JSON with any white space in it."""
    gap, ascii_only = draw(gaps), draw(st.booleans())
    if isinstance(value, dict):
        pairs = (
            f"{gap}{json.dumps(key, ensure_ascii=ascii_only)}{gap}:{gap}{draw(spaced(inner))}{gap}"
            for key, inner in value.items()
        )
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(f"{gap}{draw(spaced(inner))}{gap}" for inner in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


wild_tasks = st.lists(parts.flatmap(spaced) | oddly_written, max_size=4)
outer_keys = st.sampled_from(["version", "a", "é", "tasks", "t\\u0061sks", "defaults"])
outer_parts = st.lists(
    st.tuples(outer_keys, st.sampled_from(["1", '{"tasks": [1]}', '"\\"tasks\\":[1]"', "[[]]"])),
    max_size=2,
)


@st.composite
def json_documents(draw: st.DrawFn) -> str:
    """Write a document with a list of tasks somewhere in it, and often something odd."""
    gap = draw(gaps)
    listed = f"[{gap}" + f"{gap},{gap}".join(draw(wild_tasks)) + f"{gap}]"
    before, after = draw(outer_parts), draw(outer_parts)
    members = (f'"{key}"{gap}:{gap}{value}' for key, value in (*before, ("tasks", listed), *after))
    text = gap + "{" + gap + f"{gap},{gap}".join(members) + gap + "}"
    return text + draw(st.sampled_from(["", "\n", "x", "}"]))


@settings(MANY, max_examples=1000)
@given(json_documents())
@example('{"defaults": {"tasks": [1, 2]}, "tasks": [1, 2]}')
@example('{"defaults": {"tasks": [1, 2]}, "tasks": [1, 3], "é": 1}')
@example('{"tasks": [1, 2], "tasks": [1, 2]}')
@example('{"é": 1, "tasks": [1,\n "é", 2], "a": {"b": 1},\n "c": [2]}')
def test_a_document_is_cut_into_tasks_only_as_the_slow_reader_reads_it(text: str):
    heard = Diagnostics("a.json")
    (*expected,) = parse_json(text, heard)
    diagnostics = Diagnostics("a.json")
    (*documents,) = read_json_document(text.encode(), diagnostics)
    tasks = [list(document.tasks()) for document in documents]
    assert set(heard.problems) <= set(diagnostics.problems)
    assert bool(heard.problems) == bool(diagnostics.problems)
    if not heard.problems:
        (document,), (found,) = documents, tasks
        (other,) = expected
        assert strict(document.outline) == strict(other.outline)
        assert [(n, strict(value)) for n, value, _ in found] == [
            (n, strict(value)) for n, value, _ in other.tasks()
        ]
        assert all(written == encode(value) for _, value, written in found)
        assert places(document) == places(other)


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


# The slow reference: PyYAML's graph of nodes, and YAML 1.2's core schema in plain words.


class Refused(Exception):
    """Not a value that a manifest can hold."""


class PlainLoader(yaml.CSafeLoader):
    """Leaves the meaning of plain scalars open: their tag is empty, that of quoted ones ``!``."""

    def resolve(self, kind: type[Node], _value: object, implicit: tuple[bool, bool]) -> str:
        return "!" if kind is ScalarNode and not implicit[0] else ""


@dataclass(frozen=True)
class Read:
    value: Json
    places: Places
    levels: int


class Reference:
    """Reads nodes, each once; an alias is a node that was read before.

    The graph does not tell where aliases stand, nor ``! 1``, a string, from ``1``: those places
    come from the events.
    """

    def __init__(
        self,
        text: str,
        aliases: Iterator[tuple[int, int]],
        strings: Container[tuple[int, int]],
    ) -> None:
        self.text = text
        self.aliases = aliases
        self.strings = strings
        self.read: dict[int, Read | None] = {}

    def node(self, node: Node) -> Read:
        if id(node) in self.read:
            known = self.read[id(node)]
            if known is None:
                raise Refused("inside itself")
            return Read(
                known.value, {**known.places, ((), "value"): next(self.aliases)}, known.levels
            )
        self.read[id(node)] = None
        found = self.new(node)
        if found.levels > MAX_DEPTH:
            raise Refused("too deep")
        self.read[id(node)] = found
        return found

    def new(self, node: Node) -> Read:
        here: Places = {((), "value"): start_of(node)}
        if isinstance(node, ScalarNode):
            tag = "!" if start_of(node) in self.strings else node.tag
            return Read(core(tag, node.value), here, 0)
        own = "seq" if isinstance(node, SequenceNode) else "map"
        if node.tag not in {"", "!", f"tag:yaml.org,2002:{own}"}:
            raise Refused(node.tag)
        found = self.sequence(node) if isinstance(node, SequenceNode) else self.mapping(node)
        return Read(found.value, {**here, **found.places}, found.levels + 1)

    def sequence(self, node: SequenceNode) -> Read:
        elements = [self.node(inner) for inner in node.value]
        found = {
            ((index, *steps), kind): place
            for index, element in enumerate(elements)
            for (steps, kind), place in element.places.items()
        }
        levels = max((element.levels for element in elements), default=0)
        return Read([element.value for element in elements], found, levels)

    def mapping(self, node: MappingNode) -> Read:
        result: dict[str, Json] = {}
        found: Places = {}
        levels = 0
        for key_node, value_node in node.value:
            alias = id(key_node) in self.read
            key = self.node(key_node)
            plain = key_node.tag == "" and start_of(key_node) not in self.strings
            merge = key.value == "<<" and plain and not alias
            if not isinstance(key.value, str) or merge or key.value in result:
                raise Refused(key.value)
            if not alias and not value_of_its_own(self.text, key_node, value_node):
                raise Refused("no value")
            value = self.node(value_node)
            result[key.value] = value.value
            found[(key.value,), "key"] = key.places[(), "value"]
            for (steps, kind), place in value.places.items():
                found[(key.value, *steps), kind] = place
            levels = max(levels, value.levels)
        return Read(result, found, levels)


def value_of_its_own(text: str, key: Node, value: Node) -> bool:
    """Tell whether anything stands for a value: at least the colon after the key."""
    empty = value.start_mark.index == value.end_mark.index
    return not empty or ":" in text[key.end_mark.index : value.start_mark.index]


def core(tag: str, text: str) -> Json:
    """Give a scalar its value by chapter 10.3.2 of YAML 1.2, and by what JSON can hold."""
    name = tag.removeprefix("tag:yaml.org,2002:")
    if "\0" in text:
        raise Refused("NUL")
    if tag == "!" or name == "str":
        return text
    value = core_plain(text)
    if tag == "":
        return value
    if name == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    types = {"null": type(None), "bool": bool, "int": int, "float": float}
    if name == tag or type(value) is not types.get(name):
        raise Refused(tag)
    return value


def core_plain(text: str) -> Json:
    if re.fullmatch("null|Null|NULL|~|", text):
        return None
    if re.fullmatch("true|True|TRUE|false|False|FALSE", text):
        return text.lower() == "true"
    if re.fullmatch("[-+]?[0-9]+", text):
        return int(text)
    if re.fullmatch("0o[0-7]+|0x[0-9a-fA-F]+", text):
        return int(text, base=0)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        if float(text) in {float("inf"), float("-inf")}:
            raise Refused(text)
        return float(text)
    if re.fullmatch(r"[-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN", text):
        raise Refused(text)
    return text


def reference(text: str) -> list[Read] | None:
    """Read all documents of a text; None where any of it is refused."""
    if re.search("[^\t\n\r -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text):
        return None
    try:
        events = list(yaml.parse(text, PlainLoader))
        nodes = list(yaml.compose_all(text, PlainLoader))
        aliases = [start_of(event) for event in events if isinstance(event, yaml.AliasEvent)]
        strings = {start_of(event) for event in events if getattr(event, "tag", None) == "!"}
        read = Reference(text, iter(aliases), strings)
        return [read.node(node) for node in nodes]
    except yaml.composer.ComposerError as error:
        # An anchor may be set again; PyYAML's graph does not allow it.
        assume("duplicate anchor" not in str(error))
        return None
    except (yaml.YAMLError, Refused, UnicodeDecodeError):
        return None


def start_of(of: yaml.Event | Node) -> tuple[int, int]:
    return of.start_mark.line + 1, of.start_mark.column + 1


PLAIN = (
    "~ null Null true TRUE False no on y 0 -0 +7 012 0o14 0x1F 1e3 .5 1. 1_000 1:30 2026-10-01 "
    '.inf .nan 1e999 << = a b-c \'q\' "d" \'<<\' "\\u00e9" "\\0" é 😀 a#b http://x.y '
    "! !t !!str !!int !!float *a *b"
)
TAGGED = ("!!str 1", "!!int '3'", "!!float 0o7", "!!float 2", "! 1", "! '2'", "&a 1", "&b <<")
plain_scalars = st.sampled_from([*PLAIN.split(), *TAGGED])
styles = st.sampled_from([True, False, None])
written = st.builds(
    lambda value, flow, width: yaml.dump(
        value, default_flow_style=flow, width=width, allow_unicode=True
    ),
    values,
    styles,
    st.sampled_from([15, 80]),
)


def flow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    lists = st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]")
    pairs = st.lists(st.tuples(plain_scalars, inner), max_size=3)
    objects = pairs.map(lambda parts: f"{{{', '.join(f'{key}: {value}' for key, value in parts)}}}")
    anchored = st.tuples(
        st.sampled_from(["&a ", "&b ", "!!map ", "!!seq ", "!x "]), lists | objects
    )
    return lists | objects | anchored.map("".join)


flows = st.recursive(plain_scalars, flow, max_leaves=8)
blocks = st.lists(st.tuples(plain_scalars, flows), max_size=4).map(
    lambda pairs: "".join(f"{key}: {value}\n" for key, value in pairs)
)
insertions = st.sampled_from(
    [
        *(
            "\n",
            "\r\n",
            " ",
            "  ",
            "\t",
            "- ",
            ": ",
            "? ",
            ", ",
            "# c\n",
            "---\n",
            "...\n",
            "|\n",
            ">-\n  ",
        ),
        *(
            "[",
            "]",
            "{",
            "}",
            "'",
            '"',
            "\\",
            "&a ",
            "*a ",
            "!t ",
            "!!str ",
            "<<: ",
            "%",
            "@",
            "é",
            "1",
        ),
        "\ufeff",
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(written | flows | blocks | st.lists(blocks, max_size=3).map("---\n".join))
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 3]))):
        place = draw(st.integers(0, len(text)))
        end = min(len(text), place + draw(st.integers(0, 2)))
        text = text[:place] + draw(insertions) + text[end:]
    return text


def check_against_reference(text: str) -> None:
    diagnostics = Diagnostics("a.yaml")
    documents = read_yaml(text, diagnostics)
    expected = reference(text)
    if expected is None:
        assert diagnostics.problems
        return
    assert diagnostics.problems == []
    assert [strict(document.whole()) for document in documents] == [
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


def read_json_bytes(text: str, diagnostics: Diagnostics) -> Sequence[AnyDocument]:
    """Read what is UTF-8, as all is that comes to this reader."""
    return read_json_document(text.encode("utf-8", "replace"), diagnostics)


anything = st.text() | st.text(
    st.sampled_from(list(" \n\t-:?,[]{}#&*!|>'\"%@`\\~<0123456789abne.+_/u$"))
)
decoded = st.binary(max_size=60).map(lambda raw: raw.decode("latin-1"))
half = st.binary(max_size=60).map(lambda raw: raw.decode("utf-8", "surrogateescape"))


@settings(MANY, max_examples=1000)
@given(anything | decoded | half | mutated())
@example("!<%ED%A0%80> x")
@example("!!float 0o14")
@example("0x" + "F" * 5000)
@example("&a [*a]")
@example('"\\ud800"')
@example("[" * 5000)
@example('{"a":' * 5000)
@example('{"tasks": ["\\ud800", 1e400, 1]}')
def test_no_text_makes_a_reader_raise(text: str):
    for read in (read_yaml, parse_json, read_json_lines, read_json_bytes):
        diagnostics = Diagnostics("a")
        with file_of(text) as file:
            documents = read(file if read is read_json_lines else text, diagnostics)
            assert all(len(places(document)) > 0 for document in documents)
        assert all(problem.source.line >= 1 for problem in diagnostics.problems)
        assert all(problem.source.column >= 1 for problem in diagnostics.problems)


@MANY
@given(st.lists(st.text(), min_size=1, max_size=4).map(tuple))
def test_a_path_is_read_back_as_it_was_written(path: tuple[str, ...]):
    assert parse_path(format_path(path)) == path
