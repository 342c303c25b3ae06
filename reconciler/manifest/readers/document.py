"""The contents of a file before they are interpreted: values and their places."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Final, Protocol, TypeAlias

import msgspec

from reconciler.core.values import Json
from reconciler.errors import Source
from reconciler.manifest.readers.source_map import SourceMap, Steps, count_nodes, list_nodes

MAX_DEPTH: Final = 100
"""Levels of objects and lists: no real data is deeper, and readers have limited stacks."""

Entry: TypeAlias = tuple[int, Json, bytes]
"""A task of a document: its index, its value, and its shortest JSON text."""


class Document(Protocol):
    """One document of a file: its outline, its tasks, and their places.

    ``outline`` is the document with an empty list of tasks. Once the tasks have been read, several
    threads may ask for them and their places at once.
    """

    outline: Json

    def read_tasks(self) -> Iterator[Entry]:
        """Yield the elements of ``tasks`` in order; call it once."""
        ...

    def read_task(self, index: int) -> Json:
        """Read one element of ``tasks`` again; raises ManifestError if it has changed."""
        ...

    def locate_value(self, steps: Steps) -> Source:
        """Return where the value at ``steps`` begins; raises LookupError if there is none."""
        ...

    def locate_key(self, steps: Steps) -> Source:
        """Return where the last key, or list element, of ``steps`` begins.

        Raises LookupError if there is none.
        """
        ...


class CheckedDocument:
    """A document whose tasks were read before, to be read once more in full."""

    def __init__(self, document: Document, indexes: Sequence[int]) -> None:
        self.outline = document.outline
        self._indexes = indexes
        self.read_task = document.read_task
        self.locate_value = document.locate_value
        self.locate_key = document.locate_key

    def read_tasks(self) -> Iterator[Entry]:
        """Yield the tasks that were accepted; raises ManifestError if one has changed."""
        for index in self._indexes:
            value = self.read_task(index)
            yield index, value, msgspec.json.encode(value)


class PackedTasks:
    """A list of JSON values, each kept as text and decoded on demand.

    ``extent`` is how many nodes of the document they have together.
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

    def iterate_entries(self) -> Iterator[Entry]:
        """Yield each value with its index and its text."""
        return zip(range(len(self)), self, self._texts, strict=True)

    def append(self, value: Json, *, node: int, end: int) -> None:
        """Add a value whose nodes are ``node`` up to, but not including, ``end``."""
        self._texts.append(msgspec.json.encode(value))
        self._nodes.append(node)
        self.extent += end - node

    def get_node(self, index: int) -> int:
        """Return the node of the value at ``index``."""
        return self._nodes[index]


class MappedDocument:
    """A document that was read as a whole, with the place of each node.

    ``packed`` are the tasks that the reader took out of ``value``. ``has_anchors`` tells whether
    one place may repeat another, and ``digest`` is that of the bytes of the file.
    """

    digest = b""

    def __init__(
        self,
        value: Json,
        packed: PackedTasks,
        source_map: SourceMap,
        *,
        has_anchors: bool = False,
    ) -> None:
        self.outline = value
        self.has_anchors = has_anchors
        self._packed = packed
        self._source_map = source_map
        self._numbered: tuple[int, dict[Steps, tuple[int, int]]] | None = None
        self._pack_what_is_left()

    def _pack_what_is_left(self) -> None:
        """Take out tasks that an alias repeats: to the reader, they were like any other value."""
        tasks = self.outline.get("tasks") if isinstance(self.outline, dict) else None
        if isinstance(tasks, list) and tasks and isinstance(self.outline, dict):
            node = self._key_nodes["tasks"] + 2
            for task in tasks:
                end = node + count_nodes(task)
                self._packed.append(task, node=node, end=end)
                node = end
            self.outline = {**self.outline, "tasks": []}

    def assemble(self) -> Json:
        """Return the whole value, with its tasks."""
        if isinstance(self.outline, dict) and len(self._packed):
            return {**self.outline, "tasks": list(self._packed)}
        return self.outline

    def count_tasks(self) -> int:
        """Count the elements of ``tasks``."""
        return len(self._packed)

    def read_tasks(self) -> Iterator[Entry]:
        """Yield the elements of ``tasks`` in order."""
        return self._packed.iterate_entries()

    def read_task(self, index: int) -> Json:
        """Return one element of ``tasks``."""
        return self._packed[index]

    def locate_value(self, steps: Steps) -> Source:
        """Return where the value at ``steps`` begins; raises LookupError if there is none."""
        return self._source_map.get_source(self._find_nodes(steps)[1])

    def locate_key(self, steps: Steps) -> Source:
        """Return where the last key, or list element, of ``steps`` begins.

        Raises LookupError if there is none.
        """
        return self._source_map.get_source(self._find_nodes(steps)[0])

    def _find_nodes(self, steps: Steps) -> tuple[int, int]:
        """Find the nodes of the key and the value, by numbering only the part around them."""
        match steps:
            case ("tasks", int(index), *inside) if 0 <= index < len(self._packed):
                start = self._packed.get_node(index)
                return self._find_inside(start, tuple(inside), lambda: self._packed[index])
            case (str(key), *inside) if isinstance(self.outline, dict):
                key_node = self._key_nodes[key]
                if not inside:
                    return key_node, key_node + 1
                part = self.outline[key]
                return self._find_inside(key_node + 1, tuple(inside), lambda: part)
        return self._find_inside(0, steps, lambda: self.outline)

    def _find_inside(self, start: int, steps: Steps, part: Callable[[], Json]) -> tuple[int, int]:
        if not steps:
            return start, start
        numbered = self._numbered
        if numbered is None or numbered[0] != start:
            self._numbered = numbered = start, list_nodes(part(), start=start)
        return numbered[1][steps]

    @cached_property
    def _key_nodes(self) -> dict[str, int]:
        """The nodes of the keys of the outermost object."""
        top = self.outline if isinstance(self.outline, dict) else {}
        extents = (
            1 + count_nodes(value) + (self._packed.extent if key == "tasks" else 0)
            for key, value in top.items()
        )
        return dict(zip(top, accumulate(extents, initial=1), strict=False))
