"""The JSON text of one task: decoded quickly, and where in it a value begins.

Both leave to the parser what they cannot vouch for: it takes a hundred times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

import msgspec

from reconciler.core.values import Json, is_too_deep
from reconciler.manifest.readers.document import MAX_DEPTH
from reconciler.manifest.readers.source_map import Steps

LEVELS_MAX: Final = MAX_DEPTH - 2
"""Objects and lists of a task inside each other: it lies in the list of tasks, in the document."""

_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_KEY: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"[ \t\r\n]*:')
_MADE_BY_ESCAPES: Final = (b"\\u0000", b"\\u003a", b"\\u003A")
"""NUL, which no task may hold, and the colon, by which duplicate keys are found."""

_LONG: Final = 10_000
"""Bytes of a text above which counting its brackets gains nothing: there may be many."""

_BRACKETS_ALIKE: Final = bytes.maketrans(b"{}", b"[]")
_ALL_BUT_BRACKETS: Final = bytes(set(range(256)) - set(b'[]{}"'))

_Part: TypeAlias = "tuple[str | int, int, int, msgspec.Raw]"
"""A key or index, the offsets of key and value, and the value's text."""

_DECODER: Final[msgspec.json.Decoder[Json]] = msgspec.json.Decoder()
_ENCODER: Final = msgspec.json.Encoder()
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])


class Decoded(NamedTuple):
    """A value, and the shortest JSON text of it, in which only what must be is escaped."""

    value: Json
    text: bytes


class Offsets(NamedTuple):
    """Where a value begins in a text, in bytes, and its key; a list's element is its own key."""

    key: int
    value: int


def decode(text: bytes) -> Json:
    """Decode a text that a reader has accepted."""
    return _DECODER.decode(text)


def encode(value: Json) -> bytes:
    """Write the shortest JSON text of a value."""
    return _ENCODER.encode(value)


def decode_quickly(text: bytes) -> Decoded | None:
    """Decode a task without places; None where only the parser can tell what it is.

    The decoder keeps the last of two equal keys. What it keeps, written anew, then has fewer
    colons than the text: escapes aside, all other colons are in both.
    """
    if b"\\u00" in text and any(escape in text for escape in _MADE_BY_ESCAPES):
        return None
    try:
        value = _DECODER.decode(text)
        written = _ENCODER.encode(value)
    except (ValueError, RecursionError):
        return None
    if written != text and written.count(b":") != text.count(b":"):
        return None
    deep = _may_be_deep(written) and _is_deep(written)
    if deep or (deep is None and is_too_deep(value, LEVELS_MAX)):
        return None
    return Decoded(value, written)


def _may_be_deep(written: bytes) -> bool:
    return len(written) > _LONG or written.count(b"]") + written.count(b"}") > LEVELS_MAX


def _is_deep(written: bytes) -> bool | None:
    """Tell by its brackets whether a text is nested too deep; None where strings have some too.

    Of a string without brackets, and without quotes in it, two quotes are left.
    """
    if b"\\" in written:
        written = written.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = written.translate(_BRACKETS_ALIKE, _ALL_BUT_BRACKETS).replace(b'""', b"")
    if b'"' in brackets:
        return None
    for _ in range(LEVELS_MAX):
        brackets = brackets.replace(b"[]", b"")  # the innermost
    return brackets != b""


def find_offsets(text: bytes, steps: Steps) -> Offsets:
    """Find what ``steps`` lead to in a text without duplicate keys, skimming what is around it.

    Raises LookupError where there is nothing.
    """
    at = skip_space(text, 0)
    found = Offsets(at, at)
    value = text[at:].rstrip(b" \t\r\n")
    for step in steps:
        around = found.value
        key, at, value = _find(step, value)
        found = Offsets(around + key, around + at)
    return found


def _find(step: str | int, value: bytes) -> tuple[int, int, bytes]:
    """Find one part of an object or list: the offsets of its key and value, and its text."""
    parts = _iterate_elements(value) if value.startswith(b"[") else _iterate_members(value)
    for name, key, at, part in parts:
        if name == step:
            return key, at, bytes(part)
    raise LookupError(step)


def _iterate_elements(value: bytes) -> Iterator[_Part]:
    end = 0
    for index, part in enumerate(_LIST.decode(value)):
        at = skip_space(value, end + 1)
        end = skip_space(value, at + len(memoryview(part)))
        yield index, at, at, part


def _iterate_members(value: bytes) -> Iterator[_Part]:
    end = 0
    for name, part in _OBJECT.decode(value).items() if value.startswith(b"{") else ():
        key = skip_space(value, end + 1)
        quoted = _KEY.match(value, key)
        at = skip_space(value, quoted.end()) if quoted else key
        end = skip_space(value, at + len(memoryview(part)))
        yield name, key, at, part


def skip_space(text: bytes, offset: int) -> int:
    """Give the offset of the first byte from ``offset`` on that is no white space."""
    found = _SPACE.match(text, offset)
    return found.end() if found else offset
