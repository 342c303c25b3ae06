"""The values of scalars by the core schema of YAML 1.2, and which of them a task can hold."""

from __future__ import annotations

import math
import re
from typing import Final

from reconciler.core.notation import escape_invisible, format_value, shorten
from reconciler.core.values import ABSENT, Json, Maybe

MAX_DIGITS: Final = 4300
"""Digits of an integer: the most that Python converts by default."""

_WORDS: Final[dict[str, Json]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMERIC_START: Final = frozenset("-+.0123456789")
_DECIMAL: Final = re.compile(r"[-+]?[0-9]+")
_OCTAL: Final = re.compile(r"0o[0-7]+")
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TOO_LARGE: Final = 10**MAX_DIGITS
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

TAG: Final = "tag:yaml.org,2002:"
_COLLECTIONS: Final = {"map": "an object", "seq": "a list"}
_OF_TAG: Final = {"null": type(None), "bool": bool, "int": int, "float": float}


def parse_plain(text: str) -> Json:
    """Return the value of a plain scalar; raise ValueError with a message and a hint."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    if _DECIMAL.fullmatch(text):
        return parse_integer(text)
    if _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text):
        return _bound(int(text, base=0))
    if _FLOAT.fullmatch(text):
        return parse_real(text)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"JSON has no number {text}", "quote it if you mean a string")
    return text


def parse_tagged(tag: str, text: str) -> Json:
    """Return the value of a tagged scalar; raises as `parse_plain` does."""
    name = tag.removeprefix(TAG)
    if name == "str" or tag == "!":
        return text
    if not tag.startswith(TAG) or name not in _OF_TAG:
        raise ValueError(
            f"unknown tag {_format(tag)}", "remove the tag, or quote a text that begins with !"
        )
    value = parse_plain(text)
    if name == "float" and type(value) is int:
        return parse_real(str(value))
    if type(value) is not _OF_TAG[name]:
        found = shorten(format_value(text))
        raise ValueError(f"{found} does not fit its tag {_format(tag)}", "remove the tag")
    return value


def find_collection_problem(tag: str, own: str) -> tuple[str, str] | None:
    """Check the tag of an object (``own`` is map) or list (seq): a message and a hint, or None."""
    if tag in {"!", TAG + own}:
        return None
    if tag.startswith(TAG) and tag.removeprefix(TAG) in {*_OF_TAG, *_COLLECTIONS, "str"}:
        return f"{_COLLECTIONS[own]} does not fit its tag {_format(tag)}", "remove the tag"
    return f"unknown tag {_format(tag)}", "remove the tag"


def parse_integer(text: str) -> int:
    """Read decimal digits; raises as `parse_plain` does for too many."""
    return _bound(int(text) if len(text) <= MAX_DIGITS else _TOO_LARGE)


def _bound(value: int) -> int:
    if value >= _TOO_LARGE:
        message = f"an integer with more than {MAX_DIGITS:,} digits"
        raise ValueError(message, "quote it to store it as a string")
    return value


def parse_real(text: str) -> float:
    """Read a floating-point number; raises as `parse_plain` does if it is not finite."""
    value = float(text)
    if math.isinf(value):
        raise ValueError(
            f"{shorten(text)} is too large for a number",
            "the limit is about 1.8e308; quote it to store a string",
        )
    return value


def find_text_problem(text: str) -> tuple[str, str] | None:
    """Find what no task can store, NUL and lone surrogates: a message and a hint, or None."""
    if "\0" in text:
        return "a NUL character cannot be stored", "remove it: PostgreSQL refuses it"
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        return "half of a surrogate pair is not a character", "write the character itself"
    return None


def replace_refused(value: Maybe) -> Json:
    """Replace a refused value by null, so that the values around it keep their places."""
    return None if value is ABSENT else value


def _format(tag: str) -> str:
    return escape_invisible("!!" + tag.removeprefix(TAG) if tag.startswith(TAG) else tag)
