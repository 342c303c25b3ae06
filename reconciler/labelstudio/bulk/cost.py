"""The costs of the two ways to read, and the choice between them: pure, from counts only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciler.core.notation import count_noun
from reconciler.labelstudio.bulk.address_length import split_by_length

PAGE_SIZE: Final = 1_000
"""Tasks of the first page of a project, which states how large the project is."""

BATCH: Final = 500
"""Ids per request."""

IDS_LENGTH_MAX: Final = 6_500
"""Characters of ids in an address: many proxies limit addresses to 8 kB."""

REQUEST_SECONDS: Final = 0.02
"""The cost of each list, whatever it holds."""

COUNTED_SECONDS: Final = 0.35e-6
"""The cost of a page for each task of the project: the server counts tasks and annotations."""

LISTED_SECONDS: Final = 0.00025
SELECTED_SECONDS: Final = 0.00032
"""The cost of each task, on a page and by id. All costs were measured on Label Studio 1.23.2, with
SQLite."""


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """How much to request at once."""

    page_size: int = PAGE_SIZE
    page_size_max: int = 4_000
    """Most tasks of any page: larger pages would save little."""
    pages_min: int = 40
    """Fewest pages of a project whose pages grow: it takes some pages until several are read at
    once."""
    page_seconds: float = 5.0
    page_bytes: int = 8_000_000
    """Most seconds and bytes of a page, judged by the first. A few are in memory at once."""
    batch: int = BATCH
    size_min: int = 25
    """Tasks below which a response does not fail because of its size."""


DEFAULT_LIMITS: Final = ReadingLimits()


class ReadMethod(StrEnum):
    """How to read many tasks of one project."""

    PAGES = "whole-project pages"
    SELECTION = "selected ids"


@dataclass(frozen=True, slots=True)
class Cost:
    """The remaining cost of a way to read; ``seconds`` are those of a small server."""

    method: ReadMethod
    requests: int
    seconds: float

    def __str__(self) -> str:
        seconds = max(0.1, self.seconds)
        return f"{self.method} ({count_noun(self.requests, 'request')}, about {seconds:.1f} s)"


def choose_page_size(
    total: int, *, seconds: float, length: int, limits: ReadingLimits = DEFAULT_LIMITS
) -> int:
    """Choose the largest size of the pages after the first: 1, 2, 4... times that of the first.

    ``total`` counts the project's tasks; the first page took ``seconds`` and had ``length`` bytes.
    The fixed cost of a page grows with the project: at a million tasks, it exceeds the cost of a
    thousand tasks on the page.
    """
    most = min(limits.page_size_max, total // limits.pages_min)
    task = max(seconds / limits.page_seconds, length / limits.page_bytes) / limits.page_size
    size = limits.page_size
    while 2 * size <= most and 2 * size * task <= 1:
        size *= 2
    return size


def estimate_pages(tasks: int, *, requests: int, total: int) -> Cost:
    """Estimate the cost of reading ``tasks`` tasks, of ``total`` in the project, as pages."""
    each = REQUEST_SECONDS + total * COUNTED_SECONDS
    return Cost(ReadMethod.PAGES, requests, requests * each + tasks * LISTED_SECONDS)


def estimate_selection(ids: Iterable[int], *, at_most: int = BATCH) -> Cost:
    """Estimate the cost of reading ``ids``, at most ``at_most`` per request."""
    sizes = [len(batch) for batch in split_ids(ids, at_most=at_most)]
    return Cost(
        ReadMethod.SELECTION,
        len(sizes),
        len(sizes) * REQUEST_SECONDS + sum(sizes) * SELECTED_SECONDS,
    )


def choose_cheaper(first: Cost, second: Cost) -> Cost:
    """Choose the cost with fewer requests or, if these are equal, with less time."""
    return min(first, second, key=lambda cost: (cost.requests, cost.seconds))


def split_ids(ids: Iterable[int], *, at_most: int = BATCH) -> Iterator[list[int]]:
    """Split ids into batches, by count and by the length of their address."""
    return split_by_length(ids, _measure_id, length_max=IDS_LENGTH_MAX, at_most=at_most)


def _measure_id(task: int) -> int:
    return len(str(task))
