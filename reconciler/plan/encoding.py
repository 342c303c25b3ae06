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
_NON_ASCII: Final = re.compile(r"[^\x00-\x7e]+")
_OTHERWISE: Final = re.compile(
    rb"[\x7f-\xff]"  # the standard library escapes these
    rb"|[:,\[](?:-?[0-9]+(?:\.[0-9]+)?e|-?0\.0000|-0\.0[,}\]])"  # and writes these otherwise
)
_HINTS: Final = (b"\x7f", b"0.0000", b"-0.0", *(b"%de" % digit for digit in range(10)))
"""One of which ASCII has where `_OTHERWISE` finds anything: to look for them is faster."""
_STRING_OR_ZERO: Final = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")|\.0(?=[,}\]])')


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
        return _slowly(value)
    hinted = not written.isascii() or any(hint in written for hint in _HINTS)
    if hinted and _OTHERWISE.search(written):
        return _slowly(value)
    return _STRING_OR_ZERO.sub(rb"\1", written) if b".0" in written else written


def indented_ascii(document: Mapping[str, object]) -> str:
    """Write a document on as many lines as it has values, in ASCII."""
    try:
        text = msgspec.json.format(_ENCODE(document), indent=2).decode()
    except UnicodeEncodeError:
        return json.dumps(document, indent=2)
    return _NON_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _slowly(value: list[Any]) -> bytes:
    return json.dumps(_canonical(value), sort_keys=True, separators=(",", ":")).encode()


def _canonical(value: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """Write numbers that are the same in one way: ``1`` for ``1.0``, ``10**30`` for ``1e30``."""
    if isinstance(value, list):
        return list(map(_canonical, value))
    if isinstance(value, dict):
        return {key: _canonical(inner) for key, inner in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(Decimal(repr(value)))
    return value
