"""Folders and their contents, through symbolic links too, each of them once."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from reconciler.errors import Problem, Source

NOWHERE: Final = frozenset({errno.ENOENT, errno.ENOTDIR})
"""The system's errors for a path that does not exist."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder: the path that reached it, its real path, and the real folders of links to it."""

    path: str
    real: str
    linked_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """Anything but a folder: the path that reached it, and its real path.

    ``broken`` is the problem of a link whose target cannot be read.
    """

    path: str
    real: str
    is_link: bool = False
    broken: Problem | None = None


class Bounds:
    """Where links may lead: into the git work tree of each named folder, or else that folder."""

    def __init__(self, folders: Iterable[str]) -> None:
        self._roots = sorted({_find_work_tree(os.path.realpath(folder)) for folder in folders})

    def contains(self, real: str) -> bool:
        """Tell whether a real path is inside."""
        return any(is_inside(real, root) for root in self._roots)

    def explain_outside(self, path: str, real: str) -> Problem:
        """Build the problem of a ``path`` that leads to ``real``, which is outside."""
        return _make_problem(
            path,
            f"links out of {' and '.join(self._roots)}, to {real}",
            "pass the target itself, or move it inside",
        )


class FolderWalk:
    """Lists folders and follows links; adds to ``problems`` what it cannot read or follow."""

    def __init__(self, bounds: Bounds, problems: list[Problem]) -> None:
        self._bounds = bounds
        self._problems = problems

    def walk(self, path: str, walked: set[str]) -> Iterator[tuple[Folder, list[File] | None]]:
        """Yield a folder and all below it with their files, sorted by name, without hidden ones.

        A folder whose real path is in ``walked`` comes with None instead of files, and is not
        entered again; all others are added to ``walked``.
        """
        # No recursion: folders may be nested deeper than Python's stack allows.
        left = [Folder(str(Path(path)), os.path.realpath(path))]
        while left:
            folder = left.pop()
            if folder.real in walked:
                yield folder, None
                continue
            walked.add(folder.real)
            files, inner = self._list_contents(folder)
            yield folder, files
            left.extend(reversed(inner))

    def list_entries(self, path: str) -> list[os.DirEntry[str]]:
        """List a folder, sorted by name; add a problem if that fails."""
        try:
            with os.scandir(path) as entries:
                return sorted(entries, key=_get_name)
        except OSError as error:
            self._problems.append(make_unreadable(path, error))
            return []

    def _list_contents(self, folder: Folder) -> tuple[list[File], list[Folder]]:
        files: list[File] = []
        folders: list[Folder] = []
        for entry in self.list_entries(folder.path):
            if entry.name.startswith("."):
                continue
            path, real = join_path(folder.path, entry.name), join_path(folder.real, entry.name)
            if entry.is_symlink():
                found = self._follow(path, folder)
                if isinstance(found, Folder):
                    folders.append(found)
                elif found:
                    files.append(found)
            elif entry.is_dir(follow_symlinks=False):
                folders.append(Folder(path, real, folder.linked_from))
            else:
                files.append(File(path, real))
        return files, folders

    def _follow(self, path: str, folder: Folder) -> Folder | File | None:
        """Find out where a link in ``folder`` leads; None for a folder that must not be entered."""
        leads_to_folder = resolve_link(path)
        try:
            real = os.path.realpath(path)
        except OSError as error:  # such as links below /proc
            self._problems.append(make_unreadable(path, error))
            return None
        if isinstance(leads_to_folder, Problem):
            return File(path, real, is_link=True, broken=leads_to_folder)
        if not leads_to_folder:
            return File(path, real, is_link=True)
        holders = (*folder.linked_from, folder.real)
        if any(is_inside(holder, real) for holder in holders):
            message = f"links in a circle, back to {real}"
            self._problems.append(_make_problem(path, message, "remove the link"))
        elif not self._bounds.contains(real):
            self._problems.append(self._bounds.explain_outside(path, real))
        else:
            return Folder(path, real, holders)
        return None


def resolve_link(path: str) -> bool | Problem:
    """Tell whether a path leads to a folder; return a problem if its target cannot be read."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116 - a path stays as it was given
    except OSError as error:
        try:
            to = os.readlink(path)  # noqa: PTH115 - shown as it is written in the link
        except OSError:
            return make_unreadable(path, error)
        return _make_problem(path, _explain_broken(to, error), "correct the link, or remove it")


def _explain_broken(to: str, error: OSError) -> str:
    if error.errno in NOWHERE:
        return f"links to {to}, which does not exist"
    if error.errno == errno.ELOOP:
        return f"links in a circle through {to}"
    return f"links to {to}, which cannot be read: {error.strerror}"


def may_be_folder(name: str) -> bool:
    """Tell whether a broken link may have been meant for a folder."""
    return not PurePath(name).suffix


def make_unreadable(path: str, error: OSError) -> Problem:
    """Build the problem of a path that the system does not let us read."""
    return _make_problem(path, f"cannot be read: {error.strerror}")


def is_inside(path: str, folder: str) -> bool:
    """Tell whether a real path is ``folder``, or below it."""
    return path == folder or path.startswith(join_path(folder, ""))


def join_path(folder: str, name: str) -> str:
    """Join a folder and a name as paths are shown: without the dot of the current folder."""
    if folder == ".":
        return name
    return f"{folder}{name}" if folder.endswith("/") else f"{folder}/{name}"


def _find_work_tree(real: str) -> str:
    """Return the git work tree of a real folder, or the folder itself."""
    folders = (Path(real), *Path(real).parents)
    return str(next((folder for folder in folders if os.path.lexists(folder / ".git")), real))


def _make_problem(path: str, message: str, hint: str = "") -> Problem:
    return Problem(Source(path), "", message, hint)


def _get_name(entry: os.DirEntry[str]) -> str:
    return entry.name
