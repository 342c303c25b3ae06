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
_SPELLING: Final = "check its spelling, and the folder that you are in"


def find_manifests(paths: Sequence[str]) -> tuple[list[str], list[Problem]]:
    """List the manifest files of ``paths``, each once, and what is wrong with the paths.

    A folder stands for the manifests below it, in the order of their names and without hidden
    ones; a glob for what it matches; ``-`` for standard input. A path that stands for nothing
    is a problem: to take it for 'no changes' would hide a slip of the pen.
    """
    files: dict[str, str] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            found = _expand(path)
        except _StandsForNothing as error:
            problems.append(Problem(Source(path, 1, 1), "", *error.args))
        except OSError as error:
            folder = Source(str(error.filename), 1, 1)
            problems.append(Problem(folder, "", f"cannot be read: {error.strerror}"))
        else:
            for file in found:
                files.setdefault(file if file == STANDARD_INPUT else os.path.realpath(file), file)
    return list(files.values()), problems


class _StandsForNothing(Exception):
    """A path without manifests; its arguments are what is wrong, and what to do."""


def _expand(path: str) -> list[str]:
    """List what one path stands for, at least one file."""
    if path == STANDARD_INPUT:
        return [path]
    if os.path.isdir(path):  # noqa: PTH112 - the path is shown as it was given
        return _some(_below(path), "no manifest in this folder")
    if os.path.exists(path):  # noqa: PTH110 - as above
        return _some(_match(path), "not the name of a manifest")
    if glob.has_magic(path):
        matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - as above
        return _some((f for m in matches for f in _match(m)), "no manifest matches this pattern")
    raise _StandsForNothing("no such file or folder", _SPELLING)


def _some(files: Iterator[str], message: str) -> list[str]:
    found = list(files)
    if not found:
        raise _StandsForNothing(message, _KNOWN)
    return found


def _match(path: str) -> Iterator[str]:
    """Take a glob's match for what it is; other files beside manifests are passed over."""
    if os.path.isdir(path):  # noqa: PTH112 - the path is shown as it was given
        yield from _below(path)
    elif path.endswith(SUFFIXES):
        yield path


def _below(folder: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield str(Path(parent) / name)


def _raise(error: OSError) -> None:
    """Stop at a folder that cannot be listed; to pass it over would hide what is in it."""
    raise error
