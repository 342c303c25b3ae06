"""The options that every output format takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.progress import NULL_PROGRESS, ProgressListener
from reconciler.renderers.style import PLAIN, Style

if TYPE_CHECKING:
    from reconciler.core.model import Kind


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """``style`` colours text; ``full`` lists every task and problem, and shows values in full.

    ``allow`` holds the kinds of problem that the user allowed, and ``width`` is the number of
    columns of the terminal, None if the output goes elsewhere.
    """

    style: Style = PLAIN
    full: bool = False
    progress: ProgressListener = NULL_PROGRESS
    allow: frozenset[Kind] = frozenset()
    width: int | None = None
