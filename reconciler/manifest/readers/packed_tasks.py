"""The tasks of a document that lies in memory, in a fifth of what their objects would take."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from reconciler.core.values import Json

Entry: TypeAlias = tuple[int, Json, bytes]
"""A task as its document gives it: its index, its value, and the shortest JSON text of it."""


class PackedTasks:
    """A list of JSON values, each kept as text and made anew when it is asked for.

    ``extent`` counts the nodes of all of them among the marks of their document.
    """

    def __init__(self) -> None:
        self.extent = 0
        self._texts: list[bytes] = []
        self._nodes = array("Q")

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, index: int) -> Json:
        value: Json = msgspec.json.decode(self._texts[index])
        return value

    def __iter__(self) -> Iterator[Json]:
        return map(msgspec.json.Decoder().decode, self._texts)

    def entries(self) -> Iterator[Entry]:
        """Give each value with its index and its text."""
        return zip(range(len(self)), self, self._texts, strict=True)

    def append(self, value: Json, *, node: int, end: int) -> None:
        """Add a value whose nodes are ``node`` up to, but not including, ``end``."""
        self._texts.append(msgspec.json.encode(value))
        self._nodes.append(node)
        self.extent += end - node

    def node_of(self, index: int) -> int:
        """Tell the node of the value at ``index``."""
        return self._nodes[index]
