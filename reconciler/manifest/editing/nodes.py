"""The nodes of a value in a text, with their offsets in characters."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Shape(Enum):
    """What a node is in the text."""

    SCALAR = "scalar"
    OBJECT = "object"
    LIST = "list"
    ALIAS = "alias"


@dataclass(slots=True)
class Node:
    """A value in a text: ``text[content:end]``, and anchor and tag from ``start``.

    ``is_flow`` tells whether a collection is written in brackets. ``style`` is that of a scalar:
    empty if plain, a quotation mark, or the character that begins a block. ``keys`` are those of
    an object, and ``children`` its values, or the elements of a list. The end of a block is that of
    its last line with content.
    """

    shape: Shape
    start: int
    content: int
    end: int
    is_flow: bool = False
    style: str = ""
    anchor: str = ""
    tag: str = ""
    keys: list[Node] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
