"""Shards: parts of the tasks, chosen by id alone, so that machines need not coordinate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

_SHARD: Final = re.compile(r"([0-9]{1,6})/([0-9]{1,6})", re.ASCII)
_SEPARATOR: Final = ", "


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """The ``number``-th, counted from 1, of ``count`` disjoint parts of the tasks."""

    count: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``2/4``; raises ValueError."""
        found = _SHARD.fullmatch(text.strip())
        number, count = (int(found[1]), int(found[2])) if found else (0, 0)
        if not count:
            raise ValueError(f"expected K/N, such as 2/4 for the second of four, found {text!r}")
        if not 1 <= number <= count:
            raise ValueError(f"expected a shard from 1/{count} to {count}/{count}, found {text!r}")
        return cls(count, number)

    def holds(self, task: int) -> bool:
        """Tell whether the task with this id belongs to this shard."""
        return task % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def parse_shards(text: str) -> tuple[Shard, ...]:
    """Parse the output of `format_shards`; raises ValueError."""
    shards = tuple(map(Shard.parse, text.split(_SEPARATOR)))
    if len({shard.count for shard in shards}) > 1 or list(shards) != sorted({*shards}):
        raise ValueError(f"expected different shards of one division, in order, found {text!r}")
    return shards


def format_shards(shards: Iterable[Shard]) -> str:
    """Write shards: ``2/4``, or ``1/4, 2/4`` for several."""
    return _SEPARATOR.join(map(str, shards))


def find_missing_shards(shards: tuple[Shard, ...]) -> Iterator[Shard]:
    """Yield the shards that are missing from a whole run; none if ``shards`` is empty."""
    given = frozenset(shards)
    count = shards[0].count if shards else 0
    every = (Shard(count, number) for number in range(1, count + 1))
    return (shard for shard in every if shard not in given)
