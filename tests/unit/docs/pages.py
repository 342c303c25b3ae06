"""The pages of this project and their content: code, tables, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[3]
README = ROOT / "README.md"
PAGES = [
    README,
    ROOT / "CHANGELOG.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").glob("*.md")),
]

_FENCED = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")


class Block(NamedTuple):
    """A fenced block: its kind (the word after the fence), its text, and where it begins."""

    kind: str
    text: str
    place: str


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(*kinds: str) -> list[Block]:
    """List the fenced blocks of these kinds on all pages."""
    return [
        Block(
            found["kind"], found["text"], f"{path.name}:{text.count(chr(10), 0, found.start()) + 1}"
        )
        for path in PAGES
        for text in [path.read_text(encoding="utf-8")]
        for found in _FENCED.finditer(text)
        if found["kind"] in kinds
    ]


def without_blocks(text: str) -> str:
    return _FENCED.sub("", text)


def spans(text: str) -> list[str]:
    """List the texts in backticks outside of blocks."""
    return _SPAN.findall(without_blocks(text))


def table(text: str, first: str) -> list[list[str]]:
    """Return the rows below the heading row whose first cell is ``first``, without backticks."""
    rows = _rows(text)
    for cells in rows:
        if cells[0] == first:
            next(rows)
            return list(_until_gap(rows))
    raise LookupError(first)


def _rows(text: str) -> Iterator[list[str]]:
    """Give the cells of each row, and one empty cell for each line that is not a row."""
    for line in text.splitlines():
        cells = line.strip().strip("|").split("|") if line.startswith("|") else [""]
        yield [cell.strip().replace("`", "") for cell in cells]


def _until_gap(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    for cells in rows:
        if len(cells) == 1:
            return
        yield cells
