"""One change as lines: short values on one line, long ones by the part that differs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from reconciler.plan.difference import Inner, inner_differences
from reconciler.plan.notation import ascii_text, path_text, value_text
from reconciler.plan.values import ABSENT, Json, Side, same
from reconciler.render.style import Style

_SHORT: Final = 60
_CONTEXT: Final = 24
_LONG: Final = 400
_INNER_MAX: Final = 20
_LIST_MAX: Final = 2_000
"""Elements of a list up to which it is worth finding out which of them differ."""

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


def change_lines(before: Side, after: Side, *, style: Style, full: bool) -> list[str]:
    """Write how a value changes: the first line follows the path, the others stand below it."""
    if isinstance(before, list) and isinstance(after, list):
        return list(_list_lines(before, after, style=style, full=full))
    if isinstance(before, str) and isinstance(after, str) and not (full or _short(before, after)):
        return list(_string_lines(before, after, style))
    return [_one_line(before, after, style=style, full=full)]


def _short(*texts: str) -> bool:
    return all(len(text) <= _SHORT for text in texts)


def symbol(before: Side, after: Side, style: Style) -> str:
    """Mark a change as one that adds, removes or changes."""
    if before is ABSENT:
        return style.added("+")
    return style.removed("-") if after is ABSENT else style.changed("~")


def _one_line(before: Side, after: Side, *, style: Style, full: bool) -> str:
    if isinstance(before, str) and isinstance(after, str) and not (full or _short(before, after)):
        _, before, after = _differing(before, after)
    old, new = _texts(before, after)
    if not full and old[:_LONG] != new[:_LONG]:
        old, new = _cut(old), _cut(new)
    if before is ABSENT:
        return style.added(new)
    if after is ABSENT:
        return style.removed(old)
    return f"{style.removed(old)} -> {style.added(new)}"


def _texts(before: Side, after: Side) -> tuple[str, str]:
    """Write both sides so that they never look alike: in ASCII where the usual way might."""
    old, new = value_text(before), value_text(after)
    if _looks(old) == _looks(new):
        return ascii_text(before), ascii_text(after)
    return old, new


def _looks(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_LOOKS_LIKE)


def _cut(text: str) -> str:
    if len(text) <= _LONG:
        return text
    return f"{text[:_LONG]}… ({len(text):,} characters, --full shows all)"


def _string_lines(before: str, after: str, style: Style) -> Lines:
    """Show the part of two strings that differs, with a little of what stands around it."""
    start, old, new = _differing(before, after)
    lengths = _change_of(len(before), len(after))
    yield style.dim(f"{lengths} characters, from character {start + 1:,}")
    old, new = _texts(old, new)
    yield f"- {style.removed(_cut(old))}"
    yield f"+ {style.added(_cut(new))}"


def _change_of(before: int, after: int) -> str:
    return f"{before:,}" if before == after else f"{before:,} -> {after:,}"


def _differing(before: str, after: str) -> tuple[int, str, str]:
    """Find where two strings begin to differ, and the part of each up to where they end to."""
    start = _common_start(before, after)
    room = min(len(before), len(after)) - start
    end = min(_common_start(before[::-1], after[::-1]), room)
    window = max(start - _CONTEXT, 0)

    def part(text: str) -> str:
        stop = min(len(text) - end + _CONTEXT, len(text))
        left, right = "…" if window else "", "…" if stop < len(text) else ""
        return f"{left}{text[window:stop]}{right}"

    return start, part(before), part(after)


def _list_lines(before: list[Json], after: list[Json], *, style: Style, full: bool) -> Lines:
    """Show which elements of two lists come, go and change."""
    yield style.dim(f"{_change_of(len(before), len(after))} elements")
    if len(before) + len(after) > _LIST_MAX:
        place = next(_first_difference(before, after), min(len(before), len(after)))
        yield style.dim(f"from [{place}] on")
        first = inner_differences(before[place : place + 1], after[place : place + 1])
        inner = tuple(Inner((place, *d.path[1:]), d.before, d.after) for d in first)
    else:
        inner = inner_differences(before, after)
    shown = inner if full else inner[:_INNER_MAX]
    for difference in shown:
        mark = symbol(difference.before, difference.after, style)
        line = _one_line(difference.before, difference.after, style=style, full=full)
        yield f"{mark} {path_text(difference.path)}  {line}"
    if len(shown) < len(inner):
        yield style.dim(f"… and {len(inner) - len(shown):,} more, --full shows all")


def _first_difference(before: list[Json], after: list[Json]) -> Iterator[int]:
    pairs = enumerate(zip(before, after, strict=False))
    return (index for index, (old, new) in pairs if not same(old, new))


def _common_start(left: str, right: str) -> int:
    """Count the characters that two strings begin with alike."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(left), len(right)))
