"""One change as lines: short values in full on one line, long ones where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.core.contrast import (
    are_brief,
    are_short,
    find_differing,
    format_beginnings,
    format_brief,
    format_whole,
)
from reconciler.core.inner_difference import Inner, find_first_differences
from reconciler.core.notation import count_noun, format_path, shorten
from reconciler.core.values import ABSENT, Json, Side
from reconciler.renderers.style import Style

_PATH: Final = 200
_INNER_MAX: Final = 20
_HINT: Final = "--full shows all"

Lines = Iterator[str]


def format_change(before: Side, after: Side, *, style: Style, full: bool) -> list[str]:
    """Write how a value changes: the first line follows the path, the others go below it.

    Without ``full``, neither the lines nor the time for them grow with the values, except for the
    time that it takes to find their first differences.
    """
    if isinstance(before, list) and isinstance(after, list):
        counts = _format_count(len(before), len(after), "element")
        return [style.dim(counts), *_format_inner(before, after, style=style, full=full)]
    if (
        isinstance(before, dict)
        and isinstance(after, dict)
        and not (full or are_brief(before, after))
    ):
        counts = _format_count(len(before), len(after), "key")
        return [style.dim(counts), *_format_inner(before, after, style=style, full=full)]
    if (
        isinstance(before, str)
        and isinstance(after, str)
        and not (full or are_short(before, after))
    ):
        return list(_format_strings(before, after, style))
    return [_format_one_line(before, after, style=style, full=full)]


def get_symbol(before: Side, after: Side, style: Style) -> str:
    """Return the mark of a change: it adds, removes or replaces a value."""
    if before is ABSENT:
        return style.added("+")
    return style.removed("-") if after is ABSENT else style.changed("~")


def _format_one_line(before: Side, after: Side, *, style: Style, full: bool) -> str:
    old, new = format_whole(before, after) if full else format_brief(before, after, hint=_HINT)
    if before is ABSENT:
        return style.added(new)
    if after is ABSENT:
        return style.removed(old)
    return f"{style.removed(old)} -> {style.added(new)}"


def _format_strings(before: str, after: str, style: Style) -> Lines:
    """Show the part of two strings that differs, with a little context."""
    start, old, new = find_differing(before, after)
    lengths = _format_count(len(before), len(after), "character")
    yield style.dim(f"{lengths}, from character {start + 1:,}")
    old, new = format_beginnings(old, new, hint=_HINT)
    yield f"- {style.removed(old)}"
    yield f"+ {style.added(new)}"


def _format_count(before: int, after: int, noun: str) -> str:
    """Write ``1 element`` or ``3 -> 1 elements``."""
    return count_noun(after, noun) if before == after else f"{before:,} -> {after:,} {noun}s"


def _format_inner(before: Json, after: Json, *, style: Style, full: bool) -> Lines:
    """Show what is added, removed and replaced in a list or object; count what is not shown."""
    found = find_first_differences(before, after, None if full else _INNER_MAX)
    for inner in found.first:
        yield _format_inner_line(inner, style=style, full=full)
    if more := found.describe_others():
        yield style.dim(f"… {more}, {_HINT}")


def _format_inner_line(inner: Inner, *, style: Style, full: bool) -> str:
    mark = get_symbol(inner.before, inner.after, style)
    path = format_path(inner.path)
    line = _format_one_line(inner.before, inner.after, style=style, full=full)
    return f"{mark} {path if full else shorten(path, _PATH)}  {line}"
