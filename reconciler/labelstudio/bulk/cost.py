"""What ways of reading cost, and which one to take: pure, on counts alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciler.core.notation import count_noun

PAGE_SIZE: Final = 1_000
"""Tasks of the first page of a project, which tells how large the project is."""

BATCH: Final = 500
"""Ids a request."""

IDS_LENGTH_MAX: Final = 6_500
"""Characters of ids in an address: proxies commonly cut addresses off at 8 kB."""

REQUEST_SECONDS: Final = 0.02
"""A list costs this, whatever it holds."""

COUNTED_SECONDS: Final = 0.35e-6
"""A page costs this for each task of the project: the server counts them and their annotations."""

LISTED_SECONDS: Final = 0.00025
SELECTED_SECONDS: Final = 0.00032
"""A task more on a page costs this; measured on Label Studio 1.23.2 with SQLite, as the above."""


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """How much is asked for at once."""

    page_size: int = PAGE_SIZE
    page_size_max: int = 4_000
    """Tasks of any page: what still larger ones save is little."""
    pages_min: int = 40
    """Pages that a project is read in at least, where they grow: some go by until several are read
    at once."""
    page_seconds: float = 5.0
    page_bytes: int = 8_000_000
    """What a page may take, by what the first one took. A few are held in memory at once."""
    batch: int = BATCH
    size_min: int = 25
    """Tasks an answer below which it is not the size that keeps a server from giving it."""


DEFAULT_LIMITS: Final = ReadingLimits()


class Way(StrEnum):
    """How to read many tasks of one project."""

    PAGES = "whole-project pages"
    SELECTION = "selected ids"


@dataclass(frozen=True, slots=True)
class Cost:
    """What is still to be spent on a way; ``seconds`` as measured on a small server."""

    way: Way
    requests: int
    seconds: float

    def __str__(self) -> str:
        seconds = max(0.1, self.seconds)
        return f"{self.way} ({count_noun(self.requests, 'request')}, about {seconds:.1f} s)"


def choose_page_size(
    total: int, *, seconds: float, length: int, limits: ReadingLimits = DEFAULT_LIMITS
) -> int:
    """Choose how many tasks pages may hold behind the first: 1, 2, 4... times as many.

    The first of a project of ``total`` tasks took ``seconds``, and ``length`` bytes. What a page
    costs before its first task grows with the project: to more than a thousand tasks cost, where
    it has a million.
    """
    most = min(limits.page_size_max, total // limits.pages_min)
    task = max(seconds / limits.page_seconds, length / limits.page_bytes) / limits.page_size
    size = limits.page_size
    while 2 * size <= most and 2 * size * task <= 1:
        size *= 2
    return size


def estimate_pages(tasks: int, *, requests: int, total: int) -> Cost:
    """Estimate what so many ``tasks`` of a project of ``total`` cost in so many pages."""
    each = REQUEST_SECONDS + total * COUNTED_SECONDS
    return Cost(Way.PAGES, requests, requests * each + tasks * LISTED_SECONDS)


def estimate_selection(ids: Iterable[int], *, at_most: int = BATCH) -> Cost:
    """Estimate what asking for ``ids`` costs, ``at_most`` in a request."""
    sizes = [len(batch) for batch in split_ids(ids, at_most=at_most)]
    return Cost(
        Way.SELECTION,
        len(sizes),
        len(sizes) * REQUEST_SECONDS + sum(sizes) * SELECTED_SECONDS,
    )


def choose_cheaper(one: Cost, other: Cost) -> Cost:
    """Choose what needs fewer requests, or as many and less time."""
    return min(one, other, key=lambda cost: (cost.requests, cost.seconds))


def split_ids(ids: Iterable[int], *, at_most: int = BATCH) -> Iterator[list[int]]:
    """Pack ids by count and by the length of the address that they make."""
    batch: list[int] = []
    length = 0
    for task in ids:
        written = len(str(task)) + len("%2C")
        if batch and (len(batch) == at_most or length + written > IDS_LENGTH_MAX):
            yield batch
            batch, length = [], 0
        batch.append(task)
        length += written
    if batch:
        yield batch
