"""The keys that manifests declare, by project and path, and the live tasks that hold them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from reconciler.core.model import HeldKeys, TaskKey
from reconciler.core.paths import Path
from reconciler.core.values import Side


class KeyTable:
    """Keys with the places of their declarations: numbers that the caller assigns."""

    def __init__(self) -> None:
        self._groups: dict[int, dict[Path, KeyedPlaces]] = {}
        self._in_order: list[KeyedPlaces] = []

    def __len__(self) -> int:
        return sum(len(group.places) for group in self.list_groups())

    def open_group(self, project: int, path: Path) -> KeyedPlaces:
        """Return the keys of a project at a path, to which declarations can be added."""
        groups = self._groups.setdefault(project, {})
        group = groups.get(path)
        if group is None:
            group = groups[path] = KeyedPlaces(project, path)
            self._in_order.append(group)
        return group

    def list_groups(self) -> Sequence[KeyedPlaces]:
        """List the groups in the order in which they are first declared."""
        return tuple(self._in_order)

    def list_groups_of(self, project: int) -> Sequence[KeyedPlaces]:
        """List the groups of a project in the order in which they are first declared."""
        return tuple(self._groups.get(project, {}).values())

    def find(self, project: int, found: Mapping[int, Mapping[str, Side]]) -> HeldKeys:
        """Return the keys that tasks of a project hold."""
        groups = self._groups.get(project, {})
        return HeldKeys(project, {path: group.find(found) for path, group in groups.items()})

    def find_places(self, keys: HeldKeys) -> tuple[dict[int, Sequence[int]], set[int]]:
        """Return the places where the keys of tasks are declared, and who has several keys."""
        places: dict[int, Sequence[int]] = {}
        several: set[int] = set()
        for path, held in keys.by_path.items():
            several |= places.keys() & held.keys()
            places |= self._groups[keys.project][path].locate(held)
        return places, several

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

    def find(self, found: Mapping[int, Mapping[str, Side]]) -> dict[int, str | int]:
        """Return the tasks that hold a declared key, with the key."""
        name, *inner = self.path
        places, held = self.places, dict[int, str | int]()
        for task, live in found.items():
            value = live.get(name)
            for step in inner:
                value = value.get(step) if isinstance(value, dict) else None
            if type(value) is str:  # as most keys are
                if value in places:
                    held[task] = value
            elif (key := self.recognise(value)) is not None:
                held[task] = key
        return held

    def locate(self, held: Mapping[int, str | int]) -> dict[int, Sequence[int]]:
        """Return the places of the keys that tasks hold, as `list_places` does for one."""
        if self.repeated:
            return {task: self.list_places(key) for task, key in held.items()}
        places = self.places
        return {task: (places[key],) for task, key in held.items()}

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
