"""The pages of a project by their numbers, and how those of one size become others: pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

SIZE_MIN: Final = 25
"""Tasks a page below which it is not the size that keeps a server from answering."""


class Numbered(NamedTuple):
    """A page by its number, from 1, among pages of one size."""

    number: int
    size: int

    @property
    def begin(self) -> int:
        """How many tasks of the project lie before it."""
        return (self.number - 1) * self.size


def list_growing(begin: int, end: int, *, most: int) -> Iterator[Numbered]:
    """Give the pages from ``begin`` tasks on: each holds as many as come before it, or ``most``.

    ``most`` is ``begin``, or twice, four times... as much.
    """
    while begin < end:
        size = min(begin, most)
        yield Numbered(begin // size + 1, size)
        begin += size


def make_smaller(waiting: deque[Numbered], failed: Numbered) -> bool:
    """Put its parts in the place of a page, and of each that is ``waiting`` and as large.

    Tells whether that could be done.
    """
    size = find_smaller_size(failed.size)
    if size:
        divide(waiting, failed, size)
    return bool(size)


def divide(waiting: deque[Numbered], failed: Numbered, size: int, *, alone: bool = False) -> None:
    """Put parts of a ``size`` in the place of a page, and, unless ``alone``, of the others.

    All are in the order of the project then.
    """
    others = list(waiting)
    waiting.clear()
    for page in sorted([failed, *others], key=lambda page: page.begin):
        whole = page.size <= size or (alone and page is not failed)
        waiting.extend([page] if whole else _split(page, size))


def find_smaller_size(size: int) -> int:
    """Give a size of which ``size`` is a multiple, or 0 where there is none that is worth it."""
    parts = next((parts for parts in (2, 3, 5, 7) if size % parts == 0), size)
    return size // parts if size // parts >= SIZE_MIN else 0


def drop_after(waiting: deque[Numbered], last: Numbered) -> None:
    """Leave out the pages behind ``last``; parts of one before it may still wait."""
    before = [page for page in waiting if page.begin < last.begin]
    waiting.clear()
    waiting.extend(before)


def _split(page: Numbered, size: int) -> Sequence[Numbered]:
    parts = page.size // size
    return [Numbered(parts * (page.number - 1) + part, size) for part in range(1, parts + 1)]
