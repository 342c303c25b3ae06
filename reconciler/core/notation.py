"""Values and paths as text: writing them for people, and reading paths."""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from reconciler.core.paths import Path
from reconciler.core.values import Json, NoValue, Redacted, Side

STANDARD_INPUT: Final = "-"
"""The name that stands for standard input where a file is expected."""

_BARE: Final = re.compile(r"[A-Za-z0-9_$@-]+")
_SEGMENT: Final = re.compile(r'(?P<dot>\.)?(?P<bare>[^.\[\]"]+)|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that show nothing although they count as letters, marks or symbols."""

_JOINERS: Final = frozenset("\u200c\u200d")
"""ZERO WIDTH NON-JOINER and ZERO WIDTH JOINER."""
_JOINING_SCRIPTS: Final = (
    (0x0600, 0x0E00),  # Arabic, Syriac, N'Ko and their like, Devanagari to Sinhala
    (0x1000, 0x10A0),  # Myanmar
    (0x1780, 0x18B0),  # Khmer, Mongolian
    (0x1900, 0x1C50),  # Limbu to Lepcha
    (0xA800, 0xAC00),  # Syloti Nagri to Meetei Mayek
    (0xFB50, 0xFE00),  # Arabic presentation forms
    (0xFE70, 0xFEFF),
    (0x10A00, 0x12000),  # Kharoshthi to Kawi
    (0x1E900, 0x1E960),  # Adlam
)
"""Ranges of code points, the end excluded: scripts whose spelling needs joiners.

The Unicode Standard, chapter 23.2, "Cursive Connection and Ligatures".
"""
_JOINING_BOUNDS: Final = [bound for script in _JOINING_SCRIPTS for bound in script]
_EMOJI: Final = re.compile(
    "[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"
)
_VARIATION_SELECTOR: Final = "\ufe0f"
_COMMAND: Final = re.compile(r"(?<=#)#(?=[a-z]*\[)")
_COMMAND_LINE: Final = re.compile(r"\s*:(?=:)")


def format_value(value: Side) -> str:
    """Write a value as JSON on one line, and escape what `escape_invisible` escapes."""
    if isinstance(value, NoValue | Redacted):
        return str(value)
    return escape_invisible(json.dumps(value, ensure_ascii=False))


def format_ascii(value: Side) -> str:
    """Write a value as JSON in ASCII, for values that otherwise look alike."""
    return str(value) if isinstance(value, NoValue | Redacted) else json.dumps(value)


def format_beginning(value: Side, limit: int, *, only_ascii: bool = False) -> str:
    """Write the beginning of a value, as `format_value` or `format_ascii` would.

    Text of at most ``limit`` characters is complete; longer text ends somewhere after them.
    """
    if isinstance(value, NoValue | Redacted):
        return str(value)
    written: list[str] = []
    length = 0
    for piece in _iterate_pieces(value, limit, only_ascii=only_ascii):
        written.append(piece if only_ascii else escape_invisible(piece))
        length += len(written[-1])
        if length > limit:
            break
    return "".join(written)


def _iterate_pieces(value: Json, limit: int, *, only_ascii: bool) -> Iterator[str]:
    """Yield the text of a value of any depth in pieces, with strings cut just after ``limit``."""

    def scalar(inner: Json) -> str:
        cut = inner[: limit + 1] if isinstance(inner, str) else inner
        return json.dumps(cut, ensure_ascii=only_ascii)

    def members(inner: dict[str, Json]) -> Iterator[tuple[str, Json]]:
        for place, (key, member) in enumerate(inner.items()):
            yield f"{', ' if place else ''}{scalar(key)}: ", member

    def elements(inner: list[Json]) -> Iterator[tuple[str, Json]]:
        for place, element in enumerate(inner):
            yield ", " if place else "", element

    begun = [(iter([("", value)]), "")]
    while begun:
        led = next(begun[-1][0], None)
        if led is None:
            yield begun.pop()[1]
            continue
        lead, inner = led
        if isinstance(inner, dict):
            begun.append((members(inner), "}"))
            yield f"{lead}{{"
        elif isinstance(inner, list):
            begun.append((elements(inner), "]"))
            yield f"{lead}["
        else:
            yield f"{lead}{scalar(inner)}"


def escape_commands(text: str) -> str:
    r"""Replace a character of what CI systems obey in a log by a ``\uXXXX`` escape.

    GitHub runs ``##[...]`` wherever it stands, and ``::...`` at the beginning of a line; Azure runs
    ``##vso[...]``, and TeamCity ``##teamcity[...]``.
    """
    if "##" in text:
        text = _COMMAND.sub(r"\\u0023", text) if "[" in text else text
    if "::" in text and (found := _COMMAND_LINE.match(text)):
        return f"{text[: found.end() - 1]}\\u003a{text[found.end() :]}"
    return text


def escape_invisible(text: str) -> str:
    r"""Replace characters that are invisible or control a terminal by ``\uXXXX`` escapes.

    Values are untrusted: an escape sequence in one must never reach a terminal, nor a command the
    log of a CI system (`escape_commands`). A joiner stays where a script or an emoji needs it, as
    in Persian.
    """
    text = escape_commands(text)
    if text.isprintable() and (text.isascii() or _BLANK.isdisjoint(text)):
        return text
    return "".join(
        _escape(character)
        if _is_invisible(character) and not _is_needed_joiner(text, place)
        else character
        for place, character in enumerate(text)
    )


def escape_joiners(text: str) -> str:
    """Escape the joiners too, for texts that otherwise look alike."""
    return "".join(_escape(c) if c in _JOINERS else c for c in text)


def pad(text: str, width: int) -> str:
    """Pad text with spaces to a width in columns of a terminal."""
    return text + " " * (width - measure_width(text))


def measure_width(text: str) -> int:
    """Count the columns that text takes on a terminal; it must hold no control characters."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth  # noqa: PLC0415 - 50 ms that only text beyond ASCII needs

    return max(wcswidth(text), 0)


def shorten(text: str, limit: int = 60) -> str:
    """Cut text to ``limit`` characters, with an ellipsis in the middle."""
    if len(text) <= limit:
        return text
    half = (limit - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def count_noun(count: int, noun: str) -> str:
    """Write ``1 task`` or ``1,203 tasks``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def list_first(texts: Sequence[str], most: int) -> str:
    """List the first texts and count the others: ``a, b and 3 more``."""
    more = f" and {len(texts) - most:,} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def format_path(path: tuple[str | int, ...]) -> str:
    """Write a path: ``data.image``, ``tasks[0].data["a.b"]``."""
    parts: list[str] = []
    for segment in path:
        if isinstance(segment, int):
            parts.append(f"[{segment}]")
        elif _BARE.fullmatch(segment):
            parts.append(f".{segment}" if parts else segment)
        else:
            parts.append(f"[{escape_invisible(json.dumps(segment, ensure_ascii=False))}]")
    return "".join(parts)


def format_paths(paths: Iterable[Path]) -> str:
    """Write several paths: ``data.image, meta``."""
    return ", ".join(map(format_path, paths))


def parse_path(text: str) -> Path:
    """Parse a path such as ``data.old_key`` or ``data["a.b"]``.

    Raises ValueError for text that is not a path.
    """
    path: list[str] = []
    position = 0
    while position < len(text):
        found = _SEGMENT.match(text, position)
        if not found or bool(found["dot"]) is not (bool(path) and found["bare"] is not None):
            raise ValueError(text)
        quoted = found["quoted"]
        path.append(found["bare"] if quoted is None else _unquote(quoted))
        position = found.end()
    if not path:
        raise ValueError(text)
    return tuple(path)


def split_paths(text: str) -> list[str]:
    """Split paths separated by commas; what is left at the end may be no path."""
    paths: list[str] = []
    begun = ""
    for part in text.split(","):
        begun = f"{begun},{part}" if begun else part
        try:
            parse_path(begun.strip())
        except ValueError:
            continue  # the comma may be in a quoted key
        paths.append(begun.strip())
        begun = ""
    return [*paths, begun.strip()] if begun.strip() else paths


def _unquote(quoted: str) -> str:
    text: Json = json.loads(quoted)
    return str(text)


def _is_invisible(character: str) -> bool:
    return not character.isprintable() or character in _BLANK


def _is_needed_joiner(text: str, place: int) -> bool:
    """Tell whether ``place`` has a joiner that the letters or emoji around it use."""
    if text[place] not in _JOINERS or not 0 < place < len(text) - 1:
        return False
    before, after = text[place - 1], text[place + 1]
    if _takes_joiners(before) and _takes_joiners(after):
        return True
    return _is_emoji_part(before) and _EMOJI.match(after) is not None


def _takes_joiners(character: str) -> bool:
    is_in_script = bisect(_JOINING_BOUNDS, ord(character)) % 2 == 1
    return is_in_script and unicodedata.category(character)[0] in "LM"


def _is_emoji_part(character: str) -> bool:
    return character == _VARIATION_SELECTOR or _EMOJI.match(character) is not None


def _escape(character: str) -> str:
    # JSON need not escape DEL, but a terminal obeys it.
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]
