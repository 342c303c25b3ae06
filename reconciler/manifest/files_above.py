"""Files of one name in a folder and above it: settings and locks are found there."""

from __future__ import annotations

import os
from typing import Final

LOCK_FILE: Final = "reconciler.lock"


class FilesAbove:
    """The files of one name in a folder and above it, nearest first.

    A folder with an entry named ``top`` is the last one that is searched.
    """

    def __init__(self, name: str, *, top: str = "") -> None:
        self._name = name
        self._top = top
        self._known: dict[str, tuple[str, ...]] = {}

    def list_files(self, folder: str) -> tuple[str, ...]:
        """List them for an absolute path; each folder is searched once."""
        unknown: list[str] = []
        while folder not in self._known and folder not in unknown[-1:]:
            unknown.append(folder)
            folder = os.path.dirname(folder)  # noqa: PTH120 - once a folder of thousands
        files = self._known.get(folder, ())
        for below in reversed(unknown):
            file = os.path.join(below, self._name)  # noqa: PTH118 - as above
            if self._top and os.path.lexists(os.path.join(below, self._top)):  # noqa: PTH118 - as above
                files = ()
            # A broken link counts too: skipping it would silently use another file.
            files = (file, *files) if os.path.lexists(file) else files
            self._known[below] = files
        return files


WORK_TREE: Final = ".git"
"""What the top folder of a git work tree has: a folder, or a file in a linked work tree."""


def find_work_tree(folder: str) -> str | None:
    """Return the top folder of the git work tree around an absolute path; None if there is none."""
    found = FilesAbove(WORK_TREE).list_files(folder)
    return os.path.dirname(found[0]) if found else None  # noqa: PTH120 - as above


def make_absolute(folder: str) -> str:
    """Return the absolute path by which a folder was reached, with its links if possible."""
    if ".." in folder.split("/"):
        return os.path.realpath(folder)
    return os.path.abspath(folder)  # noqa: PTH100 - Path.absolute() keeps dots
