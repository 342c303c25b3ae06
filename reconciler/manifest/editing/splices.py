"""Splices: changes of a text as data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class CannotEditError(Exception):
    """A value cannot be edited in its text; the message says why, for the end of a sentence."""


class Splice(NamedTuple):
    """The characters from ``start`` up to, but not including, ``end`` become ``text``."""

    start: int
    end: int
    text: str


def apply_splices(text: str, splices: Iterable[Splice]) -> str:
    """Return the text with all splices applied; raises CannotEditError if two overlap.

    Splices that insert at one place are applied in the order in which they were made.
    """
    parts: list[str] = []
    at = 0
    for splice in sorted(splices, key=lambda splice: (splice.start, splice.end)):
        if splice.start < at:
            raise CannotEditError("two edits overlap")
        parts += (text[at : splice.start], splice.text)
        at = splice.end
    return "".join((*parts, text[at:]))
