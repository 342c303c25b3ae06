"""Edits of YAML text: blocks, styles of scalars, anchors and aliases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from reconciler.core.values import Json
from reconciler.manifest.editing.nodes import Node, Shape
from reconciler.manifest.editing.splices import CannotEditError
from reconciler.manifest.editing.value_edits import FLOW, Place, ValueEdits
from reconciler.manifest.editing.yaml_nodes import TaskList, YamlDocument
from reconciler.manifest.readers.scalars import TAG
from reconciler.manifest.writers.yaml_scalars import (
    format_scalar,
    quote,
    split_block_lines,
)
from reconciler.manifest.writers.yaml_values import (
    format_element,
    format_entry,
    format_flow,
    format_list,
    format_object,
    format_value_after,
)

_HEADER: Final = re.compile(r"([|>])([0-9]?)[+-]?([0-9]?)[+-]?")
_LEAD: Final = re.compile(r"(?:[ \t]*(?:\r\n?|\n))*( *)")
_GAP: Final = re.compile(r"(?:[ \t\r\n]+|#[^\r\n]*)*")
_LITERAL: Final = re.compile(r"\|-?\n")
_COMMENT: Final = re.compile(r"(?:[ \t]*(?:\r\n?|\n))*( *)#[^\r\n]*(?:\r\n?|\n|\Z)")
_KEY_LINE: Final = re.compile(r" *(?:- +)*(?=[^ \t\r\n#])")
"""What is before the key on a line; nothing matches empty lines and comments."""

_HELD: Final = re.compile(r"(?:[&!]\S*[ \t]*)+")
_ANCHOR: Final = re.compile(r"&\S+[ \t]*")
_TYPES: Final = {
    "str": str,
    "int": int,
    "float": int | float,
    "bool": bool,
    "null": type(None),
    "map": dict,
    "seq": list,
}


class YamlEdits(ValueEdits):
    """Collects the splices of one YAML text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.touched: list[tuple[Node, Json]] = []

    def touch(self, node: Node, old: Json) -> None:
        """Remember an anchor whose value changes or goes away."""
        if node.anchor:
            self.touched.append((node, old))

    def keep_anchors(self, document: YamlDocument) -> None:
        """Move the anchors that aliases still need to the first of these aliases.

        Raises CannotEditError if an anchor cannot be taken away from its node.
        """
        moved: set[int] = set()
        for node, old in self.touched:
            if node.start in moved:
                continue
            moved.add(node.start)
            again = (a.start for a in document.anchors if a.name == node.anchor)
            until = min((start for start in again if start > node.start), default=len(self.text))
            uses = [
                use
                for use in document.aliases
                if use.name == node.anchor
                and node.start < use.start < until
                and not self._is_gone(use.start, use.end)
            ]
            if uses:
                self._move_anchor(node, old, uses[0].start, uses[0].end)

    def _is_gone(self, start: int, end: int) -> bool:
        return any(splice.start <= start and end <= splice.end for splice in self.splices)

    def _move_anchor(self, node: Node, old: Json, start: int, end: int) -> None:
        self.put(start, end, f"&{node.anchor} {format_flow(old)}")
        if self._is_gone(node.start, node.start + 1):
            return
        found = _ANCHOR.match(self.text, node.start)
        if node.tag or not found:
            raise CannotEditError(f"the anchor &{node.anchor} has a tag")
        self.put(node.start, min(found.end(), max(node.content, node.start + 1)), "")

    def get_place(self, node: Node, index: int) -> Place:
        """Return the place of a part of a collection."""
        if node.is_flow:
            return FLOW
        indent = self._get_column(node)
        if node.shape is Shape.LIST:
            mark = self.get_start(node, index) + 1
            return Place(in_flow=False, is_entry=False, indent=indent, mark=mark)
        mark = self.text.index(":", node.keys[index].end) + 1
        return Place(in_flow=False, indent=indent, mark=mark)

    def get_start(self, node: Node, index: int) -> int:
        """Return where a part of a collection begins: its key, its dash, or an element in [ ]."""
        index %= len(node.children)
        if node.is_flow or node.shape is Shape.OBJECT:
            start = super().get_start(node, index)
            lead = self.text[self.find_line(start) : start]
            if not node.is_flow and lead.rstrip(" \t").endswith("?"):
                raise CannotEditError("a key is written with a question mark")
            return start
        before = node.children[index - 1].end if index else node.content
        found = _GAP.match(self.text, before)
        at = found.end() if found else before
        if self.text[at : at + 1] != "-":
            raise CannotEditError("an element has no dash")
        return at

    def format_flow_entry(self, node: Node, key: str, value: Json) -> str:  # noqa: ARG002 - as JSON needs it
        """Write an entry that is added to an object in brackets."""
        return format_flow({key: value})[1:-1]

    def format_flow_element(self, node: Node, value: Json) -> str:  # noqa: ARG002 - as above
        """Write an element that is added to a list in brackets."""
        return format_flow(value)

    def insert(self, node: Node, after: int, entries: Sequence[tuple[str, Json]]) -> None:
        """Insert entries behind the part with index ``after``."""
        if node.is_flow:
            super().insert(node, after, entries)
            return
        indent = self._get_column(node)
        spaces = " " * indent
        if node.shape is Shape.OBJECT:
            lines = [spaces + format_entry(key, value, indent=indent) for key, value in entries]
        else:
            lines = [f"{spaces}-{format_element(value, indent=indent)}" for _, value in entries]
        if after < 0:
            at = self.find_line(self.get_start(node, 0))
            if self.text[at : self.get_start(node, 0)].strip(" "):
                raise CannotEditError("the first element is not on a line of its own")
        else:
            is_last = after == len(node.children) - 1
            at = self._find_below_comments(
                self.find_below(node.children[after].end),
                indent if is_last and not self._is_beside_its_key(node) else indent + 1,
            )
        self._put_lines(at, "".join(lines))

    def _find_below_comments(self, at: int, indent: int) -> int:
        """Return where the line below the comments at an offset begins that have an indentation.

        They belong to what is above: new lines between would make them comments on these.
        """
        while (found := _COMMENT.match(self.text, at)) and len(found[1]) >= indent:
            at = found.end()
        return at

    def _is_beside_its_key(self, node: Node) -> bool:
        """Tell whether the dashes of a list are at the column of its key, as its comments are."""
        if node.shape is not Shape.LIST:
            return False
        column, line = self._get_column(node), self.find_line(node.content)
        while line:
            line = self.find_line(line - 1 - self.text.endswith("\r\n", 0, line))
            found = _KEY_LINE.match(self.text, line)
            if found:
                return len(found[0]) == column
        return False

    def append(self, tasks: TaskList, entries: Sequence[Json]) -> None:
        """Add tasks behind the last one, which is the only child of the list if there are any."""
        key, node, in_flow = tasks
        if node.children:
            self.insert(node, len(node.children) - 1, [("", entry) for entry in entries])
        elif in_flow or node.anchor or node.tag:
            self._put_inline(node.content, node.end, format_flow([*entries]))
        else:
            mark = self.text.index(":", key.end) + 1
            place = Place(in_flow=False, indent=self._get_column(key), mark=mark)
            self._replace_beside(node, [*entries], place)

    def _put_lines(self, at: int, lines: str) -> None:
        if at == len(self.text) and not self.text.endswith(("\n", "\r")):
            self.put(at, at, "\n" + _drop_last_break(lines))
        else:
            self.put(at, at, lines)

    def remove(self, node: Node, first: int, last: int) -> None:
        """Remove a run of parts; at least one part is kept."""
        if node.is_flow:
            super().remove(node, first, last)
            return
        start, end = self.get_start(node, first), node.children[last].end
        line = self.find_line(start)
        if not self.text[line:start].strip(" "):
            below = self.find_below(end)
            if below == len(self.text) and not self.text.endswith(("\n", "\r")) and line:
                line -= len(self.line_break)
            self.put(line, below, "")
            return
        following = self.get_start(node, last + 1)
        line_end = self.find_line_end(end)
        if "#" in self.text[min(line_end, following) : following]:
            self.put(line + len(self.text[line:start].rstrip(" \t")), line_end, "")
        else:
            self.put(start, following, "")

    def replace(self, node: Node, old: Json, new: Json, place: Place) -> None:
        """Replace the whole text of a value, in its style where that can express the new one."""
        self.drop(node, old)
        start = node.content
        if node.tag and not _fits_tag(node.tag, new):
            if node.anchor:
                raise CannotEditError(f"the anchor &{node.anchor} has a tag")
            start = node.start
        is_held = bool(node.anchor or node.tag)
        is_flow = node.is_flow or node.shape is Shape.ALIAS or is_held
        is_tall = isinstance(new, dict | list) and bool(new)
        is_block = node.shape in {Shape.OBJECT, Shape.LIST} and not node.is_flow
        if is_held and is_block and self._has_line_break(node.start, start):
            self._replace_held_below(node, new)
        elif place.in_flow or (is_flow and is_tall):
            self._put_inline(start, node.end, _format_inline(node, new, in_flow=place.in_flow))
        elif isinstance(new, str) and node.style in {"|", ">"} and not is_held:
            self._replace_block_text(node, new)
        elif is_held or (isinstance(new, str) and node.style):
            self._put_inline(start, node.end, _format_inline(node, new, in_flow=False))
        elif self._has_line_break(place.mark, start):
            self._replace_below(node, new, place)
        elif is_block:
            self._replace_compact(node, new)
        else:
            self._replace_beside(node, new, place)

    def _put_inline(self, start: int, end: int, text: str) -> None:
        is_close = start == end and self.text[start - 1 : start] not in {" ", "\t", "\n", "["}
        ended = "\n" if end > start and self.text[end - 1] in "\r\n" else ""
        self.put(start, end, (" " if is_close else "") + text + ended)

    def _replace_beside(self, node: Node, new: Json, place: Place) -> None:
        """Replace a value that is on the line of its key or dash."""
        form = format_value_after if place.is_entry else format_element
        first, _, rest = form(new, indent=place.indent)[:-1].partition("\n")
        start = node.content
        if not first:
            start = place.mark
        elif start > place.mark:
            first = first.removeprefix(" ")
        if node.end > start and self.text[node.end - 1] in "\r\n":
            self.put(start, node.end, f"{first}\n{rest}\n" if rest else f"{first}\n")
            return
        self.put(start, node.end, first)
        if rest:
            at = self.find_line_end(node.end)
            ended = "" if at < len(self.text) else "\n"
            self.put(at, at, _drop_last_break(f"{first}\n{rest}{ended}").removeprefix(first))

    def _replace_below(self, node: Node, new: Json, place: Place) -> None:
        """Replace a value that is below its key or dash."""
        if node.shape is Shape.SCALAR or node.is_flow or node.shape is Shape.ALIAS:
            self._put_inline(node.content, node.end, _format_inline(node, new, in_flow=False))
        elif isinstance(new, dict | list) and new and self._get_column(node) > place.indent:
            self._replace_compact(node, new)
        else:  # a list may begin at the column of its key, but an object may not
            form = format_value_after if place.is_entry else format_element
            first, _, rest = form(new, indent=place.indent)[:-1].partition("\n")
            self.put(place.mark, place.mark, first)
            ended = "\n" if self.text[node.end - 1] in "\r\n" else ""
            end = node.end if ended else self.find_line_end(node.end)
            if end == len(self.text) and rest:
                ended = "\n"
            self.put(self.find_line_end(place.mark), end, (f"\n{rest}" if rest else "") + ended)

    def _replace_held_below(self, node: Node, new: Json) -> None:
        """Replace a value below its anchor or tag: the new one stands beside them."""
        found = _HELD.match(self.text, node.start)
        mark = found.end() if found else node.start
        gap = "" if self.text[mark - 1 : mark] in {" ", "\t"} else " "
        behind = " " if self.text[mark : mark + 1] == "#" else ""
        self.put(mark, mark, gap + _format_inline(node, new, in_flow=False) + behind)
        ended = "\n" if self.text[node.end - 1] in "\r\n" else ""
        end = node.end if ended else self.find_line_end(node.end)
        self.put(self.find_line_end(mark), end, ended)

    def _has_line_break(self, start: int, end: int) -> bool:
        text = self.text[start:end]
        return "\n" in text or "\r" in text

    def _replace_compact(self, node: Node, new: Json) -> None:
        """Replace a block by another value that begins at the same column."""
        column = self._get_column(node)
        if isinstance(new, dict) and new:
            text = format_object(new, indent=column)[column:-1]
        elif isinstance(new, list) and new:
            text = format_list(new, indent=column)[column:-1]
        else:
            text = format_flow(new)
        ended = "\n" if self.text[node.end - 1] in "\r\n" else ""
        end = node.end
        if not ended and _LITERAL.search(text):
            # A comment behind the old value would become a part of the new one.
            end = self.find_line_end(end)
            ended = "\n" if end == len(self.text) else ""
        self.put(node.content, end, text + ended)

    def _replace_block_text(self, node: Node, new: str) -> None:
        """Replace the lines of a literal or folded text, at their indentation.

        What a folded text cannot express becomes literal, and what that cannot is quoted.
        """
        header = _HEADER.match(self.text, node.content)
        lines = split_block_lines(new if "\n" in new else f"{new}\n")
        is_folded = node.style == ">" and lines is not None and _can_be_folded(lines)
        line_end = self.find_line_end(node.content)
        if not header or not lines or line_end >= node.end:
            self._put_inline(node.content, node.end, quote(new))
            return
        lead = _LEAD.match(self.text, line_end)
        indent = lead[1] if lead and not header[2] and not header[3] else None
        if not indent:
            self._put_inline(node.content, node.end, quote(new))
            return
        style = ">" if is_folded else "|"
        self.put(node.content, header.end(), style + ("" if new.endswith("\n") else "-"))
        between = "\n\n" if is_folded else "\n"
        body = between.join(indent + line if line else "" for line in lines)
        is_last = node.end == len(self.text) or self.text[node.end - 1] in "\r\n"
        self.put(line_end, node.end, f"\n{body}" + ("\n" if is_last else ""))

    def _get_column(self, node: Node) -> int:
        return node.content - self.find_line(node.content)


def _drop_last_break(lines: str) -> str:
    """Drop the last line break, unless a literal text may need it."""
    return lines if _LITERAL.search(lines) or not lines.endswith("\n") else lines[:-1]


def _can_be_folded(lines: Sequence[str]) -> bool:
    """Tell whether an empty line between each two lines keeps them apart, and does only that."""
    return not any(not line or line[0] in " \t" for line in lines)


def _fits_tag(tag: str, value: Json) -> bool:
    name = tag.removeprefix(TAG)
    kind = _TYPES.get(name)
    if kind is None or not tag.startswith(TAG):
        return False
    return isinstance(value, kind) and (isinstance(value, bool) == (name == "bool"))


def _format_inline(node: Node, value: Json, *, in_flow: bool) -> str:
    """Write a value on one line; text in the quotation marks that the node has."""
    if isinstance(value, dict | list):
        return format_flow(value)
    if isinstance(value, str) and node.style == '"':
        return quote(value)
    if isinstance(value, str) and node.style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return format_scalar(value, in_flow=in_flow)
