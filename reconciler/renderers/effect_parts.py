"""What the changes of a group do, in words; each format marks old and new parts in its own way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from reconciler.core.change_groups import ChangeGroup, Effect, Spread, TextEdit
from reconciler.core.contrast import format_brief
from reconciler.core.notation import format_value, shorten
from reconciler.core.values import ABSENT, Side

Part: TypeAlias = tuple[str, str]
"""``old``, ``new`` or nothing, and a text."""

ARROW: Final[Part] = ("", " -> ")

_VALUE_MAX: Final = 60


def describe_effect(group: ChangeGroup) -> Iterator[Part]:
    """Say what all changes of a group have in common: ``1 -> 2``, ``was 0.1 … 0.9``."""
    before, after = group.before, group.after
    match group.effect:
        case Effect.REMOVE:
            yield from _describe_past(before)
        case Effect.ADD:
            yield "new", _format(after.first)
        case Effect.SET if before.count == 1:
            yield from describe_sides(before.first, after.first)
        case Effect.SET:
            yield from (*_describe_past(before), ARROW, ("new", _format(after.first)))
        case Effect.REPLACE if group.edit:
            yield from _describe_edit(group.edit)
        case _ if after.count == len(group):
            yield "", "each differently"
        case _:
            yield "", _count_values(after)


def describe_sides(before: Side, after: Side) -> Iterator[Part]:
    """Write what a value was, and what it becomes."""
    old, new = (shorten(side, _VALUE_MAX) for side in format_brief(before, after))
    if before is not ABSENT:
        yield "old", old
    if before is not ABSENT and after is not ABSENT:
        yield ARROW
    if after is not ABSENT:
        yield "new", new


def _describe_past(spread: Spread) -> Iterator[Part]:
    """Write what was there: the only value, the bounds of numbers, or how many there were."""
    yield "", "was "
    if spread.count == 1:
        yield "old", _format(spread.first)
    elif spread.lowest is not None and spread.highest is not None:
        yield "old", f"{_format(spread.lowest)} … {_format(spread.highest)}"
        yield "", f", {_count_values(spread)}"
    else:
        yield "", f"{_count_values(spread)}, such as "
        yield "old", _format(spread.first)


def _count_values(spread: Spread) -> str:
    return f"{spread.count:,} different values"


def _describe_edit(edit: TextEdit) -> Iterator[Part]:
    yield "old", _format(edit.start + edit.old)
    yield ARROW
    yield "new", _format(edit.start + edit.new)
    yield "", " at the beginning, the rest as it was"


def _format(value: Side) -> str:
    return shorten(format_value(value), _VALUE_MAX)
