"""What a file holds before anybody knows what it means: values, and where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reconciler.errors import Problem, Source
from reconciler.manifest.marks import Marks, Steps
from reconciler.plan.notation import path_text
from reconciler.plan.values import Json

MAX_DEPTH: Final = 100
"""Objects and lists inside each other; deeper ones are nobody's data and exhaust readers."""

MAX_DIGITS: Final = 4300
"""Digits of an integer: what Python converts without being asked to take its time."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file."""

    value: Json
    marks: Marks


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


def text_problem(text: str) -> tuple[str, str] | None:
    """Tell what keeps a string out of a task, and what to do: NUL and lone surrogates."""
    if "\0" in text:
        return "a NUL character cannot be stored", "PostgreSQL refuses it; remove it"
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        return "half of a surrogate pair is not a character", "write the character itself"
    return None
