"""The body of an update: changes applied to copies of whole attributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from reconciler.core.values import ABSENT, Json, NoValue, Side

if TYPE_CHECKING:
    from reconciler.core.model import Change


def apply_changes(attributes: Mapping[str, Side], changes: Iterable[Change]) -> dict[str, Json]:
    """Apply ``changes`` to a copy, and return each attribute that they touch as a whole.

    This is the body of a PATCH: the server replaces objects as a whole, so every undeclared key
    is sent back exactly as it was read. An object is copied once, however many of its keys
    change. Raises ValueError if an attribute would be removed, and TypeError if a change goes
    inside a value that is not an object.
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
    """Copies of objects, which may be changed in place; the originals may not."""

    def __init__(self) -> None:
        self._made: dict[int, dict[str, Json]] = {}

    def of(self, value: Side, key: str) -> dict[str, Json]:
        """Return ``value`` if it is one of these copies, or else a new copy of it.

        Raises TypeError, which names ``key``, unless ``value`` is an object.
        """
        if not isinstance(value, dict):
            raise TypeError(f"cannot change {key!r} inside a value that is not an object")
        if id(value) in self._made:
            return value
        copy = dict(value)
        self._made[id(copy)] = copy
        return copy
