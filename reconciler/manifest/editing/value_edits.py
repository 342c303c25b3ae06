"""The difference between two values as splices in the text of the first; pure.

Only what differs is touched: an element of a list, an entry of an object. This part edits values
in brackets, in YAML and JSON alike; `yaml_edits` adds blocks.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from reconciler.core.values import Json, is_same
from reconciler.manifest.editing.nodes import Node, Shape
from reconciler.manifest.editing.splices import CannotEditError, Splice

_COMMA: Final = re.compile(r"\s*,\s*")
_LINE_BREAK: Final = re.compile(r"\r\n?|\n")


class Place(NamedTuple):
    """Where a value stands.

    In a block, ``indent`` is the column of its key or dash, and ``mark`` the offset behind the
    colon or dash.
    """

    in_flow: bool = True
    is_entry: bool = True
    indent: int = 0
    mark: int = 0


FLOW: Final = Place()

WHOLE: Final = Place(indent=-1)
"""The place of a task, which is never replaced as a whole."""


class ValueEdits(ABC):
    """Collects the splices of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.splices: list[Splice] = []
        found = _LINE_BREAK.search(text)
        self.line_break = found[0] if found else "\n"
        self._has_returns = "\r" in text

    def edit(self, node: Node, old: Json, new: Json, place: Place) -> None:
        """Turn the text of ``old`` into one of ``new``; raises CannotEditError."""
        if is_same(old, new):
            return
        self.touch(node, old)
        known = len(self.splices)
        try:
            if isinstance(old, dict) and isinstance(new, dict) and node.shape is Shape.OBJECT:
                self._edit_object(node, old, new, place)
                return
            if isinstance(old, list) and isinstance(new, list) and node.shape is Shape.LIST:
                self._edit_list(node, old, new, place)
                return
        except CannotEditError:
            if place is WHOLE:
                raise
            del self.splices[known:]
        self.replace(node, old, new, place)

    @abstractmethod
    def touch(self, node: Node, old: Json) -> None:
        """Note that the value of a node changes; for formats with anchors."""

    @abstractmethod
    def replace(self, node: Node, old: Json, new: Json, place: Place) -> None:
        """Replace the whole text of a value; raises CannotEditError."""

    @abstractmethod
    def format_flow_entry(self, node: Node, key: str, value: Json) -> str:
        """Write an entry that is added to an object in brackets."""

    @abstractmethod
    def format_flow_element(self, node: Node, value: Json) -> str:
        """Write an element that is added to a list in brackets."""

    def get_place(self, _node: Node, _index: int) -> Place:
        """Return the place of a part of a collection."""
        return FLOW

    def insert(self, node: Node, after: int, entries: Sequence[tuple[str, Json]]) -> None:
        """Insert entries behind the part with index ``after``; the keys of elements are empty."""
        texts = [
            self.format_flow_entry(node, key, value)
            if node.shape is Shape.OBJECT
            else self.format_flow_element(node, value)
            for key, value in entries
        ]
        separator = self._find_separator(node)
        if after < 0:
            at = self.get_start(node, 0)
            self.put(at, at, "".join(text + separator for text in texts))
        else:
            at = node.children[after].end
            self.put(at, at, "".join(separator + text for text in texts))

    def remove(self, node: Node, first: int, last: int) -> None:
        """Remove a run of parts; at least one part is kept."""
        start = self.get_start(node, first)
        if last + 1 < len(node.children):
            self.put(start, self.get_start(node, last + 1), "")
            return
        before = node.children[first - 1].end
        end = node.children[last].end
        if "#" in self.text[before:start]:
            comma = self.text.find(",", before, start)
            if self.text[before:comma].strip():
                raise CannotEditError("a comment stands before a comma")
            self.put(comma, comma + 1, "")
            before = start
        self.put(before, end, "")

    def _edit_object(
        self, node: Node, old: Mapping[str, Json], new: Mapping[str, Json], place: Place
    ) -> None:
        names = list(old)
        if len(names) != len(node.children):
            raise CannotEditError("the text has other keys than the value")
        removed = [number for number, name in enumerate(names) if name not in new]
        added = [(key, value) for key, value in new.items() if key not in old]
        is_pair = node.is_flow and self.text[node.content : node.content + 1] != "{"
        if len(removed) == len(names) or ((removed or added) and is_pair):
            self.replace(node, dict(old), dict(new), place)
            return
        for number, name in enumerate(names):
            if name in new:
                inner = self.get_place(node, number)
                self.edit(node.children[number], old[name], new[name], inner)
            else:
                self.drop(node.keys[number], name)
                self.drop(node.children[number], old[name])
        for first, last in _find_runs(removed):
            self.remove(node, first, last)
        if added:
            self.insert(node, len(names) - 1, added)

    def _edit_list(self, node: Node, old: list[Json], new: list[Json], place: Place) -> None:
        if len(old) != len(node.children):
            raise CannotEditError("the text has other elements than the value")
        start, end = _find_ends(old, new)
        paired = min(len(old), len(new)) - start - end
        following = start + paired
        if not start + end + paired:
            self.replace(node, old, new, place)
            return
        for number in range(start, following):
            self.edit(node.children[number], old[number], new[number], self.get_place(node, number))
        if len(old) - end > following:
            for number in range(following, len(old) - end):
                self.drop(node.children[number], old[number])
            self.remove(node, following, len(old) - end - 1)
        elif len(new) - end > following:
            self.insert(node, following - 1, [("", v) for v in new[following : len(new) - end]])

    def drop(self, node: Node, old: Json) -> None:
        """Note that the text of a node goes away, with all that is inside."""
        self.touch(node, old)
        parts = list(old.values()) if isinstance(old, dict) else old
        if isinstance(parts, list) and len(parts) == len(node.children):
            for child, value in zip(node.children, parts, strict=True):
                self.drop(child, value)
        for key in node.keys if isinstance(old, dict) and len(old) == len(node.keys) else ():
            self.touch(key, list(old)[node.keys.index(key)] if isinstance(old, dict) else None)

    def get_start(self, node: Node, index: int) -> int:
        """Return where a part of a collection begins: its key, or the element."""
        parts = node.keys if node.shape is Shape.OBJECT else node.children
        return parts[index].start

    def _find_separator(self, node: Node) -> str:
        """Return what stands between two parts, as the text has it."""
        if len(node.children) > 1:
            between = self.text[node.children[-2].end : self.get_start(node, -1)]
            if _COMMA.fullmatch(between):
                return between
        first = self.get_start(node, -1)
        lead = self.text[self.find_line(first) : first]
        if not lead.strip(" \t"):
            return f",{self.line_break}{lead}"
        return self.format_comma()

    def format_comma(self) -> str:
        """Return what stands between two parts on one line."""
        return ", "

    def put(self, start: int, end: int, text: str) -> None:
        """Add a splice; the line breaks of ``text`` become those of the file."""
        self.splices.append(Splice(start, end, _LINE_BREAK.sub(self.line_break, text)))

    def find_line(self, at: int) -> int:
        """Return where the line around an offset begins."""
        line = self.text.rfind("\n", 0, at)
        return (max(line, self.text.rfind("\r", 0, at)) if self._has_returns else line) + 1

    def find_line_end(self, at: int) -> int:
        """Return where the line around an offset ends, before its line break."""
        found = _LINE_BREAK.search(self.text, at)
        return found.start() if found else len(self.text)

    def find_below(self, at: int) -> int:
        """Return where the line below an offset begins; the end of the text if there is none."""
        if at and self.text[at - 1] in "\r\n":
            return at  # the empty lines of a block are part of it
        found = _LINE_BREAK.search(self.text, at)
        return found.end() if found else len(self.text)


def _find_runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of each run of consecutive numbers."""
    first = 0
    for position, number in enumerate(numbers):
        if position + 1 == len(numbers) or numbers[position + 1] != number + 1:
            yield numbers[first], number
            first = position + 1


def _find_ends(old: Sequence[Json], new: Sequence[Json]) -> tuple[int, int]:
    """Count the elements that are the same at the beginning, and then at the end."""
    most = min(len(old), len(new))
    start = 0
    while start < most and is_same(old[start], new[start]):
        start += 1
    end = 0
    while end < most - start and is_same(old[-1 - end], new[-1 - end]):
        end += 1
    return start, end
