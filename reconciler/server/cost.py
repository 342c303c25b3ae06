"""What ways of reading cost, and which one to take: pure, on counts alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Final

from reconciler.plan.notation import counted_noun

PAGE_SIZE: Final = 1_000
"""Tasks a page of a whole project: a larger page costs as much more as it brings."""

BATCH: Final = 500
"""Ids a request."""

IDS_LENGTH_MAX: Final = 6_500
"""Characters of ids in an address: proxies commonly cut addresses off at 8 kB."""

REQUEST_SECONDS: Final = 0.05
"""A list costs this before its first task: the server counts the project's annotations."""

LISTED_SECONDS: Final = 0.0003
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
        return f"{self.way} ({counted_noun(self.requests, 'request')}, about {self.seconds:.1f} s)"


def pages_cost(tasks: int, *, size: int) -> Cost:
    """Tell what pages with so many tasks cost."""
    requests = ceil(tasks / size)
    return Cost(Way.PAGES, requests, requests * REQUEST_SECONDS + tasks * LISTED_SECONDS)


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
