"""Keeping and dropping paths of a task, for declarations that leave something out; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.core.paths import Path, get_value, set_value
from reconciler.core.values import ABSENT, Json, Maybe, NoValue, Side


def keep_paths(attributes: Mapping[str, Json], paths: Iterable[Path]) -> dict[str, Json]:
    """Return only what is at ``paths``, inside the objects that lead there."""
    kept: Side = {}
    for path in sorted(paths, key=len, reverse=True):
        # The shorter path, which comes later, includes what is inside it.
        value = get_value(attributes, path)
        if not isinstance(value, NoValue):
            kept = set_value(kept, path, value)
    return kept if isinstance(kept, dict) else {}


def drop_paths(attributes: Mapping[str, Json], paths: Iterable[Path]) -> dict[str, Json]:
    """Return the attributes without ``paths``, and without the objects that this empties.

    A value that is no object, or an empty one, and stands on the way to a path is dropped too:
    whatever writes the path would change it.
    """
    left: Maybe = dict(attributes)
    for path in paths:
        left = _drop(left, path)
    return left if isinstance(left, dict) else {}


def _drop(value: Maybe, path: Path) -> Maybe:
    if not path or not isinstance(value, dict):
        return ABSENT
    key, rest = path[0], path[1:]
    if key not in value:
        return value or ABSENT
    inner = _drop(value[key], rest)
    if isinstance(inner, NoValue):
        return {name: other for name, other in value.items() if name != key} or ABSENT
    return {**value, key: inner}
