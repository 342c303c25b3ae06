"""Words and characters of lines that are printed beside what renderers write.

They are those of `reconciler.core.notation`, offered to whoever prints.
"""

from __future__ import annotations

from reconciler.core.notation import count_noun, escape_invisible

__all__ = ["count_noun", "escape_invisible"]
