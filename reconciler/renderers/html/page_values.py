"""Both sides of changes as JSON for the page, cut so that all of them together stay small."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

import msgspec

from reconciler.core.contrast import count_common_ends
from reconciler.core.encoding import encode
from reconciler.core.model import Change
from reconciler.core.values import ABSENT, UNREADABLE, Side

BYTES_MAX: Final = 18_000_000
"""Bytes of all values of a page."""

_LIMITS: Final = (100_000, 30_000, 10_000, 3_000, 1_000, 300, 100, 30)
"""Characters of a value, if all of them in full are too many."""

_CONTEXT: Final = 200
_OVERHEAD: Final = 60
"""Bytes that a value takes in addition if it is cut."""

_UNSAFE: Final = {
    "<": "\\u003c",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
    # Commands of CI logs, should the page be printed into one: ##[error], ##vso[, ::error::.
    "##": "#\\u0023",
    "::": ":\\u003a",
}

Sides = tuple[msgspec.Raw, msgspec.Raw]


def encode_inert(value: object) -> bytes:
    """Write a value as JSON that cannot end the script element that it is in."""
    written = encode(value)
    for character, escaped in _UNSAFE.items():
        written = written.replace(character.encode(), escaped.encode())
    text = written.decode()
    if text.isprintable():
        return written
    # Characters that cannot be seen, such as marks of direction, do nothing in an escape.
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text).encode()


def encode_sides(changes: Sequence[Change], most: int = BYTES_MAX) -> list[Sides]:
    """Write both sides of changes: whole, or the parts that differ if all are more than ``most``.

    A string is a string, another value a list with its JSON text, an absent value 0, an unreadable
    one 1, and a value that is cut an object.
    """
    whole = [(_encode_side(c.before), _encode_side(c.after)) for c in changes]
    lengths = [*map(len, chain.from_iterable(whole))]
    if sum(lengths) <= most:
        return [(msgspec.Raw(before), msgspec.Raw(after)) for before, after in whole]
    cut: list[Sides] = []
    for limit in _list_limits(lengths, most):
        cut = [_cut(c, sides, limit) for c, sides in zip(changes, whole, strict=True)]
        if count_bytes(cut) <= most:
            break
    return cut


def count_bytes(sides: Iterable[Sides]) -> int:
    """Count the bytes of what `encode_sides` wrote."""
    return sum(len(bytes(side)) for side in chain.from_iterable(sides))


def _list_limits(lengths: Sequence[int], most: int) -> Iterator[int]:
    """List the limits that may be low enough: characters can take several bytes."""
    for limit in _LIMITS:
        if sum(min(length, limit + _OVERHEAD) for length in lengths) <= most:
            yield limit
    yield _LIMITS[-1]


def _encode_side(side: Side) -> bytes:
    if side is ABSENT:
        return b"0"
    if side is UNREADABLE:
        return b"1"
    return encode_inert(side if isinstance(side, str) else [encode(side).decode()])


def _cut(change: Change, whole: tuple[bytes, bytes], limit: int) -> Sides:
    """Keep short sides, and of long ones the part around their first difference."""
    if all(len(side) <= limit for side in whole):
        return msgspec.Raw(whole[0]), msgspec.Raw(whole[1])
    texts = [_write_text(side) for side in (change.before, change.after)]
    start = max(count_common_ends(*texts)[0] - min(_CONTEXT, limit // 2), 0)
    before, after = (
        msgspec.Raw(encoded)
        if len(encoded) <= limit
        else _encode_part(text, start, limit, is_json=not isinstance(side, str))
        for side, text, encoded in zip((change.before, change.after), texts, whole, strict=True)
    )
    return before, after


def _write_text(side: Side) -> str:
    if side is ABSENT or side is UNREADABLE:
        return ""
    return side if isinstance(side, str) else encode(side).decode()


def _encode_part(text: str, start: int, limit: int, *, is_json: bool) -> msgspec.Raw:
    start = min(start, max(len(text) - limit, 0))
    part = text[start : start + limit]
    document = {
        "part": part,
        "start": start,
        "end": start + len(part),
        "length": len(text),
        "json": is_json,
    }
    return msgspec.Raw(encode_inert(document))
