"""Scalars of YAML that every reader takes for the same value.

Readers disagree about plain text: YAML 1.1 reads ``no`` as false, ``12:30`` as a number and
``1e5`` as text. So text is plain only if it begins with a letter, is no word with a meaning in
YAML 1.1 or 1.2, and has no character with a meaning of its own. Everything else is quoted as in
JSON, with escapes for what cannot be seen.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from unicodedata import category

Scalar = str | int | float | bool | None

_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"})
"""Words that a reader of YAML 1.1 or 1.2 may take for something else than text, in any case."""

_PLAIN: Final = re.compile(r"[^\W\d_](?:[\w /.()'+%;$@=_-]*[\w/.()'+%;$@=-])?")
"""Text that is plain in any collection: no colon, comma, bracket, hash or quotation mark."""

_PLAIN_IN_BLOCK: Final = re.compile(
    r"[^\W\d_](?:(?:[\w /.()'+%;$@=_,\"!?&*<>|~^\[\]{}-]|:(?=[^\s]))*"
    r"[\w/.()'+%;$@=,\"!?&*<>|~^\[\]{}-])?"
)
"""Text that is plain outside ``[ ]`` and ``{ }``: a colon if no space follows."""

_ESCAPES: Final = {
    "\\": "\\\\",
    '"': '\\"',
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\b": "\\b",
    "\f": "\\f",
}
_JOINERS: Final = frozenset("\u200c\u200d")
"""Joiners are part of the spelling of some languages, and of emoji: escapes would hide the word."""

KEY_LENGTH_MAX: Final = 1000
"""Characters that a key may have before its colon: readers look no further than 1,024."""


def format_scalar(value: Scalar, *, in_flow: bool = False) -> str:
    """Write a scalar on one line; ``in_flow`` for a place inside ``[ ]`` or ``{ }``.

    Raises ValueError for what no manifest can hold: NUL, and halves of surrogate pairs.
    """
    if isinstance(value, str):
        return format_text(value, in_flow=in_flow)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _format_float(value)


@lru_cache(maxsize=4096)
def format_key(key: str) -> str:
    """Write the key of an object, as `format_text` does; the same in blocks and flows."""
    return format_text(key, in_flow=True)


def format_text(text: str, *, in_flow: bool = False) -> str:
    """Write text plain if no reader can take it for anything else, quoted otherwise."""
    pattern = _PLAIN if in_flow else _PLAIN_IN_BLOCK
    if pattern.fullmatch(text) and text.isprintable() and text.lower() not in _WORDS:
        return text
    return quote(text)


def quote(text: str) -> str:
    """Write text in double quotes; raises ValueError as `format_scalar` does."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{"".join(map(_escape, text))}"'


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable() or character in _JOINERS:
        return character
    if character == "\0" or category(character) == "Cs":
        raise ValueError(f"no manifest can hold U+{ord(character):04X}")
    # Python's escapes are YAML's: \x85, \u2028, \U0010ffff.
    return character.encode("unicode_escape").decode("ascii")


def _format_float(number: float) -> str:
    """Write a number with a point and a signed exponent, as YAML 1.1 wants it."""
    mantissa, mark, exponent = repr(number).partition("e")
    if mark and "." not in mantissa:
        mantissa += ".0"
    return mantissa + mark + exponent


def split_block_lines(text: str) -> list[str] | None:
    """Return the lines of text that a literal block shows as it is; None if a block would not.

    Blocks are for text of several lines that ends with at most one line break. A first line that
    begins with a space would set the indentation, a space at the end of a line is lost in some
    editors, and characters that cannot be seen need escapes.
    """
    if "\n" not in text:
        return None
    lines = text.removesuffix("\n").split("\n")
    if not lines[0] or not lines[-1] or lines[0][0] in " \t":
        return None
    for line in lines:
        if line and (line[-1] in " \t" or not _is_shown(line)):
            return None
    return lines


def _is_shown(line: str) -> bool:
    if line.isprintable():
        return True
    return all(c.isprintable() or c in _JOINERS or c == "\t" for c in line)
