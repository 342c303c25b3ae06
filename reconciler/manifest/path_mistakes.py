"""Texts that are not paths as manifests write them, and what to write instead."""

from __future__ import annotations

import re
from typing import Final

from reconciler.core.notation import format_path, format_value, parse_path, shorten
from reconciler.core.paths import Path

_WILDCARDS: Final = frozenset({"*", "**"})
_ELEMENT: Final = re.compile(r"\[(?:-?[0-9]{1,10}|\*|)\]")
_FOREIGN: Final = re.compile(
    r"[$/#.]*(data|meta)[/:]([^\[\]\"]+)|[$/#.]+(data|meta)[.]([^\[\]\"]+)"
)
"""A path as JSON Pointer, JSONPath, jq or a file would have it: /data/text, $.data.text."""

_PARTS_MAX: Final = 50

_WHOLE_LIST: Final = {
    "absent": "declare the whole list without it",
    "where": "test the whole list with equals, or one of its strings with contains",
    "rewritten": "declare the whole list",
    "rewrite": "declare the whole list",
}
_NOT_A_PATH: Final = 'write data.key, or data["a.b"] for a key with a dot'


def explain_no_path(text: str, use: str) -> tuple[str, str]:
    """Say why a text that `parse_path` refuses is not a path: a message and a hint.

    ``use`` is what the path is for, such as ``absent`` or ``where``.
    """
    found = shorten(format_value(text))
    element = _ELEMENT.search(text)
    if element and text.startswith(("data", "meta")):
        name = element[0].strip("[]")
        advice = _WHOLE_LIST.get(use, "name a key instead")
        keyed = shorten(text.replace(element[0], f'["{name}"]', 1), 100)
        hint = f"{advice}; for a key called {name}, write '{keyed}'" if name else advice
        return f"{found} is not a path: paths consist of keys, not of elements of lists", hint
    if suggestion := suggest_spelling((text,)):
        return f"{found} is not a path", suggestion
    return f"{found} is not a path", _NOT_A_PATH


def explain_wildcard(text: str, path: Path) -> tuple[str, str] | None:
    """Refuse ``data.source.*``: it would be the key ``*``, and hardly anybody means that.

    ``path`` is what ``text`` was parsed to; a key in quotes is never a wildcard.
    """
    place = next((n for n, key in enumerate(path) if n and key in _WILDCARDS), 0)
    star = f".{path[place]}" if place else ""
    if not place or not (text.endswith(star) or f"{star}." in text or f"{star}[" in text):
        return None
    around = shorten(format_path(path[:place]), 100)
    name = path[place]
    instead = f"name each key, or only {around}" if place > 1 else "name each key"
    return (
        f"paths have no wildcards, and this would be the key {name} of {around}",
        f"{instead}; if you mean this key, write '{around}[\"{name}\"]'",
    )


def suggest_spelling(path: Path) -> str:
    """Suggest a path for a text in the notation of another tool; empty if it is not like one."""
    found = _FOREIGN.fullmatch(".".join(path)) if len(path) <= _PARTS_MAX else None
    if not found:
        return ""
    name, rest = found[1] or found[3], found[2] or found[4]
    keys = [key for key in re.split("[/.:]" if found[1] else "[.]", rest) if key]
    try:
        suggested = parse_path(".".join((name, *keys)))
    except ValueError:
        return ""
    return f"did you mean {shorten(format_path(suggested), 200)}?" if keys else ""
