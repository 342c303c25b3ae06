"""What a pull did, as data: the files, and what they leave undeclared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

EXAMPLES_MAX: Final = 5
"""Tasks that a remark names."""

REMARKS_MAX: Final = 1_000
"""Remarks of one kind that are told apart; those after them are counted together."""


@dataclass(frozen=True, slots=True)
class PulledFile:
    """A file that was written, and how many tasks it declares."""

    path: str
    tasks: int


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that some tasks have in common: a path that stays undeclared, or the whole task.

    ``path`` is empty if it is about the whole task. ``examples`` are the first of the tasks.
    """

    path: str
    reason: str
    tasks: int
    examples: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull wrote: the files, and the remarks on what they do not declare.

    ``undeclared`` are paths of tasks that are in the files, ``left_out`` tasks that are not, and
    ``by_id`` tasks that have no key of their own. ``project`` is the number of the project.
    """

    folder: str
    project: int
    files: tuple[PulledFile, ...]
    undeclared: tuple[Remark, ...] = ()
    left_out: tuple[Remark, ...] = ()
    by_id: tuple[Remark, ...] = ()

    @property
    def tasks(self) -> int:
        """How many tasks the files declare."""
        return sum(file.tasks for file in self.files)


class Remarks:
    """Collects remarks, with what differs only in the task counted as one."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[int]] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def add(self, task: int, path: str, reason: str) -> None:
        """Add a task to the remark on a path and a reason."""
        at = path, reason
        if at not in self._counts and len(self._counts) >= REMARKS_MAX:
            at = "", f"{reason} (at paths of their own)"
        examples = self._found.setdefault(at, [])
        if len(examples) < EXAMPLES_MAX and task not in examples:
            examples.append(task)
        self._counts[at] = self._counts.get(at, 0) + 1

    def list_all(self) -> tuple[Remark, ...]:
        """List the remarks, that on most tasks first."""
        return tuple(sorted(self._iterate(), key=lambda one: (-one.tasks, one.path, one.reason)))

    def _iterate(self) -> Iterator[Remark]:
        for (path, reason), count in self._counts.items():
            yield Remark(path, reason, count, tuple(self._found[path, reason]))
