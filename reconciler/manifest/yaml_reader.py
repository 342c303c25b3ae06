"""YAML text to documents, over the events of PyYAML's C parser.

The parser's events are a fifth of the cost of its node graph, and carry the place of every
node. What scalars mean is decided here, by YAML 1.2: PyYAML's own loaders speak 1.1, in which
``no`` is false and ``012`` is ten.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias, cast

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    StreamEndEvent,
)

from reconciler.manifest.document import MAX_DEPTH, Complaints, Document, text_problem
from reconciler.manifest.marks import Marks
from reconciler.manifest.scalars import collection_problem, plain, tagged
from reconciler.plan.notation import shortened, value_text
from reconciler.plan.values import ABSENT, Json, Maybe

ALIASED_NODES_MAX: Final = 1_000_000
"""Nodes that the aliases of one document may stand for: enough to share, too few to bomb."""

_NOT_PRINTABLE: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff\ufeff]"
)


_Event: TypeAlias = Any
"""An event of the parser. Its stubs call marks optional, which this parser always sets."""


class _Stop(Exception):
    """Nothing after this can be read; the complaint is made."""


def read_yaml(text: str, complaints: Complaints) -> list[Document]:
    """Read all documents; what cannot be read is left out and complained about."""
    unprintable = _NOT_PRINTABLE.search(text)
    if unprintable:
        _complain_of_character(text, unprintable.start(), complaints)
        return []
    documents: list[Document] = []
    try:
        _Reader(text, complaints).read_into(documents)
    except yaml.MarkedYAMLError as error:
        _complain_of_syntax(error, text, complaints)
    except _Stop:
        pass
    return documents


class _Anchored(NamedTuple):
    """A value that aliases may stand for: its nodes, and how many levels it is deep."""

    value: Json
    start: int
    end: int
    levels: int


class _Reader:
    """One pass over the events of a file."""

    def __init__(self, text: str, complaints: Complaints) -> None:
        self._next = cast("Callable[[], _Event]", yaml.CSafeLoader(text).get_event)
        self._complaints = complaints
        self._steps: list[str | int] = []
        self._begin_document()

    def _begin_document(self) -> None:
        self._marks = Marks(self._complaints.file)
        self._anchors: dict[str, _Anchored] = {}
        self._aliased = 0
        self._deepest = 0

    def read_into(self, documents: list[Document]) -> None:
        """Append the documents one by one, so that those before an error are kept."""
        while not isinstance(event := self._next(), StreamEndEvent):
            if isinstance(event, DocumentStartEvent):
                self._begin_document()
                value = self._node(self._next())
                if value is not ABSENT:
                    documents.append(Document(value, self._marks))

    def _node(self, event: _Event) -> Maybe:
        """Read one node; ABSENT where it is not a value that a task can hold."""
        if isinstance(event, AliasEvent):
            return self._alias(event)
        if isinstance(event, NodeEvent) and event.anchor is not None:
            return self._anchored(event)
        self._marks.add(*_place(event))
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        self._descend(event, 1)
        return (
            self._mapping(event) if isinstance(event, MappingStartEvent) else self._sequence(event)
        )

    def _descend(self, event: _Event, levels: int) -> None:
        depth = len(self._steps) + levels
        self._deepest = max(self._deepest, depth)
        if depth > MAX_DEPTH:
            self._complain(event, f"objects and lists nested more than {MAX_DEPTH} deep")
            raise _Stop

    def _anchored(self, event: _Event) -> Maybe:
        """Read a node that aliases may stand for, and remember how much of it there is."""
        start, outer = len(self._marks), self._deepest
        self._deepest = len(self._steps)
        anchor, event.anchor = event.anchor, None
        value = self._node(event)
        deep = self._deepest - len(self._steps)
        self._deepest = max(outer, self._deepest)
        if value is not ABSENT:
            self._anchors[str(anchor)] = _Anchored(value, start, len(self._marks), deep)
        return value

    def _scalar(self, event: _Event) -> Maybe:
        try:
            if event.tag is not None:
                value = tagged(event.tag, event.value)
            else:
                value = plain(event.value) if event.implicit[0] else event.value
        except ValueError as error:
            message, hint = error.args
            return self._complain(event, message, hint)
        problem = text_problem(value) if isinstance(value, str) else None
        return self._complain(event, *problem) if problem else value

    def _mapping(self, event: _Event) -> Maybe:
        self._check_tag(event, "map")
        result: dict[str, Json] = {}
        lines: dict[str, int] = {}
        while not isinstance(inner := self._next(), CollectionEndEvent):
            start = len(self._marks)
            key = self._key(inner, lines)
            self._steps.append(key if isinstance(key, str) else "?")
            value = self._node(self._next())
            self._steps.pop()
            if isinstance(key, str) and value is not ABSENT:
                result[key] = value
            else:
                self._marks.forget(start)
        return result

    def _key(self, event: _Event, lines: dict[str, int]) -> Maybe:
        if not isinstance(event, ScalarEvent | AliasEvent):
            self._complain(event, "a key must be a string", "found an object or a list")
            self._node(event)
            return ABSENT
        key = self._node(event)
        if key is ABSENT:
            return ABSENT
        if not isinstance(key, str):
            found = shortened(value_text(key))
            return self._complain(event, f"a key must be a string, found {found}", "quote it")
        if key == "<<" and isinstance(event, ScalarEvent) and event.implicit[0]:
            return self._complain(
                event, "YAML 1.2 has no merge keys", "use defaults, or quote a key named <<"
            )
        if key in lines:
            found = shortened(value_text(key))
            return self._complain(
                event, f"the key {found} stands twice", f"first on line {lines[key]}; keep one"
            )
        lines[key], _ = _place(event)
        return key

    def _sequence(self, event: _Event) -> Maybe:
        self._check_tag(event, "seq")
        result: list[Json] = []
        while not isinstance(inner := self._next(), CollectionEndEvent):
            self._steps.append(len(result))
            start = len(self._marks)
            value = self._node(inner)
            self._steps.pop()
            if value is ABSENT:
                self._marks.forget(start)
            else:
                result.append(value)
        return result

    def _alias(self, event: _Event) -> Maybe:
        if event.anchor not in self._anchors:
            return self._complain(event, f"no anchor &{event.anchor} stands before this alias")
        anchored = self._anchors[event.anchor]
        self._aliased += anchored.end - anchored.start
        if self._aliased > ALIASED_NODES_MAX:
            self._complain(
                event,
                f"the aliases of this document stand for more than {ALIASED_NODES_MAX:,} values",
                "write them out, or split the file",
            )
            raise _Stop
        self._descend(event, anchored.levels)
        self._marks.repeat(anchored.start, anchored.end)
        return anchored.value

    def _check_tag(self, event: _Event, own: str) -> None:
        problem = collection_problem(getattr(event, "tag", None), own)
        if problem:
            self._complain(event, problem, "manifests hold plain data only")

    def _complain(self, event: _Event, message: str, hint: str = "") -> Maybe:
        line, column = _place(event)
        self._complaints.add(line, column, message, hint=hint, steps=tuple(self._steps))
        return ABSENT


def _place(event: _Event) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _complain_of_syntax(error: yaml.MarkedYAMLError, text: str, complaints: Complaints) -> None:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    said = " ".join(filter(None, (error.context, error.problem)))
    lines = text.splitlines()
    tab = line <= len(lines) and lines[line - 1][column - 1 : column] == "\t"
    hint = "indent with spaces, not with tabs" if tab else "mend the YAML here"
    complaints.add(line, column, f"not YAML: {said}", hint=hint)


def _complain_of_character(text: str, offset: int, complaints: Complaints) -> None:
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    found = f"U+{ord(text[offset]):04X}"
    complaints.add(line, column, f"the character {found} is not allowed", hint="remove it")
