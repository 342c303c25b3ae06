"""Collecting the texts that people read from the code, and an example of each from the tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
TABLE = Path(__file__).with_name("messages.md")

_WORDS = re.compile(r"[A-Za-z]{2,}.*\s.*[A-Za-z]{2,}")
_BLANK = "{…}"
_EXAMPLE_MAX = 200
_LITERAL_MIN = 12
"""Fewest literal characters to find an example by: shorter ones appear in unrelated lines."""


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """A text of at least two words; ``{…}`` stands for what is filled in."""

    module: str
    text: str


def collect_messages() -> list[Message]:
    """Collect the texts of all modules, in the order of modules and lines."""
    found: dict[Message, None] = {}
    for file in sorted((ROOT / "reconciler").rglob("*.py")):
        module = file.relative_to(ROOT / "reconciler").as_posix()
        for text in _iterate_texts(ast.parse(file.read_text(encoding="utf-8"))):
            found[Message(module, text)] = None
    return list(found)


def _iterate_texts(tree: ast.AST) -> Iterator[str]:
    for node in _iterate_nodes(tree):
        text = _write_template(node)
        if text is not None and _WORDS.search(text.replace(_BLANK, "")):
            yield text


def _iterate_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Walk the code, except docstrings, type annotations and regular expressions."""
    if isinstance(node, ast.Constant | ast.JoinedStr):
        yield node
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
        return
    if isinstance(node, ast.Call) and ast.unparse(node.func) in {
        "re.compile",
        "cast",
        "msgspec.convert",
    }:
        return
    for name, child in ast.iter_fields(node):
        if name in {"annotation", "returns"}:
            continue
        for inner in child if isinstance(child, list) else [child]:
            if isinstance(inner, ast.AST):
                yield from _iterate_nodes(inner)


def _write_template(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        pieces = (_write_template(value) or _BLANK for value in node.values)
        return "".join(pieces)
    return None


def find_example(message: Message) -> str:
    """Return a line that the tests or pages expect and that the message appears in, or nothing."""
    pieces = [re.escape(piece) for piece in message.text.split(_BLANK)]
    longest = max(message.text.split(_BLANK), key=len).split("\n", maxsplit=1)[0]
    if len(longest) < _LITERAL_MIN:
        return ""
    pattern = re.compile(r"[^\n]{1,400}?".join(pieces[:-1]) + r"[^\n]{1,400}" + pieces[-1])
    for line in _read_expected():
        if longest in line and (found := pattern.search(line)):
            return _shorten(found[0].split("\n", maxsplit=1)[0])
    return ""


def _shorten(text: str) -> str:
    return text if len(text) <= _EXAMPLE_MAX else text[: _EXAMPLE_MAX - 1] + "…"


@cache
def _read_expected() -> tuple[str, ...]:
    """Read the lines of pages and expected outputs, and the strings of tests."""
    lines: dict[str, None] = {}
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    outputs = [f for end in ("txt", "md", "json") for f in (ROOT / "tests").rglob(f"*.{end}")]
    for file in (*pages, *outputs):
        if file != TABLE:
            lines.update(dict.fromkeys(file.read_text("utf-8", errors="replace").splitlines()))
    for file in (ROOT / "tests").rglob("*.py"):
        for text in _iterate_texts(ast.parse(file.read_text(encoding="utf-8"))):
            lines[text] = None
    return tuple(lines)


def write_table(messages: list[Message]) -> str:
    """Write the table: a section a module, a row a message, with an example of filled-in ones."""
    lines = [
        "# Messages",
        "",
        "Every text in the code that people may read, with an example of those that are filled in.",
        "A test keeps this table up to date; read it through before a release.",
    ]
    module = ""
    for message in messages:
        if message.module != module:
            module = message.module
            lines += ["", f"## {module}", ""]
        lines.append(f"- {_write_row(message.text)}")
        example = find_example(message) if _BLANK in message.text else ""
        if example and example != message.text:
            lines.append(f"  - {_write_row(example)}")
    return "\n".join(lines) + "\n"


def _write_row(text: str) -> str:
    return text.replace("\n", "⏎")
