"""The output of plan as an SVG that looks as a terminal does."""

from __future__ import annotations

import re
from html import escape
from typing import Final

from reconciler.core.plan_model import Plan
from reconciler.renderers.render_options import RenderOptions
from reconciler.renderers.style import Style
from reconciler.renderers.text import render_plan

_COLUMNS: Final = 100

# Pixels; 8.4 is the width of a glyph of 14 in DejaVu Sans Mono, and nearly that in the others.
_ADVANCE, _LINE, _MARGIN = 8.4, 20, 18
_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_PAPER, _INK = "#1c2128", "#d5dbe3"
_LOOKS: Final = {
    "": "",
    "1": ' class="b"',
    "2": ' class="d"',
    "31": ' class="r"',
    "32": ' class="g"',
    "33": ' class="y"',
}
_CSS = (
    f"text {{ font: 14px {_FONT}; fill: {_INK}; white-space: pre }} "
    ".b { font-weight: bold } .d { fill: #8b949e } "
    ".r { fill: #ff7b72 } .g { fill: #56d364 } .y { fill: #e3b341 }"
)
_ESCAPE: Final = re.compile(r"\x1b\[(\d+)m")


def render_session(plan: Plan) -> str:
    """Return what a terminal shows: the command, and its output with colour escapes."""
    options = RenderOptions(style=Style(color=True), width=_COLUMNS)
    return f"$ reconciler plan manifests\n{render_plan(plan, options)}"


def draw(text: str) -> str:
    """Draw text with colour escapes as an SVG."""
    lines = text.rstrip("\n").split("\n")
    columns = max(len(_ESCAPE.sub("", line)) for line in lines)
    width = round(columns * _ADVANCE) + 2 * _MARGIN
    height = len(lines) * _LINE + 2 * _MARGIN
    rows = (_row(line, _MARGIN + 15 + number * _LINE) for number, line in enumerate(lines))
    size = f'width="{width}" height="{height}"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size}>',
            "<title>What plan prints</title>",
            f"<style>{_CSS}</style>",
            f'<rect {size} rx="8" fill="{_PAPER}"/>',
            *filter(None, rows),
            "</svg>\n",
        )
    )


def _row(line: str, y: int) -> str:
    """Draw one line; every piece has its own column, so that no font can shift it."""
    pieces: list[str] = []
    column, looks = 0, ""
    for number, part in enumerate(_ESCAPE.split(line)):
        if number % 2:  # the code of an escape; a nested one counts until the reset
            looks = "" if part == "0" else part
        elif part:
            x = f"{_MARGIN + column * _ADVANCE:.1f}"
            pieces.append(f'<tspan x="{x}"{_LOOKS[looks]}>{escape(part, quote=False)}</tspan>')
            column += len(part)
    return f'<text y="{y}" xml:space="preserve">{"".join(pieces)}</text>' if pieces else ""
