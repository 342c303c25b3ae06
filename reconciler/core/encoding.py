"""The JSON text of values, written fast."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec


def _encode_marker(value: object) -> str:
    """Return a marker of a redacted value as plain text; raises TypeError for other objects."""
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"not a JSON value: {type(value).__name__}")


_ENCODE: Final = msgspec.json.Encoder(enc_hook=_encode_marker).encode
_ENCODE_SORTED: Final = msgspec.json.Encoder(enc_hook=_encode_marker, order="sorted").encode
_WRITTEN_DIFFERENTLY: Final = re.compile(
    rb"[\x7f-\xff]"  # the standard library escapes these
    rb"|[:,\[](?:-?[0-9]+(?:\.[0-9]+)?e|-?0\.0000|-0\.0[,}\]])"  # and writes these differently
)
_STRING_OR_ZERO: Final = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")|\.0(?=[,}\]])')
_LONG_STRING: Final = 64
_ANY_DIGIT: Final = bytes.maketrans(b"123456789", b"000000000")
_CONTROL_FOR: Final = {'"': "\x01", "\n": "\x02", "\\": "\x03"}
"""Characters of JSON's own notation, and the control characters that stand for them in
`_escape_ascii`: JSON text contains no control characters.

The backslash is put back last, so that no escape of JSON is mistaken for that of a control.
"""


def encode(value: object) -> bytes:
    """Write a value as JSON without spaces; equal texts mean equal values.

    The text is UTF-8, or ASCII for a value with a lone surrogate, which UTF-8 cannot encode.
    """
    try:
        return _ENCODE(value)
    except UnicodeEncodeError:
        return json.dumps(value).encode()


def encode_sorted(value: object) -> bytes:
    """Write a value as JSON with the keys of its objects in order.

    Raises UnicodeEncodeError if it holds a lone surrogate.
    """
    return _ENCODE_SORTED(value)


def encode_canonical(value: list[Any]) -> bytes:
    """Write a list in ASCII, with the keys of objects in order, and equal numbers alike.

    Digests are made of this text: it must never change. It is what `json` writes when integral
    floats are turned into integers. If msgspec is known to write the same, except for the ``.0``
    of such floats, then msgspec writes it, in a tenth of the time.
    """
    try:
        written = _ENCODE_SORTED(value)
    except UnicodeEncodeError:
        return _encode_slowly(value)
    plain = written.isascii() and b"\x7f" not in written
    outside = _drop_strings(written) if plain else written
    if not plain or (_may_differ(outside) and _WRITTEN_DIFFERENTLY.search(written)):
        return _encode_slowly(value)
    return _drop_zeros(written) if b".0" in outside else written


def _drop_strings(written: bytes) -> bytes:
    """Leave out the strings if they are long, so that only the rest is searched."""
    if written.count(b'"') * _LONG_STRING > len(written) or b'\\"' in written:
        return written
    return b'"'.join(written.split(b'"')[::2])


def _may_differ(written: bytes) -> bool:
    """Tell quickly whether `_WRITTEN_DIFFERENTLY` might find a number."""
    if b".0" in written and (b"0.0000" in written or b"-0.0" in written):
        return True
    return b"0e" in written.translate(_ANY_DIGIT)


def _drop_zeros(written: bytes) -> bytes:
    """Write integral floats as integers: drop the final ``.0`` outside of strings."""
    strings = b'"'.join(written.split(b'"')[1::2])
    if b'\\"' in written or b".0" in strings:
        return _STRING_OR_ZERO.sub(rb"\1", written)
    for end in (b",", b"]", b"}"):
        written = written.replace(b".0" + end, end)
    return written


def encode_indented(document: Mapping[str, object] | list[Any]) -> str:
    """Write a document in ASCII, with one value per line."""
    try:
        text = msgspec.json.format(_ENCODE(document), indent=2).decode()
    except UnicodeEncodeError:
        return json.dumps(document, indent=2)
    return text if text.isascii() and "\x7f" not in text else _escape_ascii(text)


def _escape_ascii(text: str) -> str:
    """Escape all characters of JSON text that are not ASCII."""
    for character, control in _CONTROL_FOR.items():
        text = text.replace(character, control)
    text = json.dumps(text)[1:-1]
    for character, control in _CONTROL_FOR.items():
        text = text.replace(json.dumps(control)[1:-1], character)
    return text


def _encode_slowly(value: list[Any]) -> bytes:
    return json.dumps(_make_canonical(value), sort_keys=True, separators=(",", ":")).encode()


def _make_canonical(value: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """Write equal numbers in the same way: ``1`` for ``1.0``, ``10**30`` for ``1e30``."""
    if isinstance(value, list):
        return list(map(_make_canonical, value))
    if isinstance(value, dict):
        return {key: _make_canonical(inner) for key, inner in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(Decimal(repr(value)))
    return value
