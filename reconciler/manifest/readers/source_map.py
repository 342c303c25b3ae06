"""The places of all nodes of a document, in 8 bytes each."""

from __future__ import annotations

from array import array
from typing import Final, TypeAlias

from reconciler.core.values import Json
from reconciler.errors import Source

Steps: TypeAlias = tuple[str | int, ...]
"""A place inside a document: keys of objects and indices of lists."""

_COLUMN_BITS: Final = 32


class SourceMap:
    """The places of a document's nodes, in document order.

    A node is a value or a key; an object's nodes are itself, then each key followed by the nodes
    of its value. Looking up a path numbers the nodes of the task around it: only tasks whose
    places are asked for cost that time.
    """

    __slots__ = ("_nodes", "file")

    def __init__(self, file: str) -> None:
        self.file = file
        self._nodes = array("Q")

    def __len__(self) -> int:
        return len(self._nodes)

    def add(self, line: int, column: int) -> None:
        """Add the next node; ``line`` and ``column`` count from 1."""
        self._nodes.append(line << _COLUMN_BITS | column)

    def forget(self, since: int) -> None:
        """Drop the nodes from index ``since`` on, whose value is not kept."""
        del self._nodes[since:]

    def copy_since(self, start: int) -> array[int]:
        """Copy the places of the nodes from ``start`` on, which may be dropped later."""
        return self._nodes[start:]

    def repeat(self, places: array[int]) -> None:
        """Add the nodes of an anchor again, for an alias."""
        self._nodes.extend(places)

    def get_source(self, node: int) -> Source:
        """Return the place of the node with index ``node``."""
        place = self._nodes[node]
        return Source(self.file, place >> _COLUMN_BITS, place & (1 << _COLUMN_BITS) - 1)


def list_nodes(value: Json, *, start: int) -> dict[Steps, tuple[int, int]]:
    """Map steps inside ``value``, whose node is ``start``, to the nodes of key and value.

    An element of a list, and ``value`` itself, have no key: both nodes are the value's.
    """
    found: dict[Steps, tuple[int, int]] = {(): (start, start)}
    _number_nodes(value, (), start + 1, found)
    return found


def _number_nodes(value: Json, steps: Steps, node: int, found: dict[Steps, tuple[int, int]]) -> int:
    """Assign numbers to the nodes inside ``value`` from ``node`` on, and return the next number."""
    if isinstance(value, dict):
        for key, inner in value.items():
            found[*steps, key] = (node, node + 1)
            node = _number_nodes(inner, (*steps, key), node + 2, found)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found[*steps, index] = (node, node)
            node = _number_nodes(inner, (*steps, index), node + 1, found)
    return node


def count_nodes(value: Json) -> int:
    """Count the nodes of a value, itself included."""
    if isinstance(value, dict):
        return 1 + sum(1 + count_nodes(inner) for inner in value.values())
    if isinstance(value, list):
        return 1 + sum(map(count_nodes, value))
    return 1
