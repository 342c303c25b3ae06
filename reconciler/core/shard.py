"""Parts of the tasks, told by their ids alone: the same on every machine, with no word between."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

_WRITTEN: Final = re.compile(r"([0-9]{1,6})/([0-9]{1,6})", re.ASCII)
_BETWEEN: Final = ", "


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """The ``number``-th, counted from 1, of ``count`` parts that have no task in common."""

    count: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``2/4``; raises ValueError with what is wrong, and an example."""
        found = _WRITTEN.fullmatch(text.strip())
        number, count = (int(found[1]), int(found[2])) if found else (0, 0)
        if not count:
            raise ValueError(f"{text!r} is no shard: write K/N, such as 2/4 for the second of four")
        if not 1 <= number <= count:
            raise ValueError(
                f"{text!r} is no shard: of {count} there are 1/{count} to {count}/{count}"
            )
        return cls(count, number)

    def holds(self, task: int) -> bool:
        """Tell whether the task with this id is one of this part."""
        return task % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def parse_shards(text: str) -> tuple[Shard, ...]:
    """Read what `format_shards` writes; raises ValueError."""
    shards = tuple(map(Shard.parse, text.split(_BETWEEN)))
    if len({shard.count for shard in shards}) > 1 or list(shards) != sorted({*shards}):
        raise ValueError(f"{text!r} are not shards of one division, each once and in order")
    return shards


def format_shards(shards: Iterable[Shard]) -> str:
    """Write shards: ``2/4``, or ``1/4, 2/4`` for several that were put together."""
    return _BETWEEN.join(map(str, shards))


def find_missing_shards(shards: tuple[Shard, ...]) -> Iterator[Shard]:
    """Name the shards that the given ones lack to be all; none lack where nothing was divided."""
    given = frozenset(shards)
    count = shards[0].count if shards else 0
    every = (Shard(count, number) for number in range(1, count + 1))
    return (shard for shard in every if shard not in given)
