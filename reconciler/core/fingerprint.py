"""Fingerprints of declarations: a few bytes per task show for most tasks that nothing differs.

A fingerprint covers only the declared values, in the order of a shape: the tree of declared keys,
which most tasks of a project share. The live values at the same keys have the same fingerprint if
they are the same. So nothing else of a declaration needs to be kept, or read again, to compare it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, TypeAlias

import msgspec

from reconciler.core.values import Json

SHAPES_MAX: Final = 255
"""One byte per task numbers its shape; tasks with further shapes are compared in full."""

_UNKNOWN: Final = SHAPES_MAX
_ENCODE: Final = msgspec.json.Encoder().encode
_SHAPE_ERRORS: Final = (LookupError, TypeError, ValueError, RecursionError)
"""What picking raises if a value does not have the shape, and encoding if text is not UTF-8."""

_Skeleton: TypeAlias = "tuple[str | tuple[str, _Skeleton], ...]"
"""The keys of an object; a key that holds an object comes with the keys of that object."""


class Fingerprints:
    """The fingerprints of a sequence of declarations, nine bytes each."""

    def __init__(self) -> None:
        self._shapes: list[_Shape] = []
        self._number_by: dict[_Skeleton, int] = {}
        self._last = _UNKNOWN
        self._last_whole: Collection[str] = ()
        self._numbers = bytearray()
        self._values = array("q")

    def add(self, declared: Mapping[str, Json], whole: Collection[str]) -> None:
        """Add a declaration; objects named in ``whole`` must have only the declared keys."""
        number = self._last if whole == self._last_whole else _UNKNOWN
        value = self._compute_value(number, declared, complete=True)
        if value is None:
            number = self._number_shape(_build_skeleton(declared, whole))
            value = self._compute_value(number, declared)
            self._last, self._last_whole = number, whole
        self._numbers.append(_UNKNOWN if value is None else number)
        self._values.append(value or 0)

    def repeat(self, times: int) -> None:
        """Add the last declaration again, ``times`` times."""
        self._numbers += bytes([self._numbers[-1]]) * times
        self._values.extend(array("q", [self._values[-1]]) * times)

    def add_unknown(self) -> None:
        """Add a declaration that always needs a full comparison."""
        self._numbers.append(_UNKNOWN)
        self._values.append(0)

    def hold(self, place: int, live: Mapping[str, Json]) -> bool:
        """Tell whether ``live`` has the values declared at ``place``; False if unsure."""
        return self._compute_value(self._numbers[place], live) == self._values[place]

    def at(self, places: Sequence[int]) -> Fingerprints:
        """Return only the fingerprints at ``places``, in that order."""
        chosen = Fingerprints()
        chosen._shapes, chosen._number_by = self._shapes, self._number_by
        chosen._numbers = bytearray(map(self._numbers.__getitem__, places))
        chosen._values = array("q", map(self._values.__getitem__, places))
        return chosen

    def _compute_value(
        self, number: int, attributes: Mapping[str, Json], *, complete: bool = False
    ) -> int | None:
        """Compute a fingerprint by a shape; None if ``attributes`` do not have that shape."""
        if number == _UNKNOWN:
            return None
        try:
            return self._shapes[number].fingerprint(attributes, complete=complete)
        except _SHAPE_ERRORS:
            return None

    def _number_shape(self, skeleton: _Skeleton) -> int:
        """Return the number of a shape; a new one for a new shape, if there are numbers left."""
        number = self._number_by.get(skeleton)
        if number is None:
            number = len(self._shapes)
            if number == SHAPES_MAX:
                return _UNKNOWN
            self._number_by[skeleton] = number
            self._shapes.append(_Shape(skeleton))
        return number


class _Shape:
    """A shape: how to pick the values of a skeleton out of attributes."""

    def __init__(self, skeleton: _Skeleton) -> None:
        self._pick = _build_picker(skeleton, whole=False)
        self._pick_all = _build_picker(skeleton, whole=True)

    def fingerprint(self, attributes: Mapping[str, Json], *, complete: bool) -> int:
        """Compute the fingerprint of the picked values; raises one of `_SHAPE_ERRORS`.

        It is the hash of their JSON text, in which 1 differs from true, and null from "null". With
        ``complete``, ``attributes`` may have no other keys.
        """
        pick = self._pick_all if complete else self._pick
        return hash(_ENCODE(pick(attributes)))


def _build_skeleton(declared: Mapping[str, Json], whole: Collection[str] = ()) -> _Skeleton:
    return tuple(
        (key, _build_skeleton(value)) if isinstance(value, dict) and key not in whole else key
        for key, value in declared.items()
    )


def _build_picker(skeleton: _Skeleton, *, whole: bool) -> Callable[[Any], Any]:
    """Return a function that picks the values of an object and of its inner objects.

    The function raises one of `_SHAPE_ERRORS` if an object does not exist, or with ``whole``, if it
    has more keys. An object at a key without a skeleton is picked as a whole.
    """
    keys = [part for part in skeleton if isinstance(part, str)]
    values = itemgetter(*keys) if keys else _pick_nothing
    parts = [part for part in skeleton if not isinstance(part, str)]
    inside = [(key, _build_picker(inner, whole=whole)) for key, inner in parts]

    def with_inside(value: dict[str, Any]) -> list[Any]:
        picked = [values(value)]
        for key, inner in inside:
            picked.append(inner(value[key]))
        return picked

    pick = with_inside if inside else values
    return _require_size(len(skeleton), pick) if whole else pick


def _require_size(size: int, pick: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def pick_all(value: dict[str, Any]) -> Any:  # noqa: ANN401 - as what it picks from
        if len(value) != size:
            raise LookupError
        return pick(value)

    return pick_all


def _pick_nothing(value: object) -> None:
    if not isinstance(value, dict):
        raise TypeError(value)
