"""Text inside Markdown, so that a value stays text: no link, no mention, no HTML, no command.

Values stand in code, inline or in blocks: there, GitHub and GitLab read no Markdown, and link
neither addresses nor names nor numbers.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Final

from reconciler.core.notation import escape_invisible, shorten

_TICKS: Final = re.compile("`+")
_FENCE: Final = 3
_MOST: Final = 200


def format_code(text: str, most: int = _MOST) -> str:
    """Write text as inline code on one line, whatever it holds, shortened to ``most``."""
    text = shorten(escape_invisible(text), most)
    if not text.strip():
        return f"`{text or ' '}`"
    ticks = "`" * (_measure_ticks(text) + 1)
    # Without these spaces, Markdown would read a backtick as one of its own, or drop spaces.
    padded = text[0] in "` " or text[-1] in "` "
    return f"{ticks} {text} {ticks}" if padded else f"{ticks}{text}{ticks}"


def format_html_code(text: str, most: int = _MOST) -> str:
    """Write text as code in a line of HTML, in which Markdown is not read."""
    return f"<code>{html.escape(shorten(escape_invisible(text), most))}</code>"


def format_block(lines: Iterable[str], language: str = "") -> str:
    """Write lines as a block of code, with a fence that is longer than any in them."""
    text = "\n".join(map(escape_invisible, lines))
    fence = "`" * max(_FENCE, _measure_ticks(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _measure_ticks(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)
