"""Values that no message may repeat, even if a server does: tokens, and headers for gateways."""

from __future__ import annotations

from collections.abc import Iterable
from html import unescape
from typing import Final
from urllib.parse import unquote, unquote_plus

LENGTH_MIN: Final = 4
"""Characters of the shortest secret: hiding a shorter one would hide parts of words."""

WORD_MIN: Final = 8
"""Characters of a word that is hidden by itself: of `Bearer xyz`, a server may repeat `xyz`."""


class Secrets:
    """Values to hide in the texts of a server; no repr shows them.

    If ``hides_answers``, messages must quote nothing of what the server says of a task, because it
    may repeat any value that was sent or stored.
    """

    def __init__(self, values: Iterable[str] = (), *, hides_answers: bool = False) -> None:
        self.hides_answers = hides_answers
        found = {value for value in values if len(value) >= LENGTH_MIN}
        found |= {word for value in found for word in value.split() if len(word) >= WORD_MIN}
        # The longest first, as one may contain another.
        self._values = sorted(found, key=len, reverse=True)

    def hide(self, text: str, token: str = "") -> str:
        """Return the text with these values and a token hidden, however they are escaped."""
        for decode in (unquote_plus, unquote, unescape, str):
            plain = decode(text)
            hidden = self._remove(plain, token)
            if hidden != plain:
                text = hidden
        return text

    def _remove(self, text: str, token: str) -> str:
        text = text.replace(token, "(token)") if token else text
        for value in self._values:
            text = text.replace(value, "(hidden)")
        return text
