"""One change as lines: short values on one line, long ones by the part that differs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import islice
from math import inf
from typing import Final

from reconciler.core.inner_difference import Budget, Inner, count_common_run, find_inner_differences
from reconciler.core.notation import (
    format_ascii,
    format_beginning,
    format_path,
    format_value,
    shorten,
)
from reconciler.core.values import ABSENT, Json, Side
from reconciler.renderers.style import Style

_SHORT: Final = 60
_CONTEXT: Final = 24
_LONG: Final = 400
_PATH: Final = 200
_SLICE: Final = 1 << 16
_INNER_MAX: Final = 20
_COUNTED: Final = 2_000
"""Characters up to which the length of a value is counted."""
_SEARCHED: Final = 200
"""Comparisons behind a difference within which the next one is looked for."""

_LOOKS_LIKE: Final = {
    **str.maketrans(
        "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
        "\u0405\u0406\u0408\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458"
        "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
        "\u03bf\u03bd\u2010\u2013\u2212",
        "ABEKMHOPCTYXSIJaeopcyxsijABEZHIKMNOPTYXov---",
    ),
    **dict.fromkeys(range(0xFE00, 0xFE10)),  # variation selectors
}
"""What most fonts draw like a Latin letter or a hyphen (Cyrillic, Greek, dashes), or not at all."""

Lines = Iterator[str]


def format_change(before: Side, after: Side, *, style: Style, full: bool) -> list[str]:
    """Write how a value changes: the first line follows the path, the others stand below it.

    Without ``full``, neither the lines nor the time that they take grow with the values, but for
    finding the first places in which these differ.
    """
    if isinstance(before, list) and isinstance(after, list):
        counts = f"{_format_part(len(before), len(after))} elements"
        return [style.dim(counts), *_format_inner(before, after, style=style, full=full)]
    if (
        isinstance(before, dict)
        and isinstance(after, dict)
        and not (full or _are_brief(before, after))
    ):
        counts = f"{_format_part(len(before), len(after))} keys"
        return [style.dim(counts), *_format_inner(before, after, style=style, full=full)]
    if (
        isinstance(before, str)
        and isinstance(after, str)
        and not (full or _is_short(before, after))
    ):
        return list(_format_strings(before, after, style))
    return [_format_one_line(before, after, style=style, full=full)]


def _is_short(*texts: str) -> bool:
    return all(len(text) <= _SHORT for text in texts)


def _are_brief(*values: Json) -> bool:
    return all(len(format_beginning(value, _LONG)) <= _LONG for value in values)


def get_symbol(before: Side, after: Side, style: Style) -> str:
    """Mark a change as one that adds, removes or changes."""
    if before is ABSENT:
        return style.added("+")
    return style.removed("-") if after is ABSENT else style.changed("~")


def _format_one_line(before: Side, after: Side, *, style: Style, full: bool) -> str:
    if full:
        old, new = _format_full(before, after)
    else:
        if isinstance(before, str) and isinstance(after, str) and not _is_short(before, after):
            _, before, after = _find_differing(before, after)
        old, new = _format_beginnings(before, after)
    if before is ABSENT:
        return style.added(new)
    if after is ABSENT:
        return style.removed(old)
    return f"{style.removed(old)} -> {style.added(new)}"


def _format_full(before: Side, after: Side) -> tuple[str, str]:
    """Write both sides so that they never look alike: in ASCII where the usual way might."""
    old, new = format_value(before), format_value(after)
    return (format_ascii(before), format_ascii(after)) if _look_alike(old, new) else (old, new)


def _format_beginnings(before: Side, after: Side) -> tuple[str, str]:
    """Write the beginning of both sides so that they never look alike."""
    old, new = (format_beginning(side, _COUNTED) for side in (before, after))
    if _look_alike(old, new):
        old, new = (format_beginning(side, _COUNTED, only_ascii=True) for side in (before, after))
    if old[:_LONG] != new[:_LONG]:
        return _cut_text(old), _cut_text(new)
    if len(old) > _COUNTED or len(new) > _COUNTED:
        _, old, new = _find_differing(format_ascii(before), format_ascii(after))
        return _cut_text(old), _cut_text(new)
    return old, new


def _look_alike(old: str, new: str) -> bool:
    """Tell whether two texts may look alike, from a little before they differ on.

    Where one is too long to be looked at whole, nothing but its end may tell them apart.
    """
    start = max(_count_common_start(old, new) - _CONTEXT, 0)
    stop = start + _LONG
    left, right = _normalize_looks(old[start:stop]), _normalize_looks(new[start:stop])
    if len(old) > stop or len(new) > stop:
        seen = min(len(left), len(right))
        return left[:seen] == right[:seen]
    return left == right


def _normalize_looks(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_LOOKS_LIKE)


def _cut_text(text: str) -> str:
    if len(text) <= _LONG:
        return text
    count = f"{len(text):,}" if len(text) <= _COUNTED else f"more than {_COUNTED:,}"
    return f"{text[:_LONG]}… ({count} characters, --full shows all)"


def _format_strings(before: str, after: str, style: Style) -> Lines:
    """Show the part of two strings that differs, with a little of what stands around it."""
    start, old, new = _find_differing(before, after)
    lengths = _format_part(len(before), len(after))
    yield style.dim(f"{lengths} characters, from character {start + 1:,}")
    old, new = _format_beginnings(old, new)
    yield f"- {style.removed(old)}"
    yield f"+ {style.added(new)}"


def _format_part(before: int, after: int) -> str:
    return f"{before:,}" if before == after else f"{before:,} -> {after:,}"


def _find_differing(before: str, after: str) -> tuple[int, str, str]:
    """Find where two strings begin to differ, and the part of each up to where they end to."""
    start = _count_common_start(before, after)
    end = _count_common_end(before, after, min(len(before), len(after)) - start)
    window = max(start - _CONTEXT, 0)

    def part(text: str) -> str:
        stop = min(len(text) - end + _CONTEXT, len(text))
        left, right = "…" if window else "", "…" if stop < len(text) else ""
        return f"{left}{text[window:stop]}{right}"

    return start, part(before), part(after)


def _format_inner(before: Json, after: Json, *, style: Style, full: bool) -> Lines:
    """Show what comes, goes and changes inside two lists or objects; count what is not shown."""
    budget = Budget()
    found = find_inner_differences(before, after, budget)
    for shown in islice(found, None if full else _INNER_MAX):
        yield _format_inner_line(shown, style=style, full=full)
        # The first difference may be anywhere; the others are looked for not far behind it.
        budget.left = inf if full else _SEARCHED
    more = sum(1 for _ in found)
    if budget.spent:
        message = f"and at least {more:,} more" if more else "there may be more"
        yield style.dim(f"… {message}, --full shows all")
    elif more:
        yield style.dim(f"… and {more:,} more, --full shows all")


def _format_inner_line(inner: Inner, *, style: Style, full: bool) -> str:
    mark = get_symbol(inner.before, inner.after, style)
    path = format_path(inner.path)
    line = _format_one_line(inner.before, inner.after, style=style, full=full)
    return f"{mark} {path if full else shorten(path, _PATH)}  {line}"


def _count_common_start(left: str, right: str) -> int:
    """Count the characters that two strings begin with alike."""

    def alike(past: int, count: int) -> bool:
        return left[past : past + count] == right[past : past + count]

    return count_common_run(alike, min(len(left), len(right)), most=_SLICE)


def _count_common_end(left: str, right: str, room: int) -> int:
    """Count the characters that two strings end with alike, of the last ``room``."""

    def alike(past: int, count: int) -> bool:
        old, new = len(left) - past, len(right) - past
        return left[old - count : old] == right[new - count : new]

    return count_common_run(alike, room, most=_SLICE)
