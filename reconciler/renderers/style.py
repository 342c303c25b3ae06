"""Colours of a terminal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_RESET: Final = "\x1b[0m"
_CODES: Final = re.compile(r"\x1b\[[0-9]+m")


@dataclass(frozen=True, slots=True)
class Style:
    """Colours text, unless ``color`` is false. Text must hold no control characters."""

    color: bool = False

    def bold(self, text: str) -> str:
        """Emphasise a heading."""
        return self._paint("1", text)

    def dim(self, text: str) -> str:
        """Dim secondary information, such as places."""
        return self._paint("2", text)

    def added(self, text: str) -> str:
        """Colour what is added, or what succeeded."""
        return self._paint("32", text)

    def removed(self, text: str) -> str:
        """Colour what is removed, or what failed."""
        return self._paint("31", text)

    def changed(self, text: str) -> str:
        """Colour what changes, or what needs attention."""
        return self._paint("33", text)

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}{_RESET}" if self.color and text else text


PLAIN: Final = Style()
"""No colour."""


def strip_colors(text: str) -> str:
    """Remove what a `Style` added to text."""
    return _CODES.sub("", text)
