"""The lines of the keys in a TOML file, which its parser does not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

TomlPath: TypeAlias = tuple[str, ...]
"""A key with the tables that it is in: ``("environments", "staging", "url")``."""

_KEY: Final = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED: Final = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_LINE: Final = re.compile(
    rf"^[ \t]*(?:\[[ \t]*(?P<table>{_DOTTED})[ \t]*\]|(?P<key>{_DOTTED})[ \t]*=)", re.MULTILINE
)
_ONE_KEY: Final = re.compile(_KEY)


def find_line(text: str, path: Sequence[str]) -> int:
    """Return the line of a key, counted from 1; if it has none, the line of what holds it."""
    wanted = tuple(path)
    best, best_line = 0, 1
    for offset, found in _list_keys(text):
        common = len(found) if wanted[: len(found)] == found else 0
        if found[: len(wanted)] == wanted:
            common = len(wanted)  # The first key of a table without a header of its own.
        if common > best:
            best, best_line = common, text.count("\n", 0, offset) + 1
    return best_line


def _list_keys(text: str) -> Iterator[tuple[int, TomlPath]]:
    """Yield each header of a table and each key, with its tables, and where it begins."""
    table: TomlPath = ()
    for match in _LINE.finditer(text):
        if match["table"] is not None:
            table = _split(match["table"])
            yield match.start("table"), table
        else:
            yield match.start("key"), table + _split(match["key"])


def _split(dotted: str) -> TomlPath:
    return tuple(key.strip("\"'") for key in _ONE_KEY.findall(dotted))
