"""The part of a YAML text that an edit has to read: the header, and the lines around chosen tasks.

Whole tasks are cut out, between two dashes that the reader found at one column. So the excerpt is
read as the text would be, and what it proves of an edit holds for the text: the lines that were cut
out stay byte for byte, and behind each chosen task another one is kept, which an edit that is not
closed would run into. Anchors may reach across tasks: a text with them is not cut.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from typing import Final, NamedTuple

from reconciler.manifest.editing.splices import Splice, apply_splices
from reconciler.manifest.readers.document import MappedDocument

_UNUSUAL: Final = re.compile("[\ufeff\x85\u2028\u2029]|\r(?!\n)")
"""What the parser takes for line breaks, or drops: lines are counted differently then."""

_DASH: Final = re.compile(" *- +")

_CUT_MIN: Final = 16
"""Tasks in a row that are worth being cut out."""


class Excerpt(NamedTuple):
    """The parts of ``whole`` from ``starts`` up to ``ends``, joined.

    ``kept`` are the positions of the tasks that it has, for each document.
    """

    whole: str
    starts: Sequence[int]
    ends: Sequence[int]
    kept: Sequence[Sequence[int]]

    @property
    def text(self) -> str:
        """The excerpt itself."""
        return "".join(map(self.whole.__getitem__, map(slice, self.starts, self.ends)))

    def restore(self, splices: Sequence[Splice]) -> str | None:
        """Apply splices of the excerpt to the whole text; None if one reaches across a cut."""
        sizes = map(int.__sub__, self.ends, self.starts)
        bounds = list(accumulate(sizes, initial=0))
        own: dict[int, list[Splice]] = {}
        for start, end, text in splices:
            number = max(bisect_left(bounds, end) - 1, 0)
            at = bounds[number]
            if start < at:
                return None
            own.setdefault(number, []).append(Splice(start - at, end - at, text))
        parts: list[str] = []
        below = 0
        for number, (start, end) in enumerate(zip(self.starts, self.ends, strict=True)):
            kept = apply_splices(self.whole[start:end], own.get(number, ()))
            parts += (self.whole[below:start], kept)
            below = end
        return "".join(parts)


def cut_excerpt(
    text: str, documents: Sequence[MappedDocument], wanted: Mapping[int, Collection[int]]
) -> Excerpt | None:
    """Cut out the tasks that are far from the ``wanted`` ones; None if nothing can be cut.

    ``documents`` are what the reader made of ``text``, and ``wanted`` positions of tasks by the
    number of the document.
    """
    if any(document.has_anchors for document in documents) or _UNUSUAL.search(text):
        return None
    lines = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    cuts: list[tuple[int, int]] = []
    kept: list[list[int]] = []
    for number, document in enumerate(documents):
        count = document.count_tasks()
        near = sorted(
            {count, *chain.from_iterable((at, at + 1) for at in wanted.get(number, ()))}
            | ({count - 1} if count else set())
        )
        left = dict.fromkeys(range(count))
        for first, last in _iterate_gaps(near):
            start, end = (_find_dash(text, document, at, lines) for at in (first, last))
            if start is not None and end is not None:
                cuts.append((start, end))
                for position in range(first, last):
                    del left[position]
        kept.append(list(left))
    if not cuts:
        return None
    return Excerpt(text, [0, *(end for _, end in cuts)], [*(s for s, _ in cuts), len(text)], kept)


def _iterate_gaps(near: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first position, and that behind the last, of each run far from all ``near``."""
    below = 0
    for at in near:
        if at - below >= _CUT_MIN:
            yield below, at
        below = at + 1


def _find_dash(
    text: str, document: MappedDocument, position: int, lines: Sequence[int]
) -> int | None:
    """Find where the line of a task's dash begins; None if the dash has no line of its own."""
    place = document.locate_value(("tasks", position))
    line = lines[place.line - 1]
    return line if _DASH.fullmatch(text, line, line + place.column - 1) else None
