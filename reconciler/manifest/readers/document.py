"""What a file holds before anybody knows what it means: values, and where they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import accumulate
from typing import Final, Protocol

from reconciler.core.notation import format_path, shorten
from reconciler.core.values import ABSENT, Json, Maybe
from reconciler.errors import Problem, Source
from reconciler.manifest.readers.packed_tasks import Entry, PackedTasks
from reconciler.manifest.readers.source_map import SourceMap, Steps, count_nodes, list_nodes

MAX_DEPTH: Final = 100
"""Objects and lists inside each other; deeper ones are nobody's data and exhaust readers."""

PATH_MAX: Final = 2_000
"""Characters of a path that a message shows: keys may be as long as files are."""

MAX_DIGITS: Final = 4300
"""Digits of an integer: what Python converts without being asked to take its time."""


class Document(Protocol):
    """One document of a file: what stands around its tasks, the tasks, and where all of it is.

    In ``outline`` the list of tasks is there, and empty.
    """

    outline: Json

    def tasks(self) -> Iterator[Entry]:
        """Give the elements of ``tasks`` in order; to be called once."""
        ...

    def task(self, index: int) -> Json:
        """Give one element of ``tasks`` again; raises ManifestError where it has changed."""
        ...

    def value_source(self, steps: Steps) -> Source:
        """Tell where the value at ``steps`` begins; raises LookupError where there is none."""
        ...

    def key_source(self, steps: Steps) -> Source:
        """Tell where the key, or the list's element, that ``steps`` end with begins.

        Raises LookupError where there is none.
        """
        ...


class MarkedDocument:
    """A document that has been read as a whole, with a mark for each node.

    ``packed`` are the tasks that its reader has taken out of ``value``.
    """

    def __init__(self, value: Json, packed: PackedTasks, source_map: SourceMap) -> None:
        self.outline = value
        self._packed = packed
        self._source_map = source_map
        self._numbered: dict[int, dict[Steps, tuple[int, int]]] = {}
        self._pack_what_is_left()

    def _pack_what_is_left(self) -> None:
        """Take out the tasks that an alias stands for: to the reader it was a value like any."""
        tasks = self.outline.get("tasks") if isinstance(self.outline, dict) else None
        if isinstance(tasks, list) and tasks and isinstance(self.outline, dict):
            node = self._top["tasks"] + 2
            for task in tasks:
                end = node + count_nodes(task)
                self._packed.append(task, node=node, end=end)
                node = end
            self.outline = {**self.outline, "tasks": []}

    def whole(self) -> Json:
        """Give the value that was written, its tasks in their place."""
        if isinstance(self.outline, dict) and len(self._packed):
            return {**self.outline, "tasks": list(self._packed)}
        return self.outline

    def tasks(self) -> Iterator[Entry]:
        """Give the elements of ``tasks`` in order."""
        return self._packed.entries()

    def task(self, index: int) -> Json:
        """Give one element of ``tasks``."""
        return self._packed[index]

    def value_source(self, steps: Steps) -> Source:
        """Tell where the value at ``steps`` begins; raises LookupError where there is none."""
        return self._source_map.source(self._nodes(steps)[1])

    def key_source(self, steps: Steps) -> Source:
        """Tell where the key, or the list's element, that ``steps`` end with begins.

        Raises LookupError where there is none.
        """
        return self._source_map.source(self._nodes(steps)[0])

    def _nodes(self, steps: Steps) -> tuple[int, int]:
        """Find the key's and the value's node, by numbering only the part they lie in."""
        match steps:
            case ("tasks", int(index), *inside) if 0 <= index < len(self._packed):
                start = self._packed.node_of(index)
                return self._inside(start, tuple(inside), lambda: self._packed[index])
            case (str(key), *inside) if isinstance(self.outline, dict):
                key_node = self._top[key]
                if not inside:
                    return key_node, key_node + 1
                part = self.outline[key]
                return self._inside(key_node + 1, tuple(inside), lambda: part)
        return self._inside(0, steps, lambda: self.outline)

    def _inside(self, start: int, steps: Steps, part: Callable[[], Json]) -> tuple[int, int]:
        if not steps:
            return start, start
        if start not in self._numbered:
            self._numbered.clear()
            self._numbered[start] = list_nodes(part(), start=start)
        return self._numbered[start][steps]

    @cached_property
    def _top(self) -> dict[str, int]:
        """By key of the outermost object: the key's node."""
        top = self.outline if isinstance(self.outline, dict) else {}
        extents = (
            1 + count_nodes(value) + (self._packed.extent if key == "tasks" else 0)
            for key, value in top.items()
        )
        return dict(zip(top, accumulate(extents, initial=1), strict=False))


class Diagnostics:
    """Collects the problems of one file while it is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def add(
        self, line: int, column: int, message: str, *, hint: str = "", steps: Steps = ()
    ) -> None:
        """Note a problem at ``line`` and ``column``, both from 1."""
        at = Source(self.file, line, column)
        path = shorten(format_path(steps), PATH_MAX)
        self.problems.append(Problem(at, path, message, hint))


def replace_refused(value: Maybe) -> Json:
    """Put null where a value was refused, so that what stands around it keeps its place."""
    return None if value is ABSENT else value


def find_text_problem(text: str) -> tuple[str, str] | None:
    """Tell what keeps a string out of a task, and what to do: NUL and lone surrogates."""
    if "\0" in text:
        return "a NUL character cannot be stored", "PostgreSQL refuses it; remove it"
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        return "half of a surrogate pair is not a character", "write the character itself"
    return None
