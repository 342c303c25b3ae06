"""Colour for a terminal, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_RESET: Final = "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Style:
    """Dresses text; plain where ``color`` is false. Text must hold no control characters."""

    color: bool = False

    def bold(self, text: str) -> str:
        """Dress a heading."""
        return self._paint("1", text)

    def dim(self, text: str) -> str:
        """Dress what is rather beside the point, like places."""
        return self._paint("2", text)

    def added(self, text: str) -> str:
        """Dress what comes, or what went well."""
        return self._paint("32", text)

    def removed(self, text: str) -> str:
        """Dress what goes, or what went wrong."""
        return self._paint("31", text)

    def changed(self, text: str) -> str:
        """Dress what changes, or what needs a look."""
        return self._paint("33", text)

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}{_RESET}" if self.color and text else text


PLAIN: Final = Style()
"""No colour."""
