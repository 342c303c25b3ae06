"""JSON values, the marks for absent and unreadable values, and when two values are the same."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from itertools import chain
from typing import Final, Literal, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""A JSON value. Objects are dicts and arrays lists; neither is ever changed in place."""


class NoValue(Enum):
    """The type of `ABSENT` and `UNREADABLE`, so that type checkers can tell them from values."""

    ABSENT = "absent"
    UNREADABLE = "unreadable"

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return f"({self.value})"


ABSENT: Final = NoValue.ABSENT
"""The path does not exist. Null, by contrast, is a value."""

UNREADABLE: Final = NoValue.UNREADABLE
"""Stored, but the server fails to return the value. (Label Studio 1.23.2 does so for ``data`` that
holds half of a surrogate pair.)"""


class Redacted(str):
    """What is shown in place of a redacted value, such as ``(redacted A)``.

    It is text, so that whatever shows or stores values can show it. Equal values of a run have the
    same marker. It is written without quotes, except inside objects.
    """

    __slots__ = ()


Maybe: TypeAlias = "Json | Literal[NoValue.ABSENT]"

Side: TypeAlias = "Json | NoValue"
"""The value before or after a change."""

DEPTH_MAX: Final = 300
"""How deep the objects and lists of a value may be nested; Python's own limit for walking them is
near 500, and the data of real tasks is never so deep."""

_Holder: TypeAlias = "list[Json] | dict[str, Json]"
_HOLDERS: Final = frozenset({dict, list})
_EXACT_INTEGERS: Final = 2.0**53


def box(side: Side) -> list[Json] | None:
    """Write a side as JSON: a value in a list, ABSENT as an empty list, UNREADABLE as null."""
    if side is UNREADABLE:
        return None
    return [] if side is ABSENT else [side]


def is_same(left: Side, right: Side) -> bool:
    """Tell whether two values are the same JSON value.

    Numbers compare by their decimal value (``1`` is ``1.0``, ``1e30`` is ``10**30``, ``-0.0`` is
    ``0``); booleans are not numbers, null is not ABSENT; the order of keys does not matter, but
    that of elements does.
    """
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and len(left) == len(right)
            and all(key in right and is_same(value, right[key]) for key, value in left.items())
        )
    if isinstance(left, list):
        return (
            isinstance(right, list) and len(left) == len(right) and all(map(is_same, left, right))
        )
    if type(left) is type(right):
        return left == right
    if isinstance(left, int) and isinstance(right, float):
        return not isinstance(left, bool) and _is_same_number(left, right)
    if isinstance(left, float) and isinstance(right, int):
        return not isinstance(right, bool) and _is_same_number(right, left)
    return False


def _is_same_number(whole: int, real: float) -> bool:
    """Compare an int with a float by their decimal digits.

    PostgreSQL stores ``1e30`` as a decimal number and returns the integer ``10**30``, which is not
    the binary value of the float; large integers that differ by one must still differ.
    """
    if abs(real) < _EXACT_INTEGERS:
        return whole == real
    return Decimal(repr(real)) == whole


def is_too_deep(value: Side, most: int = DEPTH_MAX) -> bool:
    """Tell whether objects and lists are nested more than ``most`` deep."""
    level: list[_Holder] = [value] if isinstance(value, dict | list) else []
    for _ in range(most):
        if not level:
            return False
        level = _list_containers(level)
    return bool(level)


def _list_containers(level: list[_Holder]) -> list[_Holder]:
    """List the objects and lists one level down; mostly, their types show that there are none."""
    parts = [part.values() if isinstance(part, dict) else part for part in level]
    if _HOLDERS.isdisjoint(map(type, chain.from_iterable(parts))):
        return []
    return [inner for inner in chain.from_iterable(parts) if isinstance(inner, dict | list)]
