"""How values and paths are written for people, and how paths are read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from reconciler.core.values import Json, NoValue, Side

Path: TypeAlias = tuple[str, ...]
"""A place inside a task: the attribute, then the keys of objects."""

STANDARD_INPUT: Final = "-"
"""What names standard input in the place of a file."""

_BARE: Final = re.compile(r"[A-Za-z0-9_$@-]+")
_SEGMENT: Final = re.compile(r'(?P<dot>\.)?(?P<bare>[^.\[\]"]+)|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that show nothing although they count as letters, marks or symbols."""


def format_value(value: Side) -> str:
    """Write a value as JSON on one line, with everything that cannot be seen escaped."""
    if isinstance(value, NoValue):
        return str(value)
    return escape_invisible(json.dumps(value, ensure_ascii=False))


def format_ascii(value: Side) -> str:
    """Write a value as JSON in ASCII alone, for values that look alike otherwise."""
    return str(value) if isinstance(value, NoValue) else json.dumps(value)


def format_beginning(value: Side, limit: int, *, only_ascii: bool = False) -> str:
    """Write a value as `format_value` or `format_ascii` does, up to about ``limit`` characters.

    What is at most ``limit`` long is whole; what is longer is cut off somewhere behind it.
    """
    if isinstance(value, NoValue):
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
    """Write a value piece by piece, however deep it is, and strings no further than is asked."""

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


def escape_invisible(text: str) -> str:
    r"""Replace characters that show nothing, or steer a terminal, by their ``\uXXXX`` escapes.

    Values come from strangers: an escape sequence in one must never reach a terminal.
    """
    if text.isprintable() and (text.isascii() or _BLANK.isdisjoint(text)):
        return text
    return "".join(_escape(c) if _is_invisible(c) else c for c in text)


def shorten(text: str, limit: int = 60) -> str:
    """Cut text to ``limit`` characters, with an ellipsis in the middle."""
    if len(text) <= limit:
        return text
    half = (limit - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def count_noun(count: int, noun: str) -> str:
    """Write ``1 task``, ``1,203 tasks``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


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
    """Read a path such as ``data.old_key`` or ``data["a.b"]``; raises ValueError."""
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


def _unquote(quoted: str) -> str:
    text: Json = json.loads(quoted)
    return str(text)


def _is_invisible(character: str) -> bool:
    return not character.isprintable() or character in _BLANK


def _escape(character: str) -> str:
    # JSON has no need to escape DEL, a terminal has.
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]
