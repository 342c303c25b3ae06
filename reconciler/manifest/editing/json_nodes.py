"""The nodes of a JSON value in a text that the reader accepts."""

from __future__ import annotations

import re
from typing import Final

from reconciler.manifest.editing.nodes import Node, Shape

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_SCALAR: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|[^][{},:" \t\r\n]+')


def read_json_nodes(text: str, start: int = 0) -> Node:
    """Read the nodes of the value that begins at ``start``, or behind the space there."""
    return _read_value(text, _skip(text, start))


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _read_value(text: str, at: int) -> Node:
    if text[at : at + 1] not in {"{", "["}:
        return _read_scalar(text, at)
    shape = Shape.OBJECT if text[at] == "{" else Shape.LIST
    node = Node(shape, at, at, at, is_flow=True)
    end = _skip(text, at + 1)
    while text[end] not in "}]":
        if shape is Shape.OBJECT:
            node.keys.append(_read_scalar(text, end))
            end = _skip(text, _skip(text, node.keys[-1].end) + 1)
        node.children.append(_read_value(text, end))
        end = _skip(text, node.children[-1].end)
        if text[end] == ",":
            end = _skip(text, end + 1)
    node.end = end + 1
    return node


def _read_scalar(text: str, at: int) -> Node:
    found = _SCALAR.match(text, at)
    if not found:
        raise ValueError(f"no JSON value at {at}")
    style = '"' if found[0].startswith('"') else ""
    return Node(Shape.SCALAR, at, at, found.end(), style=style)
