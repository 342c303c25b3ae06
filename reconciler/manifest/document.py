"""What a file holds before anybody knows what it means: values, and where they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Final

from reconciler.errors import Problem, Source
from reconciler.manifest.marks import Marks, Steps, extent, nodes_of
from reconciler.plan.notation import path_text, shortened
from reconciler.plan.values import ABSENT, Json, Maybe

MAX_DEPTH: Final = 100
"""Objects and lists inside each other; deeper ones are nobody's data and exhaust readers."""

PATH_MAX: Final = 2_000
"""Characters of a path that a message shows: keys may be as long as files are."""

MAX_DIGITS: Final = 4300
"""Digits of an integer: what Python converts without being asked to take its time."""


@dataclass(frozen=True)
class Document:
    """One document of a file, and where its keys and values stand."""

    value: Json
    marks: Marks
    _numbered: dict[int, dict[Steps, tuple[int, int]]] = field(default_factory=dict, init=False)

    def value_source(self, steps: Steps) -> Source:
        """Tell where the value at ``steps`` begins; raises LookupError where there is none."""
        return self.marks.source(self._nodes(steps)[1])

    def key_source(self, steps: Steps) -> Source:
        """Tell where the key, or the list's element, that ``steps`` end with begins.

        Raises LookupError where there is none.
        """
        return self.marks.source(self._nodes(steps)[0])

    def _nodes(self, steps: Steps) -> tuple[int, int]:
        """Find the key's and the value's node, by numbering only the part they lie in."""
        start, part, rest = 0, self.value, steps
        match steps:
            case ("tasks", int(index), *inside) if 0 <= index < len(self._tasks):
                start, part, rest = self._task_nodes[index], self._tasks[index], tuple(inside)
            case (str(key), *inside) if isinstance(self.value, dict):
                key_node = self._top[key]
                if not inside:
                    return key_node, key_node + 1
                start, part, rest = key_node + 1, self.value[key], tuple(inside)
        if start not in self._numbered:
            self._numbered.clear()
            self._numbered[start] = nodes_of(part, start=start)
        return self._numbered[start][rest]

    @cached_property
    def _tasks(self) -> list[Json]:
        tasks = self.value.get("tasks") if isinstance(self.value, dict) else None
        return tasks if isinstance(tasks, list) else []

    @cached_property
    def _task_nodes(self) -> list[int]:
        first = self._top["tasks"] + 2
        return list(accumulate(map(extent, self._tasks), initial=first))

    @cached_property
    def _top(self) -> dict[str, int]:
        """By key of the outermost object: the key's node."""
        top = self.value if isinstance(self.value, dict) else {}
        extents = (1 + extent(value) for value in top.values())
        return dict(zip(top, accumulate(extents, initial=1), strict=False))


class Complaints:
    """Collects the problems of one file while it is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def add(
        self, line: int, column: int, message: str, *, hint: str = "", steps: Steps = ()
    ) -> None:
        """Note a problem at ``line`` and ``column``, both from 1."""
        at = Source(self.file, line, column)
        path = shortened(path_text(steps), PATH_MAX)
        self.problems.append(Problem(at, path, message, hint))


def kept(value: Maybe) -> Json:
    """Put null where a value was refused, so that what stands around it keeps its place."""
    return None if value is ABSENT else value


def text_problem(text: str) -> tuple[str, str] | None:
    """Tell what keeps a string out of a task, and what to do: NUL and lone surrogates."""
    if "\0" in text:
        return "a NUL character cannot be stored", "PostgreSQL refuses it; remove it"
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        return "half of a surrogate pair is not a character", "write the character itself"
    return None
