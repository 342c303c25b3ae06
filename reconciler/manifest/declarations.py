"""What one document declares about its tasks, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, cast

from reconciler.core.model import TaskKey
from reconciler.core.notation import format_value, parse_path, shorten
from reconciler.core.paths import (
    Path,
    get_value,
    is_inside_value,
    iterate_around,
    iterate_managed,
    set_value,
)
from reconciler.core.problems import Allowance, Kind
from reconciler.core.values import ABSENT, Json
from reconciler.errors import Source
from reconciler.manifest.key_table import normalize_key
from reconciler.manifest.readers.document import Document
from reconciler.manifest.readers.source_map import Steps

MERGEABLE: Final = ("data", "meta")
"""The attributes that hold objects, and that have a policy."""

NAMES: Final = ("id", "key", "ids", "keys")
"""The keys of a task that say which tasks it declares; each entry has one of them."""

NOT_ATTRIBUTES: Final = frozenset({*NAMES, "absent"})
"""The keys of a task that are not attributes."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a document declares for all its tasks.

    ``project`` is negative if it stands for a name that no settings turned into a number; ``key``
    is the path of the keys that tasks may be named by. ``shared`` caches the entries that declare
    several tasks: without it, each of a million tasks would read the list of all.
    """

    document: Document
    project: int | None
    replaced: frozenset[str]
    defaults: Mapping[str, Json]
    absent: tuple[Path, ...] = ()
    key: Path | None = None
    allow: tuple[Allowance, ...] = ()
    shared: dict[int, TaskEntry] = field(default_factory=dict, compare=False, repr=False)

    def source_of(self, key: str) -> Source:
        """Return the place of ``key``, which must be there."""
        return self.document.locate_key((key,))

    def add_defaults(self, own: Mapping[str, Json], absent: tuple[Path, ...]) -> Mapping[str, Json]:
        """Merge the defaults under a task's own values, without the paths in ``absent``."""
        return _lay_below(self.defaults, own, absent, ()) if self.defaults else own

    def add_absent(
        self, own: Mapping[str, Json], absent: tuple[Path, ...] = ()
    ) -> tuple[Path, ...]:
        """Add the ``absent`` of the defaults to a task's own; what the task declares wins."""
        if not self.absent:
            return absent
        declared = {name: own[name] for name in MERGEABLE if name in own}
        added = [path for path in self.absent if not _is_declared(path, declared)]
        # Of two removals, one inside the other, the shorter includes both.
        own_left = _drop_inside(absent, added)
        return *own_left, *_drop_inside(added, own_left)

    def add_key(self, declared: Mapping[str, Json], key: str | int) -> Mapping[str, Json]:
        """Add a task's key to what it declares, where policy replace would remove the key."""
        if self.key is None or self.key[0] not in self.replaced or self.key[0] not in declared:
            return declared
        name, *keys = self.key
        return {**declared, name: set_value(declared[name], tuple(keys), key)}

    def read_declaration(
        self,
        index: int,
        *,
        id: int | None = None,  # noqa: A002 - the task's own word
        key: str | int | None = None,
    ) -> Declaration:
        """Read the declaration of one task again; raises ManifestError if its file has changed.

        An entry with ``ids`` or ``keys`` declares several tasks: ``id`` or ``key`` says which.
        """
        entry = self.shared.get(index) or self._read_entry(index)
        named = entry.key if key is None else key
        return Declaration(
            header=self,
            position=index,
            id=entry.id if id is None else id,
            own=entry.own,
            absent=entry.absent,
            key=None if named is None or self.key is None else TaskKey(self.key, named),
            entry=entry,
        )

    def _read_entry(self, index: int) -> TaskEntry:
        # It was checked, and no other code holds it: what is not an attribute can be popped.
        own = cast("dict[str, Any]", self.document.read_task(index))
        written = tuple(map(parse_absent_path, own.pop("absent", ())))
        id_, key = int(own.pop("id", 0)), own.pop("key", None)
        key = None if key is None else normalize_key(key)
        is_shared = own.pop("ids", None) is not None or own.pop("keys", None) is not None
        places: dict[Path, Source] | None = {} if is_shared else None
        absent = self.add_absent(own, written)
        entry = TaskEntry(own, written, absent, id_, key, places)
        if is_shared:
            self.shared[index] = entry
        return entry


class TaskEntry(NamedTuple):
    """One entry of a document's ``tasks``.

    ``written`` is its own ``absent``. ``id`` is 0, and ``key`` None, if others name its tasks.
    ``places`` caches places if the entry declares several tasks, and is None otherwise.
    """

    own: Mapping[str, Json]
    written: tuple[Path, ...]
    absent: tuple[Path, ...]
    id: int
    key: str | int | None
    places: dict[Path, Source] | None


class Declaration(NamedTuple):
    """What one entry of a document's ``tasks`` declares for one task, with the places of its paths.

    ``id`` is 0 if the task is named by its ``key``, and no server has been asked for its id.
    """

    header: Header
    position: int
    id: int
    own: Mapping[str, Json]
    absent: tuple[Path, ...]
    key: TaskKey | None
    entry: TaskEntry

    @property
    def source(self) -> Source:
        """Where the entry begins."""
        document = self.header.document
        return document.locate_value(("tasks", self.position))

    def describe(self, *, discreet: bool = False) -> str:
        """Name the task in a message, without its key if that is ``discreet``."""
        if self.id or self.key is None:
            return f"task {self.id}"
        if discreet:
            return "the task with this key"
        return f"the task with key {shorten(format_value(self.key.value))}"

    def build_attributes(self) -> Mapping[str, Json]:
        """Return the declared attributes, defaults and a key that would be removed included."""
        declared = self.header.add_defaults(self.own, self.absent)
        return declared if self.key is None else self.header.add_key(declared, self.key.value)

    def source_of(self, path: Path) -> Source:
        """Return the place of ``path``, or else of its nearest declared parent."""
        places = self.entry.places
        if places is None:
            return self._find_source(path)
        if path not in places:
            places[path] = self._find_source(path)
        return places[path]

    def source_of_key(self) -> Source:
        """Return the place of the key that names the task."""
        name = "key" if self.entry.key is not None else "keys"
        return self.header.document.locate_key(("tasks", self.position, name))

    def _find_source(self, path: Path) -> Source:
        document = self.header.document
        if path in self.absent:
            return document.locate_value(self._find_absent(path))
        if self.key is not None and path == self.key.path:
            return self.source_of_key()
        places: tuple[Steps, Steps] = (("tasks", self.position, *path), ("defaults", *path))
        for end in range(len(path), 0, -1):
            for place in places:
                steps = place[: len(place) - len(path) + end]
                try:
                    return document.locate_key(steps)
                except LookupError:
                    continue
        return self.source

    def _find_absent(self, path: Path) -> Steps:
        if path in self.entry.written:
            return "tasks", self.position, "absent", self.entry.written.index(path)
        return "defaults", "absent", self.header.absent.index(path)

    def inherits(self, path: Path) -> bool:
        """Tell whether ``path``, which must be declared, comes from the defaults alone."""
        return path not in self.entry.written and get_value(self.own, path) is ABSENT

    def iterate_leaves(self) -> Iterator[Path]:
        """Yield the paths that this declaration manages."""
        return iterate_managed(self.build_attributes(), self.header.replaced, self.absent)


def read_header(
    document: Document, accepted: Mapping[str, Any], *, project: int | None = None
) -> Header:
    """Build a header from the keys of a document that the checks accept.

    ``project`` is the number of a project that the document names.
    """
    policy = accepted.get("policy", {})
    declared = accepted.get("project")
    defaults = dict(accepted.get("defaults", {}))
    absent = tuple(map(parse_absent_path, defaults.pop("absent", ())))
    return Header(
        document,
        project if declared is None or isinstance(declared, str) else int(declared),
        frozenset(name for name in MERGEABLE if policy.get(name) == "replace"),
        defaults,
        absent,
        parse_absent_path(accepted["key"]) if "key" in accepted else None,
        tuple(_read_allowances(document, accepted.get("allow", ()))),
    )


def _read_allowances(
    document: Document, written: Iterable[Mapping[str, Any]]
) -> Iterator[Allowance]:
    for number, allowance in enumerate(written):
        source = document.locate_value(("allow", number))
        yield Allowance(
            Kind(allowance["kind"]),
            tuple(map(parse_absent_path, allowance.get("paths", ()))),
            by=f"{source.file}:{source.line}",
            reason=allowance["reason"],
            source=source,
        )


def parse_absent_path(written: str | list[str]) -> Path:
    """Read an element of ``absent``; raises ValueError."""
    return tuple(written) if isinstance(written, list) else parse_path(written)


def _lay_below(
    defaults: Mapping[str, Json], own: Mapping[str, Json], absent: tuple[Path, ...], at: Path
) -> dict[str, Json]:
    result = dict(own)
    for key, default in defaults.items():
        path = (*at, key)
        if path in absent:
            continue
        value = own.get(key)
        if isinstance(default, dict) and (key not in own or isinstance(value, dict)):
            result[key] = _lay_below(
                default, value if isinstance(value, dict) else {}, absent, path
            )
        elif key not in own:
            result[key] = default
    return result


def _is_declared(path: Path, own: Mapping[str, Json]) -> bool:
    """Tell whether a task declares the path itself, something inside it, or no object around it."""
    return get_value(own, path) is not ABSENT or is_inside_value(own, path)


def _drop_inside(paths: Iterable[Path], others: Iterable[Path]) -> list[Path]:
    """Drop the paths that are one of ``others``, or inside one."""
    around = frozenset(others)
    return [path for path in paths if around.isdisjoint(iterate_around(path))]
