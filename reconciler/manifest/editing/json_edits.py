"""Edits of JSON text, in the formatting that it has."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from reconciler.core.values import Json
from reconciler.manifest.editing.nodes import Node
from reconciler.manifest.editing.value_edits import Place, ValueEdits

_INDENT: Final = re.compile(r"[\[{,]\r?\n([ \t]+)")
_COMPACT: Final = re.compile(r'":[^\s]')


class JsonEdits(ValueEdits):
    """Collects the splices of one JSON text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        compact = _COMPACT.search(text) is not None
        self._separators = (",", ":") if compact else (", ", ": ")
        self._escapes = text.isascii() and "\\u" in text
        found = _INDENT.search(text)
        self._step = found[1] if found else "  "

    def touch(self, node: Node, old: Json) -> None:
        """Do nothing: JSON has no anchors."""

    def replace(self, node: Node, old: Json, new: Json, place: Place) -> None:  # noqa: ARG002 - JSON has one way to write a value
        """Replace the whole text of a value."""
        text = self.text[node.content : node.end]
        is_tall = "\n" in text or (not text.startswith(("{", "[")) and self._begins_line(node))
        self.put(node.content, node.end, self._format(new, node.content, is_tall=is_tall))

    def format_flow_entry(self, node: Node, key: str, value: Json) -> str:
        """Write an entry that is added to an object."""
        name = json.dumps(key, ensure_ascii=self._escapes)
        is_tall = self._begins_line(node.keys[0])
        colon = self.text[node.keys[0].end : node.children[0].start]
        return name + colon + self._format(value, node.keys[0].start, is_tall=is_tall)

    def format_flow_element(self, node: Node, value: Json) -> str:
        """Write an element that is added to a list."""
        first = node.children[0]
        return self._format(value, first.start, is_tall=self._begins_line(first))

    def append(self, node: Node, entries: Sequence[Json]) -> None:
        """Add tasks to their list, whose only child is the last one, if there are any."""
        if node.children:
            last = node.children[0]
            is_tall = "\n" in self.text[last.start : last.end]
            separator = self._find_separator(node)
            texts = (self._format(entry, last.start, is_tall=is_tall) for entry in entries)
            self.put(last.end, last.end, "".join(separator + text for text in texts))
            return
        is_tall = self._begins_line(node)
        line = self.text[self.find_line(node.start) :]
        lead = line[: len(line) - len(line.lstrip(" \t"))] if is_tall else ""
        before = f"\n{lead}{self._step}" if is_tall else ""
        comma = f",{before}" if is_tall else self._separators[0]
        inner = comma.join(self._format(entry, node.start, is_tall=False) for entry in entries)
        after = f"\n{lead}" if is_tall else ""
        self.put(node.start, node.end, f"[{before}{inner}{after}]")

    def format_comma(self) -> str:
        """Return what stands between two parts on one line."""
        return self._separators[0]

    def _begins_line(self, node: Node) -> bool:
        """Tell whether a node is on a line of its own, with only its key before it."""
        before = self.text[self.find_line(node.start) : node.start].strip()
        return self.find_line(node.start) > 0 and "{" not in before and "[" not in before

    def _format(self, value: Json, at: int, *, is_tall: bool) -> str:
        if not is_tall or not isinstance(value, dict | list):
            return json.dumps(value, ensure_ascii=self._escapes, separators=self._separators)
        separators = (",", self._separators[1])
        text = json.dumps(
            value, ensure_ascii=self._escapes, indent=self._step, separators=separators
        )
        line = self.text[self.find_line(at) :]
        lead = line[: len(line) - len(line.lstrip(" \t"))]
        return text.replace("\n", f"\n{lead}")
