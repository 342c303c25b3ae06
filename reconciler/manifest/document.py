"""What a file holds before anybody knows what it means: values, and where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Final

from reconciler.errors import Problem, Source
from reconciler.manifest.marks import Marks, Steps, extent, key_node_of, node_of
from reconciler.plan.notation import path_text
from reconciler.plan.values import ABSENT, Json, Maybe

MAX_DEPTH: Final = 100
"""Objects and lists inside each other; deeper ones are nobody's data and exhaust readers."""

MAX_DIGITS: Final = 4300
"""Digits of an integer: what Python converts without being asked to take its time."""


@dataclass(frozen=True)
class Document:
    """One document of a file, and where its keys and values stand."""

    value: Json
    marks: Marks

    def value_source(self, steps: Steps) -> Source:
        """Tell where the value at ``steps`` begins; raises LookupError where there is none."""
        value, rest, start = self._below(steps)
        return self.marks.source(node_of(value, rest, start=start))

    def key_source(self, steps: Steps) -> Source:
        """Tell where the key, or the list's element, that ``steps`` end with begins.

        Raises LookupError where there is none.
        """
        value, rest, start = self._below(steps)
        return self.marks.source(key_node_of(value, rest, start=start))

    def _below(self, steps: Steps) -> tuple[Json, Steps, int]:
        """Begin at the task, or at the defaults: the walk there would pass all tasks before."""
        match steps:
            case ("tasks", int(index), *rest) if index < len(self._tasks):
                return self._tasks[index], tuple(rest), self._task_nodes[index]
            case ("defaults", first, *rest) if self._defaults:
                return self._defaults, (first, *rest), self._defaults_node
        return self.value, steps, 0

    @cached_property
    def _tasks(self) -> list[Json]:
        tasks = self.value.get("tasks") if isinstance(self.value, dict) else None
        return tasks if isinstance(tasks, list) else []

    @cached_property
    def _defaults(self) -> Json:
        return self.value.get("defaults") if isinstance(self.value, dict) else None

    @cached_property
    def _defaults_node(self) -> int:
        return node_of(self.value, ("defaults",))

    @cached_property
    def _task_nodes(self) -> list[int]:
        first = node_of(self.value, ("tasks",)) + 1
        return list(accumulate(map(extent, self._tasks), initial=first))


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
        self.problems.append(Problem(at, path_text(steps), message, hint))


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
