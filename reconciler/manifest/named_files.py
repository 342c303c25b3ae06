"""Which files the paths of a run would name in another state of their repository."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from reconciler.manifest.files import is_manifest
from reconciler.manifest.folders import is_inside
from reconciler.manifest.patterns import NamePattern, find_fixed_part, is_pattern

_HERE: Final = "."


class NamedFiles:
    """The files that paths name, judged by their paths in the repository alone.

    ``root`` is the real path of the repository. Links that are not there now are not known.
    """

    def __init__(self, paths: Iterable[str], root: str) -> None:
        self._root = root
        self._files: set[str] = set()
        self._folders: list[tuple[str, ...]] = []
        self._patterns: list[tuple[tuple[str, ...], NamePattern]] = []
        for path in paths:
            self._add(path)

    def _add(self, path: str) -> None:
        if os.path.isdir(path):  # noqa: PTH112 - it also accepts impossible paths
            folder = self._split(os.path.realpath(path))
            if folder is not None:
                self._folders.append(folder)
        elif is_pattern(path) and not Path(path).exists():
            folder = self._split(os.path.realpath(find_fixed_part(path)))
            if folder is not None:
                self._patterns.append((folder, NamePattern(path)))
        else:
            file = self._split(os.path.realpath(path))
            if file is not None:
                self._files.add("/".join(file))

    def add_file(self, path: str) -> None:
        """Add a file by its path in the repository."""
        self._files.add(path)

    def holds(self, path: str) -> bool:
        """Tell whether the paths name a file, by its path in the repository."""
        if path in self._files:
            return True
        if not is_manifest(path):
            return False
        names = path.split("/")
        return any(self._holds_below(folder, names) for folder in self._folders) or any(
            _begins(names, folder) and pattern.fits(names[len(folder) :])
            for folder, pattern in self._patterns
        )

    def _holds_below(self, folder: Sequence[str], names: Sequence[str]) -> bool:
        below = names[len(folder) :]
        return _begins(names, folder) and not any(name.startswith(".") for name in below)

    def _split(self, real: str) -> tuple[str, ...] | None:
        """Split a path in the repository; None if it is outside."""
        if not is_inside(real, self._root):
            return None
        relative = os.path.relpath(real, self._root)
        return () if relative == _HERE else tuple(relative.split("/"))


def _begins(names: Sequence[str], folder: Sequence[str]) -> bool:
    return len(names) > len(folder) and tuple(names[: len(folder)]) == tuple(folder)
