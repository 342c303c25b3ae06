"""What no message may repeat, although a server does: tokens, and headers for gateways."""

from __future__ import annotations

from collections.abc import Iterable
from html import unescape
from typing import Final
from urllib.parse import unquote, unquote_plus

LENGTH_MIN: Final = 4
"""Characters of a secret: to hide a shorter one would hide parts of words."""

WORD_MIN: Final = 8
"""Characters of a word that is hidden alone, too: of `Bearer xyz`, a server may repeat `xyz`."""


class Secrets:
    """Values that are taken out of what a server said, and that no repr shows."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        found = {value for value in values if len(value) >= LENGTH_MIN}
        found |= {word for value in found for word in value.split() if len(word) >= WORD_MIN}
        # One may be a part of another.
        self._values = sorted(found, key=len, reverse=True)

    def hide(self, text: str, token: str = "") -> str:
        """Return the text without them, and without a token, however it is escaped."""
        for read in (unquote_plus, unquote, unescape, str):
            plain = read(text)
            left = self._remove(plain, token)
            if left != plain:
                text = left
        return text

    def _remove(self, text: str, token: str) -> str:
        text = text.replace(token, "(token)") if token else text
        for value in self._values:
            text = text.replace(value, "(hidden)")
        return text
