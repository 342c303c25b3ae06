"""From the paths that a person names to the manifests that they stand for."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from reconciler.errors import Problem, Source

SUFFIXES: Final = (".yaml", ".yml", ".json", ".jsonl")
STANDARD_INPUT: Final = "-"
_KNOWN: Final = "a manifest ends in " + ", ".join(SUFFIXES)


def find_manifests(paths: Sequence[str]) -> tuple[list[str], list[Problem]]:
    """List the manifest files of ``paths``, each once, and what is wrong with the paths.

    A folder stands for the manifests below it, in the order of their names and without hidden
    ones; a glob for what it matches; ``-`` for standard input. A path that stands for nothing
    is a problem: to take it for 'no changes' would hide a slip of the pen.
    """
    files: dict[str, None] = {}
    problems: list[Problem] = []
    for path in paths:
        found, message = _expand(path)
        files.update(dict.fromkeys(found))
        if message:
            problems.append(Problem(Source(path, 1, 1), "", message, _KNOWN))
    return list(files), problems


def _expand(path: str) -> tuple[list[str], str]:
    """List what one path stands for, or say why it stands for nothing."""
    if path == STANDARD_INPUT:
        return [path], ""
    if os.path.isdir(path):  # noqa: PTH112 - the path is shown as it was given
        found = list(_below(path))
        return found, "" if found else "no manifest in this folder"
    if os.path.exists(path):  # noqa: PTH110 - as above
        return ([path], "") if path.endswith(SUFFIXES) else ([], "not the name of a manifest")
    if glob.has_magic(path):
        matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - as above
        found = [file for match in matches for file in _match(match)]
        return found, "" if found else "no manifest matches this pattern"
    return [], "no such file or folder"


def _match(path: str) -> Iterator[str]:
    """Take a glob's match for what it is; other files beside manifests are passed over."""
    if os.path.isdir(path):  # noqa: PTH112 - the path is shown as it was given
        yield from _below(path)
    elif path.endswith(SUFFIXES):
        yield path


def _below(folder: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield str(Path(parent) / name)
