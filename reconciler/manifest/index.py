"""All desired tasks of a run, sorted by id, in a few bytes each."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from operator import eq, le
from typing import Any, Final

from reconciler.core.fingerprint import Fingerprints
from reconciler.core.ids import SortedIds
from reconciler.core.model import DesiredTask
from reconciler.core.server_address import ChosenServer
from reconciler.core.values import Json
from reconciler.errors import Problem, Source
from reconciler.manifest.checks import check_server
from reconciler.manifest.combination import build_task, combine
from reconciler.manifest.declarations import NOT_ATTRIBUTES, Declaration, Header, parse_absent_path

_INDEX_BITS: Final = 40
_INDEX_MAX: Final = (1 << _INDEX_BITS) - 1
"""Bits for the index of a task in its document; the bits above hold the document's number."""


class DesiredIndex:
    """The declarations of all documents, as `core.model.DesiredTasks`.

    Each declaration is kept as its place and a fingerprint. Declarations of the same task are
    adjacent, in the order in which they were added. ``fingerprints`` cost time, and only comparing
    with a server needs them; without them each declaration is read again to be compared.
    """

    def __init__(self, *, fingerprints: bool = True) -> None:
        self._takes_fingerprints = fingerprints
        self._headers: list[Header] = []
        self._known: set[str] = set()
        self._repeats = False
        self._places = SortedIds(())
        self._ids = array("q")
        self._where = array("Q")
        self._fingerprints = Fingerprints()

    def add_document(self, header: Header) -> None:
        """Begin a document, to which the next tasks belong."""
        self._headers.append(header)
        self._known |= header.defaults.keys()

    def add(self, index: int, task: Mapping[str, Any]) -> None:
        """Add a task of the document begun last, which the schema accepts."""
        self._ids.append(int(task["id"]))
        self._where.append(len(self._headers) - 1 << _INDEX_BITS | index)
        if not task.keys() <= self._known:
            self._known |= task.keys()
        if "absent" in task:
            self._known |= {parse_absent_path(written)[0] for written in task["absent"]}
        if "absent" in task or not self._takes_fingerprints:
            self._fingerprints.add_unknown()
        else:
            header = self._headers[-1]
            self._fingerprints.add(header.add_defaults(task, ()), header.replaced)

    def sort(self) -> None:
        """Sort all tasks by id; call this before looking anything up."""
        if not all(map(le, self._ids, islice(self._ids, 1, None))):
            self._copy(self, sorted(range(len(self._ids)), key=self._ids.__getitem__))
        self._index_ids()

    def select(self, holds: Callable[[int], bool]) -> DesiredIndex:
        """Return an index of only the tasks whose ids ``holds`` accepts."""
        chosen = DesiredIndex()
        chosen._headers, chosen._known = self._headers, self._known
        kept = [place for place, task in enumerate(self._ids) if holds(task)]
        chosen._copy(self, kept)
        chosen._index_ids()
        return chosen

    def _copy(self, other: DesiredIndex, places: Sequence[int]) -> None:
        self._ids = array("q", map(other._ids.__getitem__, places))
        self._where = array("Q", map(other._where.__getitem__, places))
        self._fingerprints = other._fingerprints.at(places)

    def _index_ids(self) -> None:
        self._repeats = any(map(eq, self._ids, islice(self._ids, 1, None)))
        self._places = SortedIds(self._ids)

    def __len__(self) -> int:
        return sum(1 for _ in self._iterate_runs()) if self._repeats else len(self._ids)

    def __iter__(self) -> Iterator[DesiredTask]:
        return (combine(self._read_declarations(run)) for run in self._iterate_runs())

    def __getitem__(self, task: int) -> DesiredTask:
        start = self._places.index_of(task)
        if start is None:
            raise KeyError(task)
        if self._repeats:
            return combine(self._read_declarations(self._find_run(start)))
        return build_task(self._read_declaration(self._where[start]))

    def filter_differing(self, found: Mapping[int, Mapping[str, Json]]) -> Iterator[int]:
        """Yield the tasks that may differ, and must be compared in full."""
        return (task for task, live in found.items() if not self._holds_task(task, live))

    def _holds_task(self, task: int, live: Mapping[str, Json]) -> bool:
        start = self._places.index_of(task)
        if start is None or not isinstance(live.get("data"), dict):
            return False
        if not self._repeats:
            return self._holds(start, live)
        return all(self._holds(place, live) for place in self._find_run(start))

    def _holds(self, place: int, live: Mapping[str, Json]) -> bool:
        project = self._headers[self._where[place] >> _INDEX_BITS].project
        in_place = project is None or live.get("project") == project
        return in_place and self._fingerprints.hold(place, live)

    def list_ids(self) -> Sequence[int]:
        """List the ids of all tasks, in ascending order."""
        return [self._ids[run.start] for run in self._iterate_runs()]

    def names(self) -> frozenset[str]:
        """Name the attributes that must be read to compare all tasks."""
        return frozenset(self._known - NOT_ATTRIBUTES)

    def group_by_project(self) -> Mapping[int | None, Sequence[int]]:
        """Group the ids, in ascending order, by declared project."""
        if len({header.project for header in self._headers}) == 1 and not self._repeats:
            return {self._headers[0].project: self._ids}
        found: dict[int | None, array[int]] = {}
        for run in self._iterate_runs():
            projects = (self._headers[self._where[place] >> _INDEX_BITS].project for place in run)
            project = next((project for project in projects if project is not None), None)
            found.setdefault(project, array("q")).append(self._ids[run.start])
        return found

    def source_of_project(self, project: int) -> Source | None:
        """Return the place where a project is first declared; None if no manifest declares it."""
        found = (header for header in self._headers if header.project == project)
        header = next(found, None)
        return None if header is None else header.source_of("project")

    def find_other_servers(self, chosen: ChosenServer) -> list[Problem]:
        """Find the documents that declare another server than the one chosen."""
        return [
            problem
            for header in self._headers
            if isinstance(header.document.outline, dict)
            for problem in check_server(header.document, header.document.outline, chosen)
        ]

    def iterate_repeated(self) -> Iterator[list[Declaration]]:
        """Yield the declarations of each task that has more than one."""
        if not self._repeats:
            return iter(())
        return (self._read_declarations(run) for run in self._iterate_runs() if len(run) > 1)

    def _iterate_runs(self) -> Iterator[range]:
        """Yield the positions of each task's declarations."""
        start = 0
        while start < len(self._ids):
            run = self._find_run(start)
            yield run
            start = run.stop

    def _find_run(self, start: int) -> range:
        end = start + 1
        while end < len(self._ids) and self._ids[end] == self._ids[start]:
            end += 1
        return range(start, end)

    def _read_declarations(self, places: Sequence[int]) -> list[Declaration]:
        return [self._read_declaration(self._where[place]) for place in places]

    def _read_declaration(self, where: int) -> Declaration:
        return self._headers[where >> _INDEX_BITS].read_declaration(where & _INDEX_MAX)
