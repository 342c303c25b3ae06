"""Fingerprints of what is declared: a few bytes a task tell of most that nothing differs.

A fingerprint is taken of the declared values alone, in the order of a shape: which keys are
declared, and inside which. The tasks of a project mostly share one. Live values that are picked
by it have the same fingerprint where they are the same, so that nothing else of a declaration
has to be kept, or read again, to compare it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, TypeAlias

import msgspec

from reconciler.core.values import Json

SHAPES_MAX: Final = 255
"""A byte of a task numbers its shape; tasks of further shapes are compared in full."""

_UNKNOWN: Final = SHAPES_MAX
_ENCODE: Final = msgspec.json.Encoder().encode
_UNLIKE: Final = (LookupError, TypeError, ValueError, RecursionError)
"""What picking raises where a value is not of the shape, and encoding where text is no UTF-8."""

_Skeleton: TypeAlias = "tuple[str | tuple[str, _Skeleton], ...]"
"""The keys of an object; those that hold objects with their keys."""


class Fingerprints:
    """The fingerprints of declarations, one after another, in nine bytes each."""

    def __init__(self) -> None:
        self._shapes: list[_Shape] = []
        self._number_by: dict[_Skeleton, int] = {}
        self._last = _UNKNOWN
        self._last_whole: Collection[str] = ()
        self._numbers = bytearray()
        self._values = array("q")

    def add(self, declared: Mapping[str, Json], whole: Collection[str]) -> None:
        """Add a declaration: objects named in ``whole`` have no keys but those declared."""
        number = self._last if whole == self._last_whole else _UNKNOWN
        value = self._compute_value(number, declared, all_of_it=True)
        if value is None:
            number = self._number_shape(_build_skeleton(declared, whole))
            value = self._compute_value(number, declared)
            self._last, self._last_whole = number, whole
        self._numbers.append(_UNKNOWN if value is None else number)
        self._values.append(value or 0)

    def add_unknown(self) -> None:
        """Add a declaration that its values alone do not tell."""
        self._numbers.append(_UNKNOWN)
        self._values.append(0)

    def hold(self, place: int, live: Mapping[str, Json]) -> bool:
        """Tell whether ``live`` has the values declared at ``place``; False where unsure."""
        return self._compute_value(self._numbers[place], live) == self._values[place]

    def at(self, places: Sequence[int]) -> Fingerprints:
        """Give those at ``places`` alone, in that order."""
        chosen = Fingerprints()
        chosen._shapes, chosen._number_by = self._shapes, self._number_by
        chosen._numbers = bytearray(map(self._numbers.__getitem__, places))
        chosen._values = array("q", map(self._values.__getitem__, places))
        return chosen

    def _compute_value(
        self, number: int, attributes: Mapping[str, Json], *, all_of_it: bool = False
    ) -> int | None:
        """Take a fingerprint by a shape; None where ``attributes`` are of another."""
        if number == _UNKNOWN:
            return None
        try:
            return self._shapes[number].fingerprint(attributes, all_of_it=all_of_it)
        except _UNLIKE:
            return None

    def _number_shape(self, skeleton: _Skeleton) -> int:
        """Give the number of a shape."""
        number = self._number_by.get(skeleton)
        if number is None:
            number = len(self._shapes)
            if number == SHAPES_MAX:
                return _UNKNOWN
            self._number_by[skeleton] = number
            self._shapes.append(_Shape(skeleton))
        return number


class _Shape:
    """How to pick the values of a skeleton out of attributes."""

    def __init__(self, skeleton: _Skeleton) -> None:
        self._pick = _build_picker(skeleton, whole=False)
        self._pick_all = _build_picker(skeleton, whole=True)

    def fingerprint(self, attributes: Mapping[str, Json], *, all_of_it: bool) -> int:
        """Take the fingerprint of the values picked; raises one of `_UNLIKE`.

        It is of their text, which says all: 1 is not true there, nor null "null". With
        ``all_of_it`` no key may be left out.
        """
        pick = self._pick_all if all_of_it else self._pick
        return hash(_ENCODE(pick(attributes)))


def _build_skeleton(declared: Mapping[str, Json], whole: Collection[str] = ()) -> _Skeleton:
    return tuple(
        (key, _build_skeleton(value)) if isinstance(value, dict) and key not in whole else key
        for key, value in declared.items()
    )


def _build_picker(skeleton: _Skeleton, *, whole: bool) -> Callable[[Any], Any]:
    """Pick the values of an object, then those of the objects inside it that have a skeleton.

    What is picked raises one of `_UNLIKE` where there is no such object, and, with ``whole``,
    where it has more keys. An object in the place of a value is one: it is held as a whole.
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
