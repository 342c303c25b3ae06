"""The nodes of chosen tasks of a YAML file; all others are passed over."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple, TypeAlias, cast

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    StreamEndEvent,
)

from reconciler.manifest.editing.nodes import Node, Shape

_MARK_BEFORE_DOCUMENT: Final = re.compile(r"^\ufeff(?=---(?:\s|$))", re.MULTILINE)
_PROPERTIES: Final = re.compile(r"(?:[&!]\S*(?:[ \t]+|(?=[\r\n])|$))+")
_SPACE: Final = re.compile(r"(?:[ \t\r\n]+|#[^\r\n]*)*")
_BLOCK_HEADER: Final = re.compile(r"[|>][0-9+-]*")

_Event: TypeAlias = Any


class Anchor(NamedTuple):
    """A name at an offset: where a node is given the name, or an alias uses it."""

    name: str
    start: int
    end: int


class TaskList(NamedTuple):
    """The node of ``tasks`` with its last element as only child, if that was wanted, and its key.

    ``in_flow`` tells whether the document itself is written in braces.
    """

    key: Node
    node: Node
    in_flow: bool


class YamlDocument:
    """The chosen tasks of one document, and the anchors and aliases of all of it."""

    def __init__(self) -> None:
        self.tasks: dict[int, Node] = {}
        self.listing: TaskList | None = None
        self.anchors: list[Anchor] = []
        self.aliases: list[Anchor] = []
        self.is_empty = False


def read_yaml_nodes(text: str, wanted: Mapping[int, Collection[int]]) -> list[YamlDocument]:
    """Read the ``wanted`` tasks of a text that the reader accepts, by the number of the document.

    Documents without content are not counted, as the reader drops them.
    """
    return _NodeReader(text, wanted).read()


def read_whole_nodes(text: str) -> list[Node]:
    """Read all nodes of a text that the reader accepts: the outermost one of each document."""
    return _NodeReader(text, {}).read_whole()


class _NodeReader:
    """One pass over the events of a text."""

    def __init__(self, text: str, wanted: Mapping[int, Collection[int]]) -> None:
        self._text = text
        self._wanted = wanted
        marks = [found.start() for found in _MARK_BEFORE_DOCUMENT.finditer(text)]
        # The parser does not see these marks, so its offsets are smaller from there on.
        self._dropped = [mark - number for number, mark in enumerate(marks)]
        seen = _MARK_BEFORE_DOCUMENT.sub("", text) if marks else text
        self._next = cast("Callable[[], _Event]", yaml.CSafeLoader(seen).get_event)
        self._document = YamlDocument()

    def read(self) -> list[YamlDocument]:
        documents: list[YamlDocument] = []
        while not isinstance(event := self._next(), StreamEndEvent):
            if isinstance(event, DocumentStartEvent):
                self._document = YamlDocument()
                self._read_document(self._next(), self._wanted.get(len(documents), ()))
                if not self._document.is_empty:
                    documents.append(self._document)
        return documents

    def read_whole(self) -> list[Node]:
        nodes: list[Node] = []
        while not isinstance(event := self._next(), StreamEndEvent):
            if isinstance(event, DocumentStartEvent):
                nodes.append(self._read_node(self._next()))
        return nodes

    def _read_document(self, event: _Event, wanted: Collection[int]) -> None:
        if not isinstance(event, MappingStartEvent):
            nothing = {"", "~", "null", "Null", "NULL"}
            self._document.is_empty = isinstance(event, ScalarEvent) and event.value in nothing
            self._skip(event)
            return
        self._note(event)
        while not isinstance(key := self._next(), CollectionEndEvent):
            is_tasks = isinstance(key, ScalarEvent) and key.value == "tasks"
            name = self._read_node(key)
            value = self._next()
            if is_tasks and isinstance(value, CollectionStartEvent):
                tasks = self._read_tasks(value, frozenset(wanted))
                self._document.listing = TaskList(name, tasks, bool(event.flow_style))
            else:
                self._skip(value)

    def _read_tasks(self, event: _Event, wanted: Collection[int]) -> Node:
        self._note(event)
        node = self._make_node(event, Shape.LIST)
        index = 0
        while not isinstance(task := self._next(), CollectionEndEvent):
            if index in wanted:
                self._document.tasks[index] = self._read_node(task)
            else:
                self._skip(task)
            index += 1
        last = self._document.tasks.get(index - 1)
        node.children = [last] if last else []
        node.end = self._locate(task.end_mark)
        return node

    def _skip(self, event: _Event) -> None:
        depth = 0
        while True:
            self._note(event)
            depth += isinstance(event, CollectionStartEvent)
            depth -= isinstance(event, CollectionEndEvent)
            if not depth:
                return
            event = self._next()

    def _note(self, event: _Event) -> None:
        name = getattr(event, "anchor", None)
        if name:
            start, end = self._locate(event.start_mark), self._locate(event.end_mark)
            is_alias = isinstance(event, AliasEvent)
            kept = self._document.aliases if is_alias else self._document.anchors
            kept.append(Anchor(str(name), start, end))

    def _locate(self, mark: _Event) -> int:
        index = int(mark.index)
        return index + bisect_right(self._dropped, index) if self._dropped else index

    def _read_node(self, event: _Event) -> Node:
        self._note(event)
        start, end = self._locate(event.start_mark), self._locate(event.end_mark)
        if isinstance(event, AliasEvent):
            return Node(Shape.ALIAS, start, start, end)
        is_object = isinstance(event, MappingStartEvent)
        if not isinstance(event, ScalarEvent):
            node = self._make_node(event, Shape.OBJECT if is_object else Shape.LIST)
            self._read_children(node)
            return node
        node = Node(Shape.SCALAR, start, start, end, anchor=event.anchor or "", tag=event.tag or "")
        self._skip_properties(node, end)
        node.style = event.style or ""
        node.end = self._find_block_end(node) if node.style in {"|", ">"} else end
        return node

    def _make_node(self, event: _Event, shape: Shape) -> Node:
        """Make the node of a collection, without its parts and its end."""
        start = self._locate(event.start_mark)
        node = Node(shape, start, start, start, anchor=event.anchor or "", tag=event.tag or "")
        node.is_flow = bool(event.flow_style)
        self._skip_properties(node, len(self._text))
        return node

    def _read_children(self, node: Node) -> None:
        while not isinstance(inner := self._next(), CollectionEndEvent):
            if node.shape is Shape.OBJECT:
                node.keys.append(self._read_node(inner))
                inner = self._next()
            node.children.append(self._read_node(inner))
        last = node.children[-1] if node.children else None
        node.end = last.end if last and not node.is_flow else self._locate(inner.end_mark)

    def _skip_properties(self, node: Node, end: int) -> None:
        """Set where the content begins, behind the anchor and the tag."""
        if not node.anchor and not node.tag:
            return
        found = _PROPERTIES.match(self._text, node.start)
        at = found.end() if found else node.start
        space = _SPACE.match(self._text, at)
        node.content = min(space.end() if space else at, end)

    def _find_block_end(self, node: Node) -> int:
        """Return the end of the last line of a block; with ``+``, empty lines are content."""
        header = _BLOCK_HEADER.match(self._text, node.content)
        if header and "+" in header[0]:
            return node.end
        return node.content + len(self._text[node.content : node.end].rstrip(" \t\r\n"))
