"""What no message may repeat, although a server does: tokens, and headers for gateways."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final
from urllib.parse import quote

LENGTH_MIN: Final = 4
"""Characters of a secret: to hide a shorter one would hide parts of words."""

WORD_MIN: Final = 8
"""Characters of a word that is hidden alone, too: of `Bearer xyz`, a server may repeat `xyz`."""


class Secrets:
    """Values that are taken out of what a server said, and that no repr shows."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        found = {value for value in values if len(value) >= LENGTH_MIN}
        found |= {word for value in found for word in value.split() if len(word) >= WORD_MIN}
        found |= {form(value) for value in found for form in (_as_query, escape)}
        # One may be a part of another.
        self._values = sorted(found, key=len, reverse=True)

    def hidden(self, text: str, *others: str) -> str:
        """Return the text without them, and without the ``others``."""
        for value in others:
            text = text.replace(value, "(token)") if value else text
        for value in self._values:
            text = text.replace(value, "(hidden)")
        return text


def _as_query(value: str) -> str:
    return quote(value, safe="")
