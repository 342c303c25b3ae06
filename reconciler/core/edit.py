"""Looking up paths in a task, and carrying changes out on a copy of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from reconciler.core.model import Change
from reconciler.core.notation import Path
from reconciler.core.values import ABSENT, Json, NoValue, Side


def get_value(attributes: Mapping[str, Side], path: Path) -> Side:
    """Look ``path`` up; ABSENT where it, or an object on the way, is not there."""
    name, *keys = path
    value: Side = attributes.get(name, ABSENT)
    for key in keys:
        if not isinstance(value, dict):
            return ABSENT
        value = value.get(key, ABSENT)
    return value


def apply_changes(attributes: Mapping[str, Side], changes: Iterable[Change]) -> dict[str, Json]:
    """Carry ``changes`` out on a copy, and return the attributes that they touch, whole.

    This is the body of a PATCH: the server replaces an object as a whole, so every key that
    nobody declared goes back exactly as it was read. An object is copied once, however many of
    its keys change. Raises ValueError for an attribute that would be removed, and TypeError
    where a change goes inside something that is no object.
    """
    result: dict[str, Json] = {}
    copies = _Copies()
    for change in changes:
        name, *keys = change.path
        if keys:
            base = result[name] if name in result else attributes.get(name, ABSENT)
            inner = result[name] = copies.of(base, keys[0])
            for key, following in pairwise(keys):
                inner[key] = inner = copies.of(inner.get(key, ABSENT), following)
            _put(inner, keys[-1], change.after)
        elif isinstance(change.after, NoValue):
            raise ValueError(f"an attribute cannot be removed: {name}")
        else:
            result[name] = change.after
    return result


def _put(inner: dict[str, Json], key: str, value: Side) -> None:
    if isinstance(value, NoValue):
        inner.pop(key, None)
    else:
        inner[key] = value


class _Copies:
    """Objects that may be changed in place, since they were copied here; all others may not."""

    def __init__(self) -> None:
        self._made: dict[int, dict[str, Json]] = {}

    def of(self, value: Side, key: str) -> dict[str, Json]:
        """Give a copy of an object in which ``key`` is to change, or the copy that it is."""
        if not isinstance(value, dict):
            raise TypeError(f"no object to change {key!r} in")
        if id(value) in self._made:
            return value
        copy = dict(value)
        self._made[id(copy)] = copy
        return copy


def set_value(base: Side, path: Path, value: Side) -> Side:
    """Put a value at a path inside a copy of ``base``; ABSENT removes what is there.

    Raises TypeError where an object on the way is not there.
    """
    if not path:
        return value
    if not isinstance(base, dict):
        raise TypeError(f"no object to change {path[0]!r} in")
    key, *rest = path
    inner = set_value(base.get(key, ABSENT), tuple(rest), value)
    if isinstance(inner, NoValue):
        return {k: v for k, v in base.items() if k != key}
    return {**base, key: inner}
