"""What ways of reading cost, and which one to take: pure, on counts alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Final

from reconciler.plan.notation import counted_noun

PAGE_SIZE: Final = 1_000
"""Tasks of the first page of a project, which tells how large the project is."""

PAGE_SIZE_MAX: Final = 4_000
"""Tasks of any page: what still larger ones save is little, and they are held in memory."""

PAGES: Final = 50
"""Pages from which on fewer and larger ones are better; fewer could not be read side by side."""

PAGE_SECONDS: Final = 5.0
"""What a page may take, by what the first one took: far less than a request is waited for."""

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
        return f"{self.way} ({counted_noun(self.requests, 'request')}, about {seconds:.1f} s)"


def page_size(total: int, *, first: int, seconds: float) -> int:
    """Tell how many tasks pages should hold behind the first: 1, 2, 4... times as many.

    The first held ``first`` of ``total`` tasks and took ``seconds``. What a page costs before its
    first task grows with the project: to more than a thousand tasks cost, where it has a million.
    """
    size = first
    while (
        total > PAGES * size
        and 2 * size <= PAGE_SIZE_MAX
        and 2 * size / first * seconds <= PAGE_SECONDS
    ):
        size *= 2
    return size


def pages_cost(tasks: int, *, size: int, total: int) -> Cost:
    """Tell what pages with so many ``tasks`` of a project of ``total`` cost."""
    requests = ceil(tasks / size)
    each = REQUEST_SECONDS + total * COUNTED_SECONDS
    return Cost(Way.PAGES, requests, requests * each + tasks * LISTED_SECONDS)


def selection_cost(ids: Iterable[int], *, at_most: int = BATCH) -> Cost:
    """Tell what asking for ``ids`` costs, ``at_most`` in a request."""
    sizes = [len(batch) for batch in batches(ids, at_most=at_most)]
    return Cost(
        Way.SELECTION,
        len(sizes),
        len(sizes) * REQUEST_SECONDS + sum(sizes) * SELECTED_SECONDS,
    )


def cheaper(one: Cost, other: Cost) -> tuple[Cost, Cost]:
    """Put that first which needs fewer requests, or as many and less time."""
    ordered = sorted((one, other), key=lambda cost: (cost.requests, cost.seconds))
    return ordered[0], ordered[1]


def batches(ids: Iterable[int], *, at_most: int = BATCH) -> Iterator[list[int]]:
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
