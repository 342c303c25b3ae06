"""Ids of tasks: written as ranges, and looked up in a sorted sequence."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from reconciler.core.notation import count_noun

_RANGES: Final = re.compile(r"[0-9]{1,18}(-[0-9]{1,18})?(, [0-9]{1,18}(-[0-9]{1,18})?)*", re.ASCII)


def format_ranges(ids: Iterable[int]) -> list[str]:
    """Write each run of consecutive ids as one range: ``["101-103", "107"]``."""
    ranges: list[tuple[int, int]] = []
    for task in sorted(ids):
        if ranges and task == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], task)
        else:
            ranges.append((task, task))
    return [f"{low}-{high}" if high > low else str(low) for low, high in ranges]


def parse_ranges(text: str, count: int) -> Iterator[int]:
    """Parse ids such as ``101-103, 107``; raises ValueError unless they are ``count`` ids."""
    if not _RANGES.fullmatch(text):
        raise ValueError(f"expected ids such as 101-103, 107, found {text!r}")
    pairs = [part.partition("-") for part in text.split(", ")]
    ranges = [range(int(low), int(high or low) + 1) for low, _, high in pairs]
    found = sum(map(len, ranges))
    if not all(ranges):
        raise ValueError(f"expected ids in ascending order, found {text}")
    if found != count:
        raise ValueError(f"expected {count_noun(count, 'task')}, found {found:,} in {text}")
    return (task for ids in ranges for task in ids)


class SortedIds:
    """Ids in ascending order, possibly with duplicates.

    Server and manifests list tasks by id, so mostly the next lookup is for the next id.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = ids
        self._next = 0

    def __len__(self) -> int:
        return len(self._ids)

    def index_of(self, task: int) -> int | None:
        """Return the index of the first id equal to ``task``, or None."""
        ids, place = self._ids, self._next
        if place >= len(ids) or ids[place] != task or (place and ids[place - 1] == task):
            place = bisect_left(ids, task)
            if place == len(ids) or ids[place] != task:
                return None
        self._next = place + 1
        return place
