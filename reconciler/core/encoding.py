"""The JSON text of values, written as fast as the same text is read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

_ENCODE: Final = msgspec.json.Encoder().encode
_ENCODE_SORTED: Final = msgspec.json.Encoder(order="sorted").encode
_OTHERWISE: Final = re.compile(
    rb"[\x7f-\xff]"  # the standard library escapes these
    rb"|[:,\[](?:-?[0-9]+(?:\.[0-9]+)?e|-?0\.0000|-0\.0[,}\]])"  # and writes these otherwise
)
_STRING_OR_ZERO: Final = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")|\.0(?=[,}\]])')
_LONG_STRING: Final = 64
_ANY_DIGIT: Final = bytes.maketrans(b"123456789", b"000000000")
_KEPT: Final = {'"': "\x01", "\n": "\x02", "\\": "\x03"}
"""What JSON is written with, and controls, which it has none of, to stand for it meanwhile.

The backslash is put back last: before that, no escape of JSON can be taken for one of a control.
"""


def encode(value: object) -> bytes:
    """Write a value as JSON without spaces; texts that differ are of values that differ.

    It is UTF-8, but for a value with a lone surrogate, which UTF-8 has no bytes for.
    """
    try:
        return _ENCODE(value)
    except UnicodeEncodeError:
        return json.dumps(value).encode()


def encode_sorted(value: object) -> bytes:
    """Write a value as JSON with the keys of its objects in order.

    Raises UnicodeEncodeError where it holds a lone surrogate.
    """
    return _ENCODE_SORTED(value)


def encode_canonical(value: list[Any]) -> bytes:
    """Write a list in ASCII, with its keys in order and equal numbers in one way.

    This is the text that digests are made of: it must never change. It is the one that `json`
    writes once integral floats are integers; where msgspec is known to write the same but for
    the ``.0`` of such floats, it is used, as it takes a tenth of the time.
    """
    try:
        written = _ENCODE_SORTED(value)
    except UnicodeEncodeError:
        return _encode_slowly(value)
    plain = written.isascii() and b"\x7f" not in written
    outside = _drop_strings(written) if plain else written
    if not plain or (_may_differ(outside) and _OTHERWISE.search(written)):
        return _encode_slowly(value)
    return _drop_zeros(written) if b".0" in outside else written


def _drop_strings(written: bytes) -> bytes:
    """Leave the strings out where they are long, so that no more than the rest is searched."""
    if written.count(b'"') * _LONG_STRING > len(written) or b'\\"' in written:
        return written
    return b'"'.join(written.split(b'"')[::2])


def _may_differ(written: bytes) -> bool:
    """Tell quickly where `_OTHERWISE` finds no number."""
    if b".0" in written and (b"0.0000" in written or b"-0.0" in written):
        return True
    return b"0e" in written.translate(_ANY_DIGIT)


def _drop_zeros(written: bytes) -> bytes:
    """Write floats that are integers as such: what ends with ``.0`` outside of strings."""
    strings = b'"'.join(written.split(b'"')[1::2])
    if b'\\"' in written or b".0" in strings:
        return _STRING_OR_ZERO.sub(rb"\1", written)
    for end in (b",", b"]", b"}"):
        written = written.replace(b".0" + end, end)
    return written


def encode_indented(document: Mapping[str, object]) -> str:
    """Write a document on as many lines as it has values, in ASCII."""
    try:
        text = msgspec.json.format(_ENCODE(document), indent=2).decode()
    except UnicodeEncodeError:
        return json.dumps(document, indent=2)
    return text if text.isascii() and "\x7f" not in text else _escape_ascii(text)


def _escape_ascii(text: str) -> str:
    """Escape what is no ASCII in JSON text."""
    for character, control in _KEPT.items():
        text = text.replace(character, control)
    text = json.dumps(text)[1:-1]
    for character, control in _KEPT.items():
        text = text.replace(json.dumps(control)[1:-1], character)
    return text


def _encode_slowly(value: list[Any]) -> bytes:
    return json.dumps(_make_canonical(value), sort_keys=True, separators=(",", ":")).encode()


def _make_canonical(value: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """Write numbers that are the same in one way: ``1`` for ``1.0``, ``10**30`` for ``1e30``."""
    if isinstance(value, list):
        return list(map(_make_canonical, value))
    if isinstance(value, dict):
        return {key: _make_canonical(inner) for key, inner in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(Decimal(repr(value)))
    return value
