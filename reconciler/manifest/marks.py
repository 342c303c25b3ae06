"""Where everything in a document stands, in 16 bytes a node."""

from __future__ import annotations

from array import array
from typing import Final, TypeAlias

from reconciler.errors import Source
from reconciler.plan.values import Json

Steps: TypeAlias = tuple[str | int, ...]
"""A place inside a document: keys of objects and indices of lists."""

_COLUMN_BITS: Final = 32


class Marks:
    """The places of a document's nodes, in the order in which they stand.

    A node is a value or a key; an object's nodes are itself, then each key followed by what
    its value holds. The place of a path is found by walking the values and counting nodes,
    which only those few pay for whose place is asked for.
    """

    __slots__ = ("_marks", "file")

    def __init__(self, file: str) -> None:
        self.file = file
        self._marks = array("Q")

    def __len__(self) -> int:
        return len(self._marks)

    def add(self, line: int, column: int) -> None:
        """Add the next node; ``line`` and ``column`` count from 1."""
        self._marks.append(line << _COLUMN_BITS | column)

    def forget(self, since: int) -> None:
        """Drop the nodes from index ``since`` on: their value is not kept."""
        del self._marks[since:]

    def repeat(self, start: int, end: int) -> None:
        """Add the nodes ``start`` to ``end`` once more, for an alias of what holds them."""
        self._marks.extend(self._marks[start:end])

    def extend(self, other: Marks) -> None:
        """Add all nodes of ``other``, a part of the same file."""
        self._marks.extend(other._marks)

    def source(self, node: int) -> Source:
        """Tell where the node with index ``node`` stands."""
        mark = self._marks[node]
        return Source(self.file, mark >> _COLUMN_BITS, mark & (1 << _COLUMN_BITS) - 1)


def node_of(value: Json, steps: Steps, *, start: int = 0) -> int:
    """Find the node of the value at ``steps`` inside ``value``, whose own node is ``start``.

    Raises LookupError where there is nothing.
    """
    node = start
    for step in steps:
        key_node, value = _child(value, step, node)
        node = key_node + isinstance(step, str)
    return node


def key_node_of(value: Json, steps: Steps, *, start: int = 0) -> int:
    """Find the node of the key that ``steps`` end with; of a list's element, the element."""
    parent = start
    for step in steps[:-1]:
        key_node, value = _child(value, step, parent)
        parent = key_node + isinstance(step, str)
    return _child(value, steps[-1], parent)[0] if steps else start


def _child(value: Json, step: str | int, node: int) -> tuple[int, Json]:
    """Find the key's, or the element's, node below the container at ``node``."""
    if isinstance(value, dict) and step in value:
        keys = list(value)
        before = keys[: keys.index(str(step))]
        return node + 1 + sum(1 + extent(value[key]) for key in before), value[str(step)]
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return node + 1 + sum(map(extent, value[:step])), value[step]
    raise LookupError(step)


def extent(value: Json) -> int:
    """Count the nodes of a value: itself, and all below."""
    if isinstance(value, dict):
        return 1 + sum(1 + extent(inner) for inner in value.values())
    if isinstance(value, list):
        return 1 + sum(map(extent, value))
    return 1
