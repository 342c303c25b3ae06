"""JSON and JSON lines, over texts that nobody would think of: read alike on every way."""

from __future__ import annotations

import json
from functools import reduce

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.core.values import ABSENT, Json, Maybe
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.json_parser import parse_json
from reconciler.manifest.readers.json_reader import read_json
from reconciler.manifest.readers.json_text import decode_quickly, encode
from reconciler.manifest.readers.jsonl_reader import read_jsonl
from reconciler.manifest.readers.source_map import Steps
from tests.properties.documents import (
    MANY,
    file_of,
    only,
    parts,
    places,
    scalars,
    strict,
    values,
    whole,
)


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
    return reduce(enter, steps, value)


def enter(value: Json, step: int | str) -> Json:
    if isinstance(value, dict) and isinstance(step, str):
        return value[step]
    if isinstance(value, list) and isinstance(step, int):
        return value[step]
    raise TypeError(step)


def beginning(value: Json, *, ascii_only: bool) -> str:
    if isinstance(value, dict | list):
        return "{" if isinstance(value, dict) else "["
    return json.dumps(value, ensure_ascii=ascii_only)


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
        document = only(read_jsonl(file, diagnostics), diagnostics)
        assert strict(whole(document)) == strict({"version": 1, "tasks": tasks})
        lines = text.split("\n")
        for index, task in enumerate(tasks):
            assert strict(document.read_task(index)) == strict(task)
            source = document.locate_value(("tasks", index))
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
def test_what_is_found_in_a_line_without_reading_it_is_where_the_parser_finds_it(
    *, task: Json, indent: str, ascii_only: bool
):
    line = indent + json.dumps(task, ensure_ascii=ascii_only)
    diagnostics = Diagnostics("a.jsonl")
    read = places(only(parse_json(line, diagnostics, start=(2, 1)), diagnostics))
    with file_of('{"version": 1}\n' + line) as file:
        document = only(read_jsonl(file, diagnostics), diagnostics)
        list(document.read_tasks())
        for (steps, kind), place in read.items():
            source = getattr(document, f"locate_{kind}")(("tasks", 0, *steps))
            assert (source.line, source.column) == place


@MANY
@given(named_parts, st.lists(names_and_more, min_size=1, max_size=3))
def test_a_key_that_is_not_there_is_not_found(task: Json, steps: list[str]):
    with file_of('{"version": 1}\n' + json.dumps(task)) as file:
        document = only(read_jsonl(file, Diagnostics("a")), Diagnostics("a"))
        list(document.read_tasks())
        there: Maybe
        try:
            there = at(task, tuple(steps))
        except (LookupError, TypeError):
            there = ABSENT
        if there is ABSENT:
            with pytest.raises(LookupError):
                document.locate_key(("tasks", 0, *steps))


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
def test_a_line_is_decoded_quickly_only_to_what_the_parser_makes_of_it(line: str):
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
def test_a_document_is_cut_into_tasks_only_as_the_parser_reads_it(text: str):
    parsed = Diagnostics("a.json")
    (*expected,) = parse_json(text, parsed)
    diagnostics = Diagnostics("a.json")
    (*documents,) = read_json(text.encode(), diagnostics)
    tasks = [list(document.read_tasks()) for document in documents]
    assert set(parsed.problems) <= set(diagnostics.problems)
    assert bool(parsed.problems) == bool(diagnostics.problems)
    if not parsed.problems:
        (document,), (found,) = documents, tasks
        (other,) = expected
        assert strict(document.outline) == strict(other.outline)
        assert [(n, strict(value)) for n, value, _ in found] == [
            (n, strict(value)) for n, value, _ in other.read_tasks()
        ]
        assert all(written == encode(value) for _, value, written in found)
        assert places(document) == places(other)
