"""The JSON text of one task: decodes it quickly, and finds where a value in it begins.

Texts that this cannot decode safely go to the parser, which takes a hundred times as long.
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
"""Levels of a task's objects and lists: the document and the list of tasks are two more."""

_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_KEY: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"[ \t\r\n]*:')
_MADE_BY_ESCAPES: Final = (b"\\u0000", b"\\u003a", b"\\u003A")
"""NUL, which no task may hold, and the colon, which is counted to find duplicate keys."""

_LONG: Final = 10_000
"""Bytes of a text above which counting its brackets first saves no time."""

_BRACKETS_ALIKE: Final = bytes.maketrans(b"{}", b"[]")
_ALL_BUT_BRACKETS: Final = bytes(set(range(256)) - set(b'[]{}"'))

_Part: TypeAlias = "tuple[str | int, int, int, msgspec.Raw]"
"""A key or index, the offsets of key and value, and the value's text."""

_DECODER: Final[msgspec.json.Decoder[Json]] = msgspec.json.Decoder()
_ENCODER: Final = msgspec.json.Encoder()
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])


class Decoded(NamedTuple):
    """A value, and its shortest JSON text, with only the required escapes."""

    value: Json
    text: bytes


class Offsets(NamedTuple):
    """The offsets of a key and its value in bytes; for a list's element both are the same."""

    key: int
    value: int


def decode(text: bytes) -> Json:
    """Decode a text that a reader accepted before."""
    return _DECODER.decode(text)


def encode(value: Json) -> bytes:
    """Return the shortest JSON text of a value."""
    return _ENCODER.encode(value)


def decode_quickly(text: bytes) -> Decoded | None:
    """Decode a task without places; None if it needs the parser.

    The decoder keeps the last of two duplicate keys. Its result, written again, then has fewer
    colons than the text; as no colon is escaped, all others are in both.
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
    """Tell by its brackets whether a text is nested too deep; None if strings contain brackets.

    A string without brackets and quotes inside leaves two quotes.
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
    """Find the offsets of ``steps`` in a text without duplicate keys, skipping the rest.

    Raises LookupError if there is nothing at ``steps``.
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
    """Return the offset of the first byte from ``offset`` on that is not white space."""
    found = _SPACE.match(text, offset)
    return found.end() if found else offset
