"""The keys that manifests declare, by project and path, and the live tasks that hold them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from reconciler.core.model import TaskKey
from reconciler.core.paths import Path
from reconciler.core.values import Side


class KeyTable:
    """Keys with the places of their declarations: numbers that the caller assigns."""

    def __init__(self) -> None:
        self._groups: dict[int, dict[Path, KeyedPlaces]] = {}
        self._in_order: list[KeyedPlaces] = []

    def __len__(self) -> int:
        return sum(len(group.places) for group in self.list_groups())

    def add(self, project: int, path: Path, key: str | int, *, place: int) -> None:
        """Add a declaration of a key."""
        groups = self._groups.setdefault(project, {})
        group = groups.get(path)
        if group is None:
            group = groups[path] = KeyedPlaces(project, path)
            self._in_order.append(group)
        group.add(key, place)

    def list_groups(self) -> Sequence[KeyedPlaces]:
        """List the groups in the order in which they are first declared."""
        return tuple(self._in_order)

    def list_groups_of(self, project: int) -> Sequence[KeyedPlaces]:
        """List the groups of a project in the order in which they are first declared."""
        return tuple(self._groups.get(project, {}).values())

    def find(
        self, project: int, found: Mapping[int, Mapping[str, Side]]
    ) -> dict[int, tuple[TaskKey, ...]]:
        """Return the keys that tasks of a project hold, by the id of the task."""
        named: dict[int, tuple[TaskKey, ...]] = {}
        for group in self.list_groups_of(project):
            for task, key in group.find(found):
                named[task] = (*named[task], key) if task in named else (key,)
        return named

    def list_places(self, key: TaskKey, project: int | None) -> Sequence[int]:
        """List the places where a key is declared, in order; none if it is not.

        ``project`` may be None if only one project declares such a key; raises ValueError else.
        """
        if project is not None:
            group = self._groups.get(project, {}).get(key.path)
            return group.list_places(key.value) if group else ()
        groups = (found[key.path] for found in self._groups.values() if key.path in found)
        places = [found for group in groups if (found := group.list_places(key.value))]
        if len(places) > 1:
            raise ValueError(f"several projects declare the key {key}")
        return places[0] if places else ()


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
        if self.places.setdefault(key, place) != place:
            self.repeated.setdefault(key, []).append(place)

    def list_places(self, key: str | int) -> Sequence[int]:
        """List the places where a key is declared, in order; none if it is not."""
        first = self.places.get(key)
        if first is None:
            return ()
        return (first, *self.repeated.get(key, ())) if self.repeated else (first,)

    def find(self, found: Mapping[int, Mapping[str, Side]]) -> list[tuple[int, TaskKey]]:
        """List the tasks that hold a declared key, with the key."""
        name, *inner = self.path
        held: list[tuple[int, TaskKey]] = []
        for task, live in found.items():
            value = live.get(name)
            for step in inner:
                value = value.get(step) if isinstance(value, dict) else None
            key = self.recognise(value)
            if key is not None:
                held.append((task, TaskKey(self.path, key)))
        return held

    def recognise(self, value: Side) -> str | int | None:
        """Return the declared key that is the same value; None if there is none."""
        if type(value) is float:
            value = to_integer(value)
        # By type, since True equals 1 to Python.
        if (type(value) is str or type(value) is int) and value in self.places:
            return value
        return None


def to_integer(value: float) -> int | None:
    """Return the integer that is the same JSON value as ``value``; None if there is none."""
    return int(Decimal(repr(value))) if value.is_integer() else None


def normalize_key(written: str | float) -> str | int:
    """Return a key as it is compared: a whole number as an integer."""
    return int(Decimal(repr(written))) if isinstance(written, float) else written
