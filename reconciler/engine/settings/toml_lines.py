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
    rf"[ \t]*(?:\[[ \t]*(?P<table>{_DOTTED})[ \t]*\]|(?P<key>{_DOTTED})[ \t]*=)"
)
_ONE_KEY: Final = re.compile(_KEY)
_DEPTH_MAX: Final = 5
"""Settings are not nested deeper."""


class KeyLines:
    """The lines of all keys and tables of a file, each counted from 1."""

    def __init__(self, text: str) -> None:
        self._lines: dict[TomlPath, int] = {}
        for line, path in _list_keys(text):
            for length in range(min(len(path), _DEPTH_MAX), 0, -1):
                self._lines.setdefault(path[:length], line)

    def find(self, path: Sequence[str]) -> int:
        """Return the line of a key; if it has none, the line of the table that holds it, or 1."""
        prefixes = (tuple(path[:length]) for length in range(min(len(path), _DEPTH_MAX), 0, -1))
        return next((self._lines[prefix] for prefix in prefixes if prefix in self._lines), 1)


def _list_keys(text: str) -> Iterator[tuple[int, TomlPath]]:
    """Yield the line of each header of a table and of each key, with its tables."""
    table: TomlPath = ()
    for number, line in enumerate(text.split("\n"), start=1):
        match = _LINE.match(line)
        if match and match["table"] is not None:
            table = _split(match["table"])
            yield number, table
        elif match:
            yield number, table + _split(match["key"])


def _split(dotted: str) -> TomlPath:
    return tuple(key.strip("\"'") for key in _ONE_KEY.findall(dotted))
