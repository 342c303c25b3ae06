"""Which of the wanted tasks of a project no answer has shown yet."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence


class Unseen:
    """Ids in ascending order, each with a byte that tells whether it has been seen."""

    def __init__(self, wanted: Sequence[int]) -> None:
        self._wanted = wanted
        self._seen = bytearray(len(wanted))
        self._count = len(wanted)
        self._next = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        pairs = zip(self._wanted, self._seen, strict=True)
        return (task for task, seen in pairs if not seen)

    @property
    def last(self) -> int:
        """The largest id that is wanted."""
        return self._wanted[-1]

    def take(self, task: int) -> bool:
        """Mark a task as seen; tells whether it is wanted and was not seen before."""
        place = self._next
        if place == len(self._wanted) or self._wanted[place] != task:
            # Lists come in the order of ids: mostly the next is the one after the last.
            place = bisect_left(self._wanted, task)
            if place == len(self._wanted) or self._wanted[place] != task:
                return False
        self._next = place + 1
        if self._seen[place]:
            return False
        self._seen[place] = True
        self._count -= 1
        return True
