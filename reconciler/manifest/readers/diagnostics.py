"""The problems of one file, collected while it is read."""

from __future__ import annotations

from typing import Final, NamedTuple

from reconciler.core.notation import format_path, shorten
from reconciler.errors import Problem, Source
from reconciler.manifest.readers.source_map import Steps

PATH_MAX: Final = 2_000
"""Characters of a path that a message shows: a key may be as long as a file."""


class Mistake(NamedTuple):
    """What is wrong at a line and column, both from 1, and what to do about it."""

    line: int
    column: int
    message: str
    hint: str


class Diagnostics:
    """Collects the problems of one file while it is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def add(
        self, line: int, column: int, message: str, *, hint: str = "", steps: Steps = ()
    ) -> None:
        """Add a problem at ``line`` and ``column``, both from 1; or see `add_whole`."""
        at = Source(self.file, line, column)
        path = shorten(format_path(steps), PATH_MAX)
        self.problems.append(Problem(at, path, message, hint))

    def add_mistake(self, mistake: Mistake) -> None:
        """Add a mistake as a problem."""
        self.add(mistake.line, mistake.column, mistake.message, hint=mistake.hint)

    def add_whole(self, message: str, *, hint: str = "") -> None:
        """Add a problem of the file itself."""
        self.add(0, 0, message, hint=hint)
