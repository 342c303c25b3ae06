#!/usr/bin/env python3
"""Draw docs/terminal.svg: the output of plan for two of the examples, as a terminal shows it.

Run it after a change of that output: ``python docs/terminal_picture.py``. A test checks that the
picture is up to date.
"""

from __future__ import annotations

import re
from contextlib import chdir
from html import escape
from pathlib import Path
from typing import Final

from reconciler.contract.openapi import load_contract
from reconciler.engine.connection import Connection
from reconciler.engine.plan import build_plan
from reconciler.labelstudio.authentication import parse_token
from reconciler.labelstudio.client import Client
from reconciler.labelstudio.task_api import TaskApi
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import load_manifests
from reconciler.renderers.render_options import RenderOptions
from reconciler.renderers.style import Style
from reconciler.renderers.text import render_plan
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.sandbox_transport import SandboxTransport
from reconciler.sandbox.tasks_file import load_state

ROOT: Final = Path(__file__).resolve().parents[1]
PICTURE: Final = ROOT / "docs" / "terminal.svg"
MANIFESTS: Final = ("manifests/sentences.yaml", "manifests/images.yaml")
ADDRESS: Final = "https://label-studio.example.org"

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


def plan_in_colour() -> str:
    """Plan the manifests against the sandbox, and return the output with its colour escapes."""
    attributes = load_contract()
    transport = SandboxTransport(load_state(ROOT / "examples" / "sandbox.json"))
    with (
        chdir(ROOT / "examples"),
        Client(ADDRESS, parse_token(SANDBOX_TOKEN), transport=transport) as client,
    ):
        desired = load_manifests(find_manifests(MANIFESTS), attributes)
        plan = build_plan(desired, Connection(TaskApi(client, attributes), attributes))
    return render_plan(plan, RenderOptions(style=Style(color=True)))


def drawn(text: str) -> str:
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


def picture() -> str:
    """Return the SVG as it should be."""
    return drawn(f"$ reconciler plan {' '.join(MANIFESTS)}\n{plan_in_colour()}")


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
