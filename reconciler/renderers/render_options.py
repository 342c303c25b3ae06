"""The options that every output format takes."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.size_limit import OF_COMMENTS, SizeLimit
from reconciler.progress import NULL_PROGRESS, ProgressListener
from reconciler.renderers.style import PLAIN, Style

__all__ = ["OF_COMMENTS", "RenderOptions", "SizeLimit"]


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """``style`` colours text; ``full`` lists every task and problem, and shows values in full.

    ``width`` is the number of columns of the terminal, None if the output goes elsewhere. ``limit``
    is how long Markdown may become.
    """

    style: Style = PLAIN
    full: bool = False
    progress: ProgressListener = NULL_PROGRESS
    width: int | None = None
    limit: SizeLimit = OF_COMMENTS
