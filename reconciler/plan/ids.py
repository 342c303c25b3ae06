"""Looking many ids up in a sorted sequence, in about the order in which they stand."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


class SortedIds:
    """Ids in ascending order; equal ones stand side by side.

    Server and manifests list tasks by id: mostly the next that is looked up is the next there is.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = ids
        self._next = 0

    def __len__(self) -> int:
        return len(self._ids)

    def index_of(self, task: int) -> int | None:
        """Give the place of the first id that is ``task``; None where there is none."""
        ids, place = self._ids, self._next
        if place >= len(ids) or ids[place] != task or (place and ids[place - 1] == task):
            place = bisect_left(ids, task)
            if place == len(ids) or ids[place] != task:
                return None
        self._next = place + 1
        return place
