"""Wording and escaping for the lines that the command line prints itself.

They come from `reconciler.core`, which the command line does not import itself.
"""

from __future__ import annotations

from reconciler.core.allowances import describe_accepted
from reconciler.core.notation import count_noun, escape_invisible

__all__ = ["count_noun", "describe_accepted", "escape_invisible"]
