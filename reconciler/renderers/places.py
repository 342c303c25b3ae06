"""Where something is declared, at the end of a line or below it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.core.notation import measure_width
from reconciler.renderers.render_options import RenderOptions
from reconciler.renderers.style import strip_colors

_INDENT: Final = "        "


def append_place(line: str, place: str, options: RenderOptions) -> Iterator[str]:
    """Add a place to a line, or write it below if the terminal would wrap the line."""
    dimmed = options.style.dim(place)
    length = measure_width(strip_colors(line)) + 2 + measure_width(place)
    if options.width is None or length <= options.width:
        yield f"{line}  {dimmed}"
    else:
        yield line
        yield f"{_INDENT}{dimmed}"
