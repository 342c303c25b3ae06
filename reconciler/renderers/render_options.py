"""How to render: what every format is given."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.progress import NULL_PROGRESS, ProgressListener
from reconciler.renderers.style import PLAIN, Style


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """``style`` dresses text, and ``full`` lists every task, and values whole."""

    style: Style = PLAIN
    full: bool = False
    progress: ProgressListener = NULL_PROGRESS
