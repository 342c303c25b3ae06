"""What scalars mean by the core schema of YAML 1.2, and which of them a task can hold."""

from __future__ import annotations

import math
import re
from typing import Final

from reconciler.core.notation import escape_invisible, format_value, shorten
from reconciler.core.values import ABSENT, Json, Maybe

MAX_DIGITS: Final = 4300
"""Digits of an integer: what Python converts without being asked to take its time."""

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
    """Give a plain scalar its value; raises ValueError with what is wrong and what to do."""
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
        raise ValueError(f"{text} is no number that JSON has", "quote it if you mean a string")
    return text


def parse_tagged(tag: str, text: str) -> Json:
    """Give a scalar with one of YAML's own tags its value; raises as `parse_plain` does."""
    name = tag.removeprefix(TAG)
    if name == "str" or tag == "!":
        return text
    if not tag.startswith(TAG) or name not in _OF_TAG:
        raise ValueError(f"the tag {_format(tag)} is not known", "manifests hold plain data only")
    value = parse_plain(text)
    if name == "float" and type(value) is int:
        return parse_real(str(value))
    if type(value) is not _OF_TAG[name]:
        found = shorten(format_value(text))
        raise ValueError(f"{found} is not what its tag {_format(tag)} says", "drop the tag")
    return value


def find_collection_problem(tag: str, own: str) -> tuple[str, str] | None:
    """Tell what is wrong with the tag of an object (``own`` is map) or list (seq)."""
    if tag in {"!", TAG + own}:
        return None
    if tag.startswith(TAG) and tag.removeprefix(TAG) in {*_OF_TAG, *_COLLECTIONS, "str"}:
        return f"{_COLLECTIONS[own]} is not what its tag {_format(tag)} says", "drop the tag"
    return f"the tag {_format(tag)} is not known", "manifests hold plain data only"


def parse_integer(text: str) -> int:
    """Read decimal digits; raises as `parse_plain` does for more than are sane."""
    return _bound(int(text) if len(text) <= MAX_DIGITS else _TOO_LARGE)


def _bound(value: int) -> int:
    if value >= _TOO_LARGE:
        message = f"an integer of more than {MAX_DIGITS:,} digits"
        raise ValueError(message, "quote it to store a string")
    return value


def parse_real(text: str) -> float:
    """Read a floating-point number; raises as `parse_plain` does where it has no finite value."""
    value = float(text)
    if math.isinf(value):
        raise ValueError(
            f"{shorten(text)} is larger than a number can be", "the limit is about 1.8e308"
        )
    return value


def find_text_problem(text: str) -> tuple[str, str] | None:
    """Tell what keeps a string out of a task, and what to do: NUL and lone surrogates."""
    if "\0" in text:
        return "a NUL character cannot be stored", "PostgreSQL refuses it; remove it"
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        return "half of a surrogate pair is not a character", "write the character itself"
    return None


def replace_refused(value: Maybe) -> Json:
    """Put null where a value was refused, so that what stands around it keeps its place."""
    return None if value is ABSENT else value


def _format(tag: str) -> str:
    return escape_invisible("!!" + tag.removeprefix(TAG) if tag.startswith(TAG) else tag)
