"""Values that shells complete, read from the settings and manifests that the command line names.

A shell waits for them at each press of the key, so manifests are scanned, not parsed, and only so
many of their bytes. Whatever goes wrong, nothing is completed: a message would garble the line.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Complete: TypeAlias = Callable[[click.Context, click.Parameter, str], list[str]]

_BYTES_MAX: Final = 4_000_000
"""Bytes of manifests that are scanned; it takes 50 ms."""

_FILES_MAX: Final = 1_000
_SETTINGS_MAX: Final = 100_000
_SUFFIXES: Final = (".yaml", ".yml", ".json", ".jsonl")
_RULES: Final = re.compile(r"^rules:|\"rules\"\s*:", re.MULTILINE)
_TOP: Final = re.compile(r"^(?:[A-Za-z]|---)", re.MULTILINE)
_NAME: Final = re.compile(
    r"""(?:^[ \t]*(?:-[ \t]+)?|[{,][ \t]*)["']?name["']?:[ \t]*"""
    r"""(?:"(?P<double>[^"\\\n]*)"|'(?P<single>(?:[^'\n]|'')*)'|(?P<plain>[^"'\n{}\[\],#]+))""",
    re.MULTILINE,
)


def complete_paths(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Let the shell complete files and folders."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

    return [CompletionItem(incomplete, type="file")]


def complete_environments(incomplete: str) -> list[str]:
    """List the environments of the nearest settings file."""
    return [name for name in list_environments(_list_words()) if name.startswith(incomplete)]


def complete_selectors(incomplete: str) -> list[str]:
    """List the forms of --target, the names of rules, and the manifests."""
    if incomplete.startswith("rule:"):
        found = [f"rule:{name}" for name in list_rules(_list_words())]
    elif incomplete.startswith("file:"):
        found = [f"file:{path}" for path in _find_manifests(_list_words())]
    else:
        found = ["rule:", "file:", "key:", "path:"]
    return [value for value in found if value.startswith(incomplete)]


def ignore_context(complete: Callable[[str], list[str]]) -> Complete:
    """Make what click calls, with its context and parameter first, of a function of the text."""
    return lambda _context, _parameter, incomplete: complete(incomplete)


def list_environments(words: Sequence[str]) -> list[str]:
    """List the environments of the settings file nearest to the first path among the words."""
    start = next((Path(word) for word in words if _exists(word)), Path())
    try:
        real = start.resolve()
        for folder in (real, *real.parents):
            file = folder / "reconciler.toml"
            if file.is_file():
                with file.open("rb") as opened:
                    text = opened.read(_SETTINGS_MAX).decode("utf-8-sig")
                tables = tomllib.loads(text).get("environments", {})
                return list(tables) if isinstance(tables, dict) else []
    except (OSError, ValueError, RecursionError):
        pass
    return []


def list_rules(words: Sequence[str]) -> list[str]:
    """List the names of the rules in the manifests among the words, or in ``manifests/``."""
    left = _BYTES_MAX
    names: dict[str, None] = {}
    for path in _find_manifests(words):
        try:
            with path.open("rb") as file:
                raw = file.read(left)
        except OSError:
            continue
        left -= len(raw)
        names |= dict.fromkeys(_scan_rules(raw.decode(errors="replace")))
        if left <= 0:
            break
    return list(names)


def _scan_rules(text: str) -> Iterator[str]:
    """Yield the names below each ``rules``, until the next key at the top of the file."""
    for rules in _RULES.finditer(text):
        top = _TOP.search(text, rules.end())
        for found in _NAME.finditer(text, rules.end(), top.start() if top else len(text)):
            name = next(part for part in found.groups() if part is not None).strip()
            name = name.replace("''", "'") if found["single"] else name
            if name.isprintable():
                yield name


def _find_manifests(words: Sequence[str]) -> Iterator[Path]:
    """Yield the manifests among the words, or those in ``manifests/``, at most so many."""
    given = [word for word in words if _exists(word)]
    count = 0
    for place in map(Path, given or ["manifests"]):
        for path in _walk(place):
            if path.suffix in _SUFFIXES:
                yield path
                count += 1
            if count >= _FILES_MAX:
                return


def _walk(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    for folder, inner, files in os.walk(place):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        yield from (Path(folder) / name for name in sorted(files) if not name.startswith("."))


def _exists(word: str) -> bool:
    try:
        return not word.startswith("-") and os.path.lexists(word)
    except ValueError:
        return False


def _list_words() -> list[str]:
    """List the words of the command line after the name of the command."""
    from click.shell_completion import split_arg_string  # noqa: PLC0415 - only for completion

    return split_arg_string(os.environ.get("COMP_WORDS", ""))[2:]
