"""The wanted tasks of a project that no response has shown yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core.ids import SortedIds


class PendingIds:
    """Ids in ascending order, each with a byte that tells whether it has been seen."""

    def __init__(self, wanted: Sequence[int]) -> None:
        self._wanted = wanted
        self._seen = bytearray(len(wanted))
        self._count = len(wanted)
        self._places = SortedIds(wanted)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        pairs = zip(self._wanted, self._seen, strict=True)
        return (task for task, seen in pairs if not seen)

    @property
    def wanted(self) -> int:
        """How many ids are wanted, seen or not."""
        return len(self._wanted)

    @property
    def last(self) -> int:
        """The largest wanted id."""
        return self._wanted[-1]

    def take(self, tasks: list[int]) -> list[int]:
        """Mark tasks as seen; returns those that are wanted and were not seen before."""
        start = self._places.index_of(tasks[0]) if tasks else None
        if start is not None:
            place = slice(start, start + len(tasks))
            if not any(self._seen[place]) and list(self._wanted[place]) == tasks:
                # The usual case if the manifests declare the whole project.
                self._seen[place] = b"\1" * len(tasks)
                self._count -= len(tasks)
                return tasks
        return list(filter(self.mark_seen, tasks))

    def mark_seen(self, task: int) -> bool:
        """Mark a task as seen; returns whether it is wanted and was not seen before."""
        place = self._places.index_of(task)
        if place is None or self._seen[place]:
            return False
        self._seen[place] = True
        self._count -= 1
        return True
