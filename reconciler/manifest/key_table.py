"""The keys that manifests declare, by project and path, and the live tasks that hold them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Self

from reconciler.core.model import TaskKey
from reconciler.core.notation import Path
from reconciler.core.values import Side


class KeyTable:
    """Keys with the places of their declarations: numbers that the caller assigns."""

    def __init__(self) -> None:
        self._groups: dict[tuple[int, Path], KeyedPlaces] = {}

    def __len__(self) -> int:
        return sum(len(group.places) for group in self._groups.values())

    def add(self, project: int, path: Path, key: str | int, *, place: int) -> None:
        """Add a declaration of a key."""
        group = self._groups.get((project, path))
        if group is None:
            group = self._groups[project, path] = KeyedPlaces(project, path)
        group.add(key, place)

    def list_groups(self) -> Sequence[KeyedPlaces]:
        """List the groups in the order in which they are first declared."""
        return tuple(self._groups.values())

    def find(
        self, project: int, found: Mapping[int, Mapping[str, Side]]
    ) -> dict[int, tuple[TaskKey, ...]]:
        """Return the keys that tasks of a project hold, by the id of the task."""
        named: dict[int, tuple[TaskKey, ...]] = {}
        for group in self._groups.values():
            if group.project == project:
                is_ambiguous = sum(path == group.path for _, path in self._groups) > 1
                for task, key in group.find(found):
                    held = _ProjectKey(project, group.path, key) if is_ambiguous else None
                    named[task] = *named.get(task, ()), held or TaskKey(group.path, key)
        return named

    def find_places(self, key: TaskKey) -> Sequence[int]:
        """Return the places where a key is declared, in order."""
        project = key.project if isinstance(key, _ProjectKey) else None
        for group in self._groups.values():
            if group.path == key.path and project in {None, group.project}:
                places = group.list_places(key.value)
                if places:
                    return places
        return ()


class KeyedPlaces:
    """The keys of one project at one path, with the places of their declarations."""

    def __init__(self, project: int, path: Path) -> None:
        self.project = project
        self.path = path
        self.places: dict[str | int, int] = {}
        self.repeated: dict[str | int, list[int]] = {}

    @property
    def keys(self) -> Collection[str | int]:
        """The keys, in the order in which they are first declared."""
        return self.places.keys()

    def add(self, key: str | int, place: int) -> None:
        """Add a declaration of a key."""
        if key in self.places:
            self.repeated.setdefault(key, []).append(place)
        else:
            self.places[key] = place

    def list_places(self, key: str | int) -> Sequence[int]:
        """List the places where a key is declared, in order; none if it is not."""
        first = self.places.get(key)
        return () if first is None else (first, *self.repeated.get(key, ()))

    def find(self, found: Mapping[int, Mapping[str, Side]]) -> Iterator[tuple[int, str | int]]:
        """Yield the tasks that hold a declared key, with the key."""
        name, *inner = self.path
        places = self.places
        for task, live in found.items():
            value = live.get(name)
            for step in inner:
                value = value.get(step) if isinstance(value, dict) else None
            if type(value) is float:
                value = to_integer(value)
            # By type, since True equals 1 to Python.
            if type(value) in _KEY_TYPES and value in places:
                yield task, value  # type: ignore[misc]  # its type has just been checked


_KEY_TYPES = frozenset({str, int})


class _ProjectKey(TaskKey):
    """A key whose path and value are declared for several projects, with that of its task."""

    project: int

    def __new__(cls, project: int, path: Path, value: str | int) -> Self:
        made = super().__new__(cls, path, value)
        made.project = project
        return made


def to_integer(value: float) -> int | None:
    """Return the integer that is the same JSON value as ``value``; None if there is none."""
    return int(Decimal(repr(value))) if value.is_integer() else None


def normalize_keys(written: Iterable[str | float]) -> Iterator[str | int]:
    """Yield keys as they are compared: whole numbers as integers."""
    for key in written:
        yield int(Decimal(repr(key))) if isinstance(key, float) else key
