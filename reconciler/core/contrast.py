"""Two values as texts that do not look alike: complete, or only the parts that differ."""

from __future__ import annotations

import unicodedata
from typing import Final

from reconciler.core.inner_difference import count_common_run
from reconciler.core.notation import escape_joiners, format_ascii, format_beginning, format_value
from reconciler.core.values import Json, Side

_SHORT: Final = 60
_CONTEXT: Final = 24
_LONG: Final = 400
_SLICE: Final = 1 << 16
_COUNTED: Final = 2_000
"""The length of a value is counted up to this many characters."""

_LOOKS_LIKE: Final = {
    **str.maketrans(
        "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
        "\u0405\u0406\u0408\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458"
        "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
        "\u03bf\u03bd\u2010\u2013\u2212",
        "ABEKMHOPCTYXSIJaeopcyxsijABEZHIKMNOPTYXov---",
    ),
    **dict.fromkeys((0x200C, 0x200D)),  # joiners
    **dict.fromkeys(range(0xFE00, 0xFE10)),  # variation selectors
}
"""What most fonts draw like a Latin letter or a hyphen (Cyrillic, Greek, dashes), or not at all."""


def are_short(*texts: str) -> bool:
    """Tell whether texts are short enough to be shown in full, side by side."""
    return all(len(text) <= _SHORT for text in texts)


def are_brief(*values: Json) -> bool:
    """Tell whether values are short when they are written in full."""
    return all(len(format_beginning(value, _LONG)) <= _LONG for value in values)


def format_whole(before: Side, after: Side) -> tuple[str, str]:
    """Write both sides in full, with joiners escaped or in ASCII if they might look alike."""
    old, new = _set_apart(format_value(before), format_value(after))
    return (format_ascii(before), format_ascii(after)) if _look_alike(old, new) else (old, new)


def format_brief(before: Side, after: Side, *, hint: str = "") -> tuple[str, str]:
    """Write the beginning of both sides, or the part of two long texts that differs.

    A side that is cut is followed by its length and by ``hint``, which says how to see all of it.
    """
    if isinstance(before, str) and isinstance(after, str) and not are_short(before, after):
        _, before, after = find_differing(before, after)
    return format_beginnings(before, after, hint=hint)


def format_beginnings(before: Side, after: Side, *, hint: str = "") -> tuple[str, str]:
    """Write the beginning of both sides, or if long ones begin alike, the part that differs."""
    old, new = _set_apart(*(format_beginning(side, _COUNTED) for side in (before, after)))
    if _look_alike(old, new):
        old, new = (format_beginning(side, _COUNTED, only_ascii=True) for side in (before, after))
    if old[:_LONG] != new[:_LONG]:
        return _cut_text(old, hint), _cut_text(new, hint)
    if len(old) > _COUNTED or len(new) > _COUNTED:
        _, old, new = find_differing(format_ascii(before), format_ascii(after))
        return _cut_text(old, hint), _cut_text(new, hint)
    return old, new


def find_differing(before: str, after: str) -> tuple[int, str, str]:
    """Find the index at which two strings begin to differ, and the part of each that differs."""
    start, end = count_common_ends(before, after)
    window = max(start - _CONTEXT, 0)

    def part(text: str) -> str:
        stop = min(len(text) - end + _CONTEXT, len(text))
        left, right = "…" if window else "", "…" if stop < len(text) else ""
        return f"{left}{text[window:stop]}{right}"

    return start, part(before), part(after)


def count_common_ends(before: str, after: str) -> tuple[int, int]:
    """Count the characters that two strings have in common at the start, and then at the end."""
    start = _count_common_start(before, after)
    return start, _count_common_end(before, after, min(len(before), len(after)) - start)


def _set_apart(old: str, new: str) -> tuple[str, str]:
    """Escape the joiners of two texts that might look alike otherwise."""
    return (escape_joiners(old), escape_joiners(new)) if _look_alike(old, new) else (old, new)


def _look_alike(old: str, new: str) -> bool:
    """Tell whether two texts may look alike, from shortly before their first difference.

    Only a part of long texts is compared: the rest may not be shown.
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


def _cut_text(text: str, hint: str) -> str:
    if len(text) <= _LONG:
        return text
    count = f"{len(text):,}" if len(text) <= _COUNTED else f"more than {_COUNTED:,}"
    note = ", ".join(filter(None, (f"{count} characters", hint)))
    return f"{text[:_LONG]}… ({note})"


def _count_common_start(left: str, right: str) -> int:
    """Count the characters that two strings have in common at their start."""

    def alike(past: int, count: int) -> bool:
        return left[past : past + count] == right[past : past + count]

    return count_common_run(alike, min(len(left), len(right)), most=_SLICE)


def _count_common_end(left: str, right: str, room: int) -> int:
    """Count the characters, at most ``room``, that two strings have in common at their end."""

    def alike(past: int, count: int) -> bool:
        old, new = len(left) - past, len(right) - past
        return left[old - count : old] == right[new - count : new]

    return count_common_run(alike, room, most=_SLICE)
