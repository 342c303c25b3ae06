"""YAML text to documents, from the events of PyYAML's C parser.

The parser's events are a fifth of the cost of its node graph, and carry the place of every
node. What scalars mean is decided here, by YAML 1.2: PyYAML's own loaders follow 1.1, in which
``no`` is false and ``012`` is ten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast

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

from reconciler.core.notation import format_value, shorten
from reconciler.core.values import ABSENT, Json, Maybe
from reconciler.manifest.readers.anchors import Anchored, Anchors
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import MAX_DEPTH, MappedDocument, PackedTasks
from reconciler.manifest.readers.foreign_content import recognise_template
from reconciler.manifest.readers.scalars import (
    find_collection_problem,
    find_text_problem,
    parse_plain,
    parse_tagged,
    replace_refused,
)
from reconciler.manifest.readers.source_map import SourceMap
from reconciler.manifest.readers.yaml_syntax import (
    drop_byte_order_marks,
    report_character,
    report_escape,
    report_syntax,
)
from reconciler.progress import NULL_PROGRESS, ProgressListener

_Event: TypeAlias = Any
"""An event of the parser. Its stubs call marks optional, which this parser always sets."""


class _Stop(Exception):
    """The rest cannot be read; the reason has been reported."""


def read_yaml(
    text: str, diagnostics: Diagnostics, *, progress: ProgressListener = NULL_PROGRESS
) -> list[MappedDocument]:
    """Read all documents; leave out and report what cannot be read."""
    if report_character(text, diagnostics):
        return []
    text = drop_byte_order_marks(text)
    documents: list[MappedDocument] = []
    try:
        _Reader(text, diagnostics, progress).read_into(documents)
    except yaml.MarkedYAMLError as error:
        report_syntax(error, text, diagnostics)
        # The text before a syntax error may look like a document of one string.
        return [document for document in documents if not isinstance(document.outline, str)]
    except UnicodeDecodeError:
        report_escape(text, diagnostics)
    except _Stop:
        pass
    return documents


class _Reader:
    """One pass over the events of a file."""

    def __init__(self, text: str, diagnostics: Diagnostics, progress: ProgressListener) -> None:
        self._text = text
        self._next = cast("Callable[[], _Event]", yaml.CSafeLoader(text).get_event)
        self._diagnostics = diagnostics
        self._progress = progress
        self._steps: list[str | int] = []
        self._begin_document()

    def _begin_document(self) -> None:
        self._source_map = SourceMap(self._diagnostics.file)
        self._packed = PackedTasks()
        self._no_tasks: list[Json] = []
        self._anchors = Anchors()
        self._characters = 0
        self._deepest = 0

    def read_into(self, documents: list[MappedDocument]) -> None:
        """Append the documents one by one, so that those before an error are kept."""
        while not isinstance(event := self._next(), StreamEndEvent):
            if isinstance(event, DocumentStartEvent):
                self._begin_document()
                value = replace_refused(self._read_node(self._next()))
                documents.append(
                    MappedDocument(
                        value,
                        self._packed,
                        self._source_map,
                        has_anchors=self._anchors.has_any,
                    )
                )

    def _read_node(self, event: _Event) -> Maybe:
        """Read one node; return ABSENT for what no task can hold."""
        if isinstance(event, AliasEvent):
            return self._read_alias(event)
        if isinstance(event, NodeEvent) and event.anchor is not None:
            return self._read_anchored(event)
        self._source_map.add(*_find_place(event))
        if isinstance(event, ScalarEvent):
            return self._read_scalar(event)
        self._descend(event, 1)
        if isinstance(event, MappingStartEvent):
            return self._read_mapping(event)
        return self._read_sequence(event)

    def _descend(self, event: _Event, levels: int) -> None:
        depth = len(self._steps) + levels
        self._deepest = max(self._deepest, depth)
        if depth > MAX_DEPTH:
            self._report(event, f"objects and lists nested more than {MAX_DEPTH} deep")
            raise _Stop

    def _read_anchored(self, event: _Event) -> Maybe:
        """Read a node that aliases may repeat, and remember its size."""
        start, outer, characters = len(self._source_map), self._deepest, self._characters
        self._deepest = len(self._steps)
        anchor, event.anchor = str(event.anchor), None
        self._anchors.begin(anchor)
        value = self._read_node(event)
        deep = self._deepest - len(self._steps)
        self._deepest = max(outer, self._deepest)
        characters = self._characters - characters
        inner = self._source_map.copy_since(start + 1)
        self._anchors.end(anchor, Anchored(replace_refused(value), inner, deep, characters))
        return value

    def _read_scalar(self, event: _Event) -> Maybe:
        self._characters += len(event.value)
        try:
            if event.tag is not None:
                value = parse_tagged(event.tag, event.value)
            else:
                value = parse_plain(event.value) if event.implicit[0] else event.value
        except ValueError as error:
            message, hint = error.args
            return self._report(event, message, hint)
        problem = find_text_problem(value) if isinstance(value, str) else None
        return self._report(event, *problem) if problem else value

    def _read_mapping(self, event: _Event) -> Maybe:
        self._check_tag(event, "map")
        result: dict[str, Json] = {}
        lines: dict[str, int] = {}
        while not isinstance(inner := self._next(), CollectionEndEvent):
            start = len(self._source_map)
            key = self._read_key(inner, lines)
            self._steps.append(key if isinstance(key, str) else "?")
            following = self._next()
            if isinstance(key, str):
                self._check_value(inner, following)
            value = self._read_node(following)
            self._steps.pop()
            if isinstance(key, str):
                result[key] = replace_refused(value)
            else:
                self._source_map.forget(start)
        return result

    def _check_value(self, key: _Event, event: _Event) -> None:
        """Report a key without a colon after it.

        YAML reads ``{text: Cold, again}`` as two keys, the second with null: an unquoted text with
        a comma would reach the server as a key.
        """
        begin, end = event.start_mark.index, event.end_mark.index
        nothing = isinstance(event, ScalarEvent) and begin == end
        if nothing and ":" not in self._text[key.end_mark.index : begin]:
            self._report(
                key, "this key has no value", "if the comma is part of a text, quote the text"
            )

    def _read_key(self, event: _Event, lines: dict[str, int]) -> Maybe:
        if not isinstance(event, ScalarEvent | AliasEvent):
            template = recognise_template(self._text, event.start_mark.index - 1)
            if template:
                self._report(event, *template)
                raise _Stop
            found = "an object" if isinstance(event, MappingStartEvent) else "a list"
            self._report(event, f"expected a string as key, found {found}", "quote the key")
            told = len(self._diagnostics.problems)
            self._steps.append("?")
            self._read_node(event)
            self._steps.pop()
            del self._diagnostics.problems[told:]
            return ABSENT
        key = self._read_node(event)
        if key is ABSENT:
            return ABSENT
        if not isinstance(key, str):
            found = shorten(format_value(key))
            message = f"expected a string as key, found {found}"
            return self._report(event, message, "quote the key")
        if key == "<<" and isinstance(event, ScalarEvent) and event.implicit[0]:
            return self._report(
                event, "merge keys are not part of YAML 1.2", "use defaults; quote a key named <<"
            )
        if key in lines:
            found = shorten(format_value(key))
            return self._report(
                event, f"duplicate key {found}", f"first on line {lines[key]}; keep one of the two"
            )
        lines[key], _ = _find_place(event)
        return key

    def _read_sequence(self, event: _Event) -> Maybe:
        self._check_tag(event, "seq")
        if self._steps == ["tasks"]:
            return self._read_tasks()
        result: list[Json] = []
        while not isinstance(inner := self._next(), CollectionEndEvent):
            self._steps.append(len(result))
            result.append(replace_refused(self._read_node(inner)))
            self._steps.pop()
        return result

    def _read_tasks(self) -> Maybe:
        """Pack the tasks one by one: their objects may not fit into memory all at once."""
        while not isinstance(inner := self._next(), CollectionEndEvent):
            node = len(self._source_map)
            self._steps.append(len(self._packed))
            value = replace_refused(self._read_node(inner))
            self._steps.pop()
            self._packed.append(value, node=node, end=len(self._source_map))
            self._progress.advance()
        return self._no_tasks

    def _read_alias(self, event: _Event) -> Maybe:
        self._source_map.add(*_find_place(event))
        anchored = self._anchors.resolve(event.anchor)
        if anchored is None:
            return self._report(event, *self._anchors.explain_failure(event.anchor))
        bomb = self._anchors.find_bomb()
        if bomb:
            self._report(event, *bomb)
            raise _Stop
        self._characters += anchored.characters
        self._descend(event, anchored.levels)
        self._source_map.repeat(anchored.inner)
        return list(self._packed) if anchored.value is self._no_tasks else anchored.value

    def _check_tag(self, event: _Event, own: str) -> None:
        problem = None if event.tag is None else find_collection_problem(event.tag, own)
        if problem:
            self._report(event, *problem)

    def _report(self, event: _Event, message: str, hint: str = "") -> Maybe:
        line, column = _find_place(event)
        self._diagnostics.add(line, column, message, hint=hint, steps=tuple(self._steps))
        return ABSENT


def _find_place(event: _Event) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1
