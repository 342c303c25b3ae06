"""Paths inside a task: what is around and inside them, and the values that they lead to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeAlias, overload

from reconciler.core.values import ABSENT, Json, NoValue, Side

Path: TypeAlias = tuple[str, ...]
"""A place inside a task: the attribute, then the keys of objects."""


def iterate_around(path: Path) -> Iterator[Path]:
    """Yield the paths around ``path``, the shortest first, and ``path`` itself at last."""
    return (path[:length] for length in range(1, len(path) + 1))


def iterate_outwards(path: Path) -> Iterator[Path]:
    """Yield ``path`` itself, and then the paths around it, the nearest first."""
    return (path[:length] for length in range(len(path), 0, -1))


def is_inside(path: Path, outer: Path) -> bool:
    """Tell whether ``path`` is ``outer`` or inside it; everything is inside the empty path."""
    return path[: len(outer)] == outer


def are_nested(one: Path, other: Path) -> bool:
    """Tell whether two paths are equal, or one is inside the other."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


@overload
def iterate_leaves(path: Path, value: Json) -> Iterator[tuple[Path, Json]]: ...
@overload
def iterate_leaves(path: Path, value: Side) -> Iterator[tuple[Path, Side]]: ...
def iterate_leaves(path: Path, value: Side) -> Iterator[tuple[Path, Side]]:
    """Yield what merging ``value`` at ``path`` sets: the values inside objects, with their paths.

    An empty object counts as such a value, as any list does.
    """
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from iterate_leaves((*path, key), inner)
    else:
        yield path, value


def iterate_managed(
    attributes: Mapping[str, Json], replaced: Collection[str], absent: Iterable[Path]
) -> Iterator[Path]:
    """Yield the paths that a declaration manages: its values, and then what must not exist.

    Of the attributes in ``replaced``, all is managed; of other objects, only the values declared.
    """
    for name, value in attributes.items():
        if name in replaced:
            yield (name,)
        else:
            yield from (path for path, _ in iterate_leaves((name,), value))
    yield from absent


def get_value(attributes: Mapping[str, Side], path: Path) -> Side:
    """Return the value at ``path``; ABSENT if it, or an object on the way, does not exist."""
    value: Side = attributes.get(path[0], ABSENT)
    for key in path[1:]:
        if not isinstance(value, dict):
            return ABSENT
        value = value.get(key, ABSENT)
    return value


def is_inside_value(attributes: Mapping[str, Side], path: Path) -> bool:
    """Tell whether a value around ``path`` exists that is no object, so that it has no such key."""
    name, *keys = path
    value: Side = attributes.get(name, ABSENT)
    for key in keys:
        if not isinstance(value, dict):
            return value is not ABSENT
        value = value.get(key, ABSENT)
    return False


@overload
def set_value(base: Side, path: Path, value: Json) -> Json: ...
@overload
def set_value(base: Side, path: Path, value: Side) -> Side: ...
def set_value(base: Side, path: Path, value: Side) -> Side:
    """Return a copy of ``base`` with a value at a path inside it; ABSENT removes the path.

    Objects that lead to the value are made if they do not exist, also in the place of other values.
    """
    if not path:
        return value
    key, *rest = path
    known = base if isinstance(base, dict) else {}
    if isinstance(value, NoValue) and key not in known:
        return base
    inner = set_value(known.get(key, ABSENT), tuple(rest), value)
    if isinstance(inner, NoValue):
        return {k: v for k, v in known.items() if k != key}
    return {**known, key: inner}


class PathIndex:
    """Paths, and whether another path is equal to one of them, around it or inside it."""

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        self._paths: set[Path] = set()
        self._inside: dict[Path, Path] = {}
        for path in paths:
            self.add(path)

    def add(self, path: Path) -> None:
        """Add a path, which is then found by the paths around it, too."""
        self._paths.add(path)
        for length in range(1, len(path)):
            self._inside.setdefault(path[:length], path)

    def find_overlapping(self, path: Path) -> Path | None:
        """Return the shortest of the paths that is ``path`` or around it, or else one inside it."""
        for length in range(1, len(path) + 1):
            if path[:length] in self._paths:
                return path[:length]
        return self._inside.get(path)
