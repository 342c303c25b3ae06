"""All desired tasks of a run: in the order of their ids, in a few bytes each."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from reconciler.manifest.combine import combined
from reconciler.manifest.declarations import Declaration, Header
from reconciler.plan.model import DesiredTask


class Desired:
    """The declarations of all documents, as `plan.model.DesiredTasks`.

    Only where each declaration is, is kept: two numbers. Declarations of the same task lie side
    by side, in the order in which they were added.
    """

    def __init__(self) -> None:
        self._headers: list[Header] = []
        self._names: set[str] = set()
        self._ids = array("q")
        self._documents = array("I")
        self._indices = array("I")

    def add_document(self, header: Header) -> None:
        """Begin a document: what is added next is of it."""
        self._headers.append(header)
        self._names |= header.defaults.keys()

    def add(self, declaration: Declaration) -> None:
        """Add a declaration of the document begun last."""
        self._ids.append(declaration.id)
        self._documents.append(len(self._headers) - 1)
        self._indices.append(declaration.index)
        if not declaration.own.keys() <= self._names:
            self._names |= declaration.own.keys()
        for path in declaration.absent:
            self._names.add(path[0])

    def sort(self) -> None:
        """Bring all that was added into the order of ids; nothing can be looked up before."""
        if all(one <= other for one, other in pairwise(self._ids)):
            return
        order = sorted(range(len(self._ids)), key=self._ids.__getitem__)
        self._take(order)

    def part(self, holds: Callable[[int], bool]) -> Desired:
        """Give those tasks alone whose ids are in a part."""
        chosen = Desired()
        chosen._headers, chosen._names = self._headers, self._names
        chosen._ids, chosen._documents, chosen._indices = self._ids, self._documents, self._indices
        chosen._take([place for place, task in enumerate(self._ids) if holds(task)])
        return chosen

    def _take(self, places: Sequence[int]) -> None:
        self._ids = array("q", map(self._ids.__getitem__, places))
        self._documents = array("I", map(self._documents.__getitem__, places))
        self._indices = array("I", map(self._indices.__getitem__, places))

    def __len__(self) -> int:
        return sum(1 for _ in self._runs())

    def __iter__(self) -> Iterator[DesiredTask]:
        return (combined(self._declarations(run)) for run in self._runs())

    def __getitem__(self, task: int) -> DesiredTask:
        start = bisect_left(self._ids, task)
        if start == len(self._ids) or self._ids[start] != task:
            raise KeyError(task)
        return combined(self._declarations(self._run_from(start)))

    def names(self) -> frozenset[str]:
        """Name the attributes that must be read to compare all tasks."""
        return frozenset(self._names)

    def by_project(self) -> Mapping[int | None, Sequence[int]]:
        """Give the ids in ascending order, by the project that the tasks are said to be in."""
        found: dict[int | None, array[int]] = {}
        for run in self._runs():
            said = (self._headers[self._documents[place]].project for place in run)
            project = next((project for project in said if project is not None), None)
            found.setdefault(project, array("q")).append(self._ids[run.start])
        return found

    def repeated(self) -> Iterator[list[Declaration]]:
        """Give the declarations of each task that has more than one."""
        return (self._declarations(run) for run in self._runs() if len(run) > 1)

    def _runs(self) -> Iterator[range]:
        """Give the places of each task's declarations."""
        start = 0
        while start < len(self._ids):
            run = self._run_from(start)
            yield run
            start = run.stop

    def _run_from(self, start: int) -> range:
        end = start + 1
        while end < len(self._ids) and self._ids[end] == self._ids[start]:
            end += 1
        return range(start, end)

    def _declarations(self, places: Sequence[int]) -> list[Declaration]:
        return [
            self._headers[self._documents[place]].declaration(self._indices[place])
            for place in places
        ]
