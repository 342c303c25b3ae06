"""What a file holds before anybody knows what it means: values, and where they stand."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import accumulate
from typing import Final, Protocol, TypeAlias

import msgspec

from reconciler.core.values import Json
from reconciler.errors import Source
from reconciler.manifest.readers.source_map import SourceMap, Steps, count_nodes, list_nodes

MAX_DEPTH: Final = 100
"""Objects and lists inside each other; deeper ones are nobody's data and exhaust readers."""

Entry: TypeAlias = tuple[int, Json, bytes]
"""A task as its document gives it: its index, its value, and the shortest JSON text of it."""


class Document(Protocol):
    """One document of a file: what stands around its tasks, the tasks, and where all of it is.

    In ``outline`` the list of tasks is there, and empty. Once the tasks have been read, several
    threads may ask for them and their places at once.
    """

    outline: Json

    def read_tasks(self) -> Iterator[Entry]:
        """Give the elements of ``tasks`` in order; to be called once."""
        ...

    def read_task(self, index: int) -> Json:
        """Give one element of ``tasks`` again; raises ManifestError where it has changed."""
        ...

    def locate_value(self, steps: Steps) -> Source:
        """Tell where the value at ``steps`` begins; raises LookupError where there is none."""
        ...

    def locate_key(self, steps: Steps) -> Source:
        """Tell where the key, or the list's element, that ``steps`` end with begins.

        Raises LookupError where there is none.
        """
        ...


class PackedTasks:
    """A list of JSON values, each kept as text and made anew when it is asked for.

    ``extent`` counts the nodes of all of them among those of their document.
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
        """Give each value with its index and its text."""
        return zip(range(len(self)), self, self._texts, strict=True)

    def append(self, value: Json, *, node: int, end: int) -> None:
        """Add a value whose nodes are ``node`` up to, but not including, ``end``."""
        self._texts.append(msgspec.json.encode(value))
        self._nodes.append(node)
        self.extent += end - node

    def get_node(self, index: int) -> int:
        """Tell the node of the value at ``index``."""
        return self._nodes[index]


class MappedDocument:
    """A document that has been read as a whole, with the place of each node.

    ``packed`` are the tasks that its reader has taken out of ``value``.
    """

    def __init__(self, value: Json, packed: PackedTasks, source_map: SourceMap) -> None:
        self.outline = value
        self._packed = packed
        self._source_map = source_map
        self._numbered: tuple[int, dict[Steps, tuple[int, int]]] | None = None
        self._pack_what_is_left()

    def _pack_what_is_left(self) -> None:
        """Take out the tasks that an alias stands for: to the reader it was a value like any."""
        tasks = self.outline.get("tasks") if isinstance(self.outline, dict) else None
        if isinstance(tasks, list) and tasks and isinstance(self.outline, dict):
            node = self._key_nodes["tasks"] + 2
            for task in tasks:
                end = node + count_nodes(task)
                self._packed.append(task, node=node, end=end)
                node = end
            self.outline = {**self.outline, "tasks": []}

    def assemble(self) -> Json:
        """Give the value that was written, its tasks in their place."""
        if isinstance(self.outline, dict) and len(self._packed):
            return {**self.outline, "tasks": list(self._packed)}
        return self.outline

    def read_tasks(self) -> Iterator[Entry]:
        """Give the elements of ``tasks`` in order."""
        return self._packed.iterate_entries()

    def read_task(self, index: int) -> Json:
        """Give one element of ``tasks``."""
        return self._packed[index]

    def locate_value(self, steps: Steps) -> Source:
        """Tell where the value at ``steps`` begins; raises LookupError where there is none."""
        return self._source_map.get_source(self._find_nodes(steps)[1])

    def locate_key(self, steps: Steps) -> Source:
        """Tell where the key, or the list's element, that ``steps`` end with begins.

        Raises LookupError where there is none.
        """
        return self._source_map.get_source(self._find_nodes(steps)[0])

    def _find_nodes(self, steps: Steps) -> tuple[int, int]:
        """Find the key's and the value's node, by numbering only the part they lie in."""
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
        """By key of the outermost object: the key's node."""
        top = self.outline if isinstance(self.outline, dict) else {}
        extents = (
            1 + count_nodes(value) + (self._packed.extent if key == "tasks" else 0)
            for key, value in top.items()
        )
        return dict(zip(top, accumulate(extents, initial=1), strict=False))
