"""All desired tasks of a run, sorted by id, in a few bytes each."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from operator import eq, le
from typing import Any, Final, NamedTuple

from reconciler.core.fingerprint import Fingerprints
from reconciler.core.ids import SortedIds
from reconciler.core.model import NO_KEYS, DesiredTask, HeldKeys, KeyGroup, TaskKey
from reconciler.core.notation import format_path, format_value, shorten
from reconciler.core.paths import Path, get_value
from reconciler.core.rule import Rule
from reconciler.core.server_address import ChosenServer
from reconciler.core.values import ABSENT, Json, Side
from reconciler.errors import ManifestError, Problem, Source
from reconciler.manifest.checks import check_server
from reconciler.manifest.combination import combine, find_conflicts
from reconciler.manifest.declarations import (
    MERGEABLE,
    NOT_ATTRIBUTES,
    Declaration,
    Header,
    parse_absent_path,
)
from reconciler.manifest.key_table import KeyedPlaces, KeyTable, normalize_key
from reconciler.manifest.readers.document import Document
from reconciler.manifest.task_names import expand_ids

_INDEX_BITS: Final = 40
_INDEX_MAX: Final = (1 << _INDEX_BITS) - 1
"""Bits for the index of a task in its document; the bits above hold the document's number."""


_INNER_MAX: Final = 1_000
"""How many first keys of objects are remembered of a document."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """The declarations of a task that has more than one; ``count`` tasks have the same."""

    declarations: Sequence[Declaration]
    count: int


class ProjectKey(NamedTuple):
    """A key, and the project of the task that it names."""

    project: int
    key: TaskKey


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
        self._keys = KeyTable()
        self._group: KeyedPlaces | None = None
        self._key_where = array("Q")
        self._key_fingerprints = Fingerprints()
        self._inner: list[set[str]] = []
        self.rules: list[Rule] = []

    def add_document(self, header: Header) -> None:
        """Begin a document, to which the next tasks belong."""
        self._headers.append(header)
        self._group = None
        self._inner.append({key for value in _list_objects(header.defaults) for key in value})
        self._known |= header.defaults.keys()
        self._known |= {path[0] for path in header.absent}

    def add_rules(self, rules: Collection[Rule]) -> None:
        """Add the rules of a document."""
        self.rules += rules

    def add(self, index: int, task: Mapping[str, Any]) -> None:
        """Add an entry of the document begun last, which the checks accept."""
        where = len(self._headers) - 1 << _INDEX_BITS | index
        if "id" in task:
            self._ids.append(int(task["id"]))
            self._where.append(where)
            self._add_fingerprint(self._fingerprints, task)
        elif "key" in task:
            declared = dict(task)
            self._add_key(where, declared.pop("key"), declared)
        elif "ids" in task:
            declared = dict(task)
            self._add_ids(where, declared.pop("ids"), declared)
        else:
            declared = dict(task)
            for key in declared.pop("keys"):
                self._add_key(where, key, declared)
        if not task.keys() <= self._known:
            self._known |= task.keys()
        known = self._inner[-1]
        for value in _list_objects(task):
            if not value.keys() <= known and len(known) <= _INNER_MAX:
                known.update(value)
        if "absent" in task:
            self._known |= {parse_absent_path(written)[0] for written in task["absent"]}

    def _add_ids(
        self, where: int, written: Sequence[float | str], declared: Mapping[str, Any]
    ) -> None:
        before = len(self._ids)
        for ids in expand_ids(written):
            self._ids.extend(ids)
        count = len(self._ids) - before
        self._where.extend(array("Q", [where]) * count)
        self._add_fingerprint(self._fingerprints, declared)
        self._fingerprints.repeat(count - 1)

    def _add_key(self, where: int, written: str | float, declared: Mapping[str, Any]) -> None:
        group = self._group or self._open_group()
        if group is None:
            return
        key = normalize_key(written)
        group.add(key, len(self._key_where))
        self._key_where.append(where)
        self._add_fingerprint(self._key_fingerprints, declared, key)

    def _open_group(self) -> KeyedPlaces | None:
        """Return the keys to which those of the document begun last belong."""
        header = self._headers[-1]
        if header.project is not None and header.key is not None:
            self._group = self._keys.open_group(header.project, header.key)
        return self._group

    def _add_fingerprint(
        self,
        fingerprints: Fingerprints,
        task: Mapping[str, Any],
        key: str | int | None = None,
    ) -> None:
        header = self._headers[-1]
        is_special = "absent" in task or (
            bool(header.absent) and header.add_absent(task) != header.absent
        )
        if is_special or not self._takes_fingerprints:
            fingerprints.add_unknown()
        else:
            declared = header.add_defaults(task, ())
            if key is not None and header.replaced:
                declared = header.add_key(declared, key)
            fingerprints.add(declared, header.replaced)

    def sort(self) -> None:
        """Sort all tasks by id; call this before looking anything up."""
        if not all(map(le, self._ids, islice(self._ids, 1, None))):
            self._copy(self, sorted(range(len(self._ids)), key=self._ids.__getitem__))
        self._index_ids()

    def _copy(self, other: DesiredIndex, places: Sequence[int]) -> None:
        self._ids = array("q", map(other._ids.__getitem__, places))
        self._where = array("Q", map(other._where.__getitem__, places))
        self._fingerprints = other._fingerprints.at(places)

    def _index_ids(self) -> None:
        self._repeats = any(map(eq, self._ids, islice(self._ids, 1, None)))
        self._places = SortedIds(self._ids)

    def __len__(self) -> int:
        by_id = sum(1 for _ in self._iterate_runs()) if self._repeats else len(self._ids)
        return by_id + len(self._keys)

    def __iter__(self) -> Iterator[DesiredTask]:
        """Yield the tasks that are declared by id."""
        return (combine(self._read_run(run)) for run in self._iterate_runs())

    def __getitem__(self, task: int) -> DesiredTask:
        return self.build(task)

    def build(
        self, task: int, keys: tuple[TaskKey, ...] = (), project: int | None = None
    ) -> DesiredTask:
        """Combine what is declared for an id and for the keys that the task of a project holds.

        Raises KeyError if nothing is, and ManifestError if the declarations conflict.
        """
        declarations = self.read_declarations(task, keys, project)
        if not declarations:
            raise KeyError(task)
        if keys and len(declarations) > 1:
            problems = find_conflicts(declarations)
            if problems:
                raise ManifestError(tuple(sorted(set(problems))))
        return combine(declarations)

    def read_declarations(
        self, task: int, keys: tuple[TaskKey, ...] = (), project: int | None = None
    ) -> list[Declaration]:
        """Read what is declared for an id and for keys of a project, one by one; may be nothing."""
        declarations = self._read_by_id(task)
        for key in keys:
            for place in self._keys.list_places(key, project):
                where = self._key_where[place]
                declarations.append(self._read_declaration(where, id=task, key=key.value))
        return declarations

    def _read_by_id(self, task: int) -> list[Declaration]:
        start = self._places.index_of(task)
        if start is None:
            return []
        if self._repeats:
            return self._read_run(self._find_run(start))
        return [self._read_declaration(self._where[start], id=task)]

    def list_files(
        self, task: int, keys: tuple[TaskKey, ...] = (), project: int | None = None
    ) -> frozenset[str]:
        """List the files that declare an id, or one of the keys that a task holds."""
        start = self._places.index_of(task)
        run = () if start is None else self._find_run(start)
        wheres = [self._where[place] for place in run]
        for key in keys:
            wheres += [self._key_where[place] for place in self._keys.list_places(key, project)]
        headers = (self._headers[where >> _INDEX_BITS] for where in wheres)
        return frozenset(header.document.locate_value(()).file for header in headers)

    def list_key_groups(self) -> Sequence[KeyGroup]:
        """List the keys that tasks are declared by, by project and path."""
        return [_LocatedKeys(self, group) for group in self._keys.list_groups()]

    def find_keys(self, project: int, found: Mapping[int, Mapping[str, Side]]) -> HeldKeys:
        """Return the declared keys that tasks of a project hold.

        Values compare as JSON: 7 is 7.0, but neither "7" nor true.
        """
        return self._keys.find(project, found)

    def select_declared(self, tasks: Iterable[int]) -> set[int]:
        """Return those of some tasks that are declared by their ids."""
        if not self._ids:
            return set()
        return {task for task in tasks if self._places.index_of(task) is not None}

    def locate_key(self, place: int) -> Source:
        """Return where the declaration of a key begins."""
        where = self._key_where[place]
        document = self._headers[where >> _INDEX_BITS].document
        return document.locate_value(("tasks", where & _INDEX_MAX))

    def filter_differing(
        self,
        found: Mapping[int, Mapping[str, Json]],
        keys: HeldKeys = NO_KEYS,
    ) -> Iterator[int]:
        """Yield the declared tasks that may differ, and must be compared in full.

        ``keys`` are those that `find_keys` found in these tasks.
        A task that is declared both by its id and by a key, or by several keys, is among them: only
        reading its declarations shows whether they conflict.
        """
        if not keys:
            if not self._ids:
                return iter(())
            return (task for task, live in found.items() if not self._holds_task(task, live))
        places, several = self._keys.find_places(keys)
        return (
            task
            for task, live in found.items()
            if task in several or not self._holds_named(task, live, places.get(task))
        )

    def _holds_named(
        self, task: int, live: Mapping[str, Json], places: Sequence[int] | None
    ) -> bool:
        """Tell whether a task holds what is declared for its key at ``places``, or for its id."""
        if places is None:
            return self._holds_task(task, live)
        if self._ids and self._places.index_of(task) is not None:
            return False
        if not isinstance(live.get("data"), dict):
            return False
        for place in places:  # all() of a generator takes twice the time
            if not self._holds(self._key_where[place], self._key_fingerprints, place, live):
                return False
        return True

    def _holds_task(self, task: int, live: Mapping[str, Json]) -> bool:
        start = self._places.index_of(task)
        if start is None:
            return True
        if not isinstance(live.get("data"), dict):
            return False
        if not self._repeats:
            return self._holds(self._where[start], self._fingerprints, start, live)
        return all(
            self._holds(self._where[place], self._fingerprints, place, live)
            for place in self._find_run(start)
        )

    def _holds(
        self, where: int, fingerprints: Fingerprints, place: int, live: Mapping[str, Json]
    ) -> bool:
        header = self._headers[where >> _INDEX_BITS]
        if header.project is not None and live.get("project") != header.project:
            return False
        if header.absent and any(get_value(live, path) is not ABSENT for path in header.absent):
            return False
        return fingerprints.hold(place, live)

    def list_ids(self) -> Sequence[int]:
        """List the ids of all tasks, in ascending order."""
        return [self._ids[run.start] for run in self._iterate_runs()]

    def names(self) -> frozenset[str]:
        """Name the attributes that must be read to compare all tasks, keys and rules included."""
        named = {group.path[0] for group in self._keys.list_groups()}
        ruled = {name for rule in self.rules for name in rule.names()}
        return frozenset(self._known - NOT_ATTRIBUTES | named | ruled)

    def list_written_names(self) -> frozenset[str]:
        """Name the attributes that the declarations and rules may change."""
        ruled = {path[0] for rule in self.rules for path in rule.list_paths()}
        return frozenset(self._known - NOT_ATTRIBUTES | ruled)

    def list_projects(self) -> tuple[int, ...]:
        """List the declared projects, in ascending order; names without a number are left out."""
        declared = {header.project for header in self._headers}
        return tuple(sorted(number for number in declared if number is not None and number > 0))

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

    @property
    def has_project_names(self) -> bool:
        """Whether a document names its project, and nothing has turned the name into a number."""
        return any(header.project is not None and header.project < 0 for header in self._headers)

    @property
    def documents(self) -> list[Document]:
        """The documents, in the order in which they were added."""
        return [header.document for header in self._headers]

    @property
    def headers(self) -> Sequence[Header]:
        """What each document declares for all its tasks, in the order of `documents`."""
        return self._headers

    def list_documents(self) -> list[tuple[Document, list[int]]]:
        """List the documents, each with the indexes of its tasks in ascending order."""
        documents = (header.document for header in self._headers)
        return [
            (d, sorted(found)) for d, found in zip(documents, self._list_indexes(), strict=True)
        ]

    def find_other_servers(self, chosen: ChosenServer) -> list[Problem]:
        """Find the documents that declare another server than the one chosen."""
        return [
            problem
            for header in self._headers
            if isinstance(header.document.outline, dict)
            for problem in check_server(header.document, header.document.outline, chosen)
        ]

    def iterate_repeated(self) -> Iterator[Repetition]:
        """Yield the declarations of each task, or key, that has more than one.

        Tasks that share all their declarations are yielded once.
        """
        yield from self._iterate_repeated_ids()
        for group in self._keys.list_groups():
            counted = Counter(
                tuple(self._key_where[place] for place in group.list_places(key))
                for key in group.repeated
            )
            for key in group.repeated:
                wheres = tuple(self._key_where[place] for place in group.list_places(key))
                count = counted.pop(wheres, 0)
                if count:
                    read = [self._read_declaration(where, key=key) for where in wheres]
                    yield Repetition(read, count)

    def iterate_declarations(self) -> Iterator[tuple[int | ProjectKey, Sequence[Declaration]]]:
        """Yield each id and each key that tasks are declared by, with all its declarations."""
        for run in self._iterate_runs():
            yield self._ids[run.start], self._read_run(run)
        for group in self._keys.list_groups():
            for key in group.keys:
                wheres = (self._key_where[place] for place in group.list_places(key))
                read = [self._read_declaration(where, key=key) for where in wheres]
                yield ProjectKey(group.project, TaskKey(group.path, key)), read

    def find_written_keys(self) -> list[Problem]:
        """Find the tasks that write, at the key path of their project, the key of another task.

        Tasks that are named by such a key are left out: they cannot write it.
        """
        problems: list[Problem] = []
        indexes: list[set[int]] | None = None
        for number, header in enumerate(self._headers):
            groups = [] if header.project is None else self._keys.list_groups_of(header.project)
            written = [group for group in groups if self._may_write(number, group.path)]
            if written:
                indexes = indexes or self._list_indexes()
                for index in sorted(indexes[number]):
                    declaration = header.read_declaration(index)
                    problems += self._find_keys_written_by(declaration, written)
        return problems

    def _may_write(self, number: int, path: Path) -> bool:
        """Tell whether a document may declare a value at a path, judged by its first keys."""
        known = self._inner[number]
        return len(path) > 1 and (path[1] in known or len(known) > _INNER_MAX)

    def _find_keys_written_by(
        self, declaration: Declaration, groups: Iterable[KeyedPlaces]
    ) -> Iterator[Problem]:
        attributes = declaration.build_attributes()
        for group in groups:
            key = group.recognise(get_value(attributes, group.path))
            is_named = declaration.key is not None and declaration.key.path == group.path
            if key is not None and not is_named:
                yield Problem(
                    declaration.source_of(group.path),
                    format_path(group.path),
                    f"{shorten(format_value(key))} is the key of the task declared at "
                    f"{self.locate_key(group.places[key])}, and would then name two tasks",
                    "remove it, or declare the task by this key only",
                )

    def _list_indexes(self) -> list[set[int]]:
        """List the indexes of the tasks of each document."""
        indexes: list[set[int]] = [set() for _ in self._headers]
        for where in chain(self._where, self._key_where):
            indexes[where >> _INDEX_BITS].add(where & _INDEX_MAX)
        return indexes

    def _iterate_repeated_ids(self) -> Iterator[Repetition]:
        if not self._repeats:
            return
        counted = Counter(
            tuple(self._where[run.start : run.stop]) for run in self._iterate_runs() if len(run) > 1
        )
        for run in self._iterate_runs():
            count = counted.pop(tuple(self._where[run.start : run.stop]), 0)
            if count:
                yield Repetition(self._read_run(run), count)

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

    def _read_run(self, run: range) -> list[Declaration]:
        return [self._read_declaration(self._where[place], id=self._ids[place]) for place in run]

    def _read_declaration(
        self,
        where: int,
        *,
        id: int | None = None,  # noqa: A002 - the task's own word
        key: str | int | None = None,
    ) -> Declaration:
        header = self._headers[where >> _INDEX_BITS]
        return header.read_declaration(where & _INDEX_MAX, id=id, key=key)


class _LocatedKeys:
    """The keys of one project and path, as `core.model.KeyGroup`."""

    def __init__(self, index: DesiredIndex, group: KeyedPlaces) -> None:
        self._index = index
        self._group = group
        self.project = group.project
        self.path = group.path
        self.keys = group.keys

    def source_of(self, key: str | int) -> Source:
        """Return where a key is first declared; raises KeyError."""
        return self._index.locate_key(self._group.places[key])


def _list_objects(declared: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the objects that may hold keys of tasks."""
    return [declared[n] for n in MERGEABLE if isinstance(declared.get(n), dict)]
