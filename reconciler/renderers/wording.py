"""Wording and escaping for the lines that the command line prints itself.

They come from `reconciler.core.notation`, which the command line does not import itself.
"""

from __future__ import annotations

from reconciler.core.notation import count_noun, escape_invisible

__all__ = ["count_noun", "escape_invisible"]
