"""Looking up paths in a task, and carrying changes out on a copy of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.plan.model import Change
from reconciler.plan.notation import Path
from reconciler.plan.values import ABSENT, Json, Maybe


def value_at(attributes: Mapping[str, Json], path: Path) -> Maybe:
    """Look ``path`` up; ABSENT where it, or an object on the way, is not there."""
    name, *keys = path
    value: Maybe = attributes.get(name, ABSENT)
    for key in keys:
        if not isinstance(value, dict):
            return ABSENT
        value = value.get(key, ABSENT)
    return value


def edited(attributes: Mapping[str, Json], changes: Iterable[Change]) -> dict[str, Json]:
    """Carry ``changes`` out on a copy, and return the attributes that they touch, whole.

    This is the body of a PATCH: the server replaces an object as a whole, so every key that
    nobody declared goes back exactly as it was read.
    """
    result: dict[str, Json] = {}
    for change in changes:
        name, *inner = change.path
        base = result[name] if name in result else attributes.get(name, ABSENT)
        value = with_value(base, tuple(inner), change.after)
        if value is ABSENT:
            raise ValueError(f"an attribute cannot be removed: {name}")
        result[name] = value
    return result


def with_value(base: Maybe, path: Path, value: Maybe) -> Maybe:
    """Put a value at a path inside a copy of ``base``; ABSENT removes what is there.

    Raises TypeError where an object on the way is not there.
    """
    if not path:
        return value
    if not isinstance(base, dict):
        raise TypeError(f"no object to change {path[0]!r} in")
    key, *rest = path
    inner = with_value(base.get(key, ABSENT), tuple(rest), value)
    if inner is ABSENT:
        return {k: v for k, v in base.items() if k != key}
    return {**base, key: inner}
