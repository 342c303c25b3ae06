"""From the paths that a person names to the manifests that they stand for."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from reconciler.core.notation import STANDARD_INPUT
from reconciler.errors import Problem, Source
from reconciler.manifest.file_names import (
    SUFFIXES,
    is_manifest,
    looks_like_manifest,
    may_be_folder,
)
from reconciler.manifest.folders import (
    NOWHERE,
    Bounds,
    File,
    Folder,
    FolderWalk,
    join_path,
    make_unreadable,
    resolve_link,
)
from reconciler.manifest.patterns import find_fixed_part, is_pattern, match_pattern

_KNOWN: Final = "a manifest ends in " + ", ".join(SUFFIXES)
_SPELLING: Final = "check its spelling, and the folder that you are in"


class Place(NamedTuple):
    """A folder as it was reached, and where it really is: links give it two names."""

    reached: str
    real: str


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """The manifests that paths stand for, each once, under the name it was reached by first.

    ``problems`` say what is wrong with the paths, and with what is in their folders. ``unread``
    are files that may be taken for manifests, and are none. ``places`` are the folders in which
    manifests were found, by whatever way, each with one of them.
    """

    files: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unread: list[Problem] = field(default_factory=list)
    places: dict[Place, str] = field(default_factory=dict)


def find_manifests(paths: Sequence[str]) -> FoundFiles:
    """List the manifest files of ``paths``.

    A folder stands for the manifests below it, in the order of their names and without hidden
    ones; a glob for what it matches; ``-`` for standard input. Links that are found in folders
    and by globs may lead anywhere in the git work tree of what was named. A path that stands for
    nothing is a problem: to take it for 'no changes' would hide a slip of the pen.
    """
    search = _Search(Bounds(_find_folders_named(paths)))
    for path in paths:
        search.add(path)
    return search.found


def find_place(path: str) -> Place:
    """Tell which folder a file is in; that of standard input is the one we are in."""
    return Place(str(Path(path).parent), str(Path(os.path.realpath(path)).parent))


def _find_folders_named(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - a path need not be one that there can be
            yield path
        elif is_pattern(path):
            yield find_fixed_part(path)


class _Search:
    """Adds up what path after path stands for."""

    def __init__(self, bounds: Bounds) -> None:
        self.found = FoundFiles()
        self._bounds = bounds
        self._walk = FolderWalk(bounds, self.found.problems)
        self._walked: set[str] = set()
        self._known: set[str] = set()
        self._holding: set[str] = set()
        self._examples: dict[str, str] = {}
        self._real: dict[str, str] = {}

    def add(self, path: str) -> None:
        """Add what one path stands for; a problem, where that is nothing."""
        if path == STANDARD_INPUT:
            self._take(path, path, find_place(path))
            return
        try:
            mode = os.stat(path).st_mode  # noqa: PTH116 - a path is shown as it was given
        except OSError as error:
            self._add_other(path, error)
        except ValueError:
            self._report(path, "not a name that a file can have", _SPELLING)
        else:
            if stat.S_ISDIR(mode):
                self._add_folder(path)
            elif is_manifest(path):
                self._take(path, *self._locate(path))
            else:
                self._report(path, "not the name of a manifest", _KNOWN)

    def _add_other(self, path: str, error: OSError) -> None:
        """Add what is no file: a pattern, or nothing."""
        if os.path.lexists(path):
            broken = resolve_link(path)
            if isinstance(broken, Problem):
                self.found.problems.append(broken)
        elif is_pattern(path):
            self._add_pattern(path)
        elif error.errno in NOWHERE:
            self._report(path, "no such file or folder", _SPELLING)
        else:
            self.found.problems.append(make_unreadable(path, error))

    def _add_folder(self, path: str) -> None:
        told = len(self.found.problems)
        if not self._take_folder(path) and len(self.found.problems) == told:
            self._report(path, "no manifest in this folder", _KNOWN)

    def _add_pattern(self, pattern: str) -> None:
        told = len(self.found.problems)
        matches = match_pattern(pattern, self._walk, self.found.problems)
        # Not any(): each of them is to be taken.
        taken = [self._take_match(path) for path in matches]
        if not any(taken) and len(self.found.problems) == told:
            self._report(pattern, "no manifest matches this pattern", _KNOWN)

    def _take_match(self, path: str) -> bool:
        """Take a file or folder that a pattern matches; tells whether it stands for any."""
        is_folder = resolve_link(path)
        real, place = self._locate(path)
        if is_folder is not True and not is_manifest(path):
            broken = is_folder if isinstance(is_folder, Problem) else None
            self._pass_over(File(path, real, broken=broken))
        elif isinstance(is_folder, Problem):
            self.found.problems.append(is_folder)
        elif not self._bounds.hold(real):
            self.found.problems.append(self._bounds.outside(path, real))
        elif is_folder:
            return self._take_folder(path)
        else:
            self._take(path, real, place)
            return True
        return False

    def _locate(self, path: str) -> tuple[str, Place]:
        """Tell the real path of a file or folder, and the place that it is in."""
        folder, _, name = path.rpartition("/")
        if not name or name in {".", ".."} or os.path.islink(path):  # noqa: PTH114 - as above
            return os.path.realpath(path), find_place(path)
        # Paths are many where a shell has expanded a pattern, and their folders few.
        reached = folder or ("/" if path.startswith("/") else ".")
        if reached not in self._real:
            self._real[reached] = os.path.realpath(reached)
        place = Place(reached, self._real[reached])
        return join_path(place.real, name), place

    def _take_folder(self, path: str) -> bool:
        """Take the manifests below a folder; tells whether there are any."""
        for folder, files in self._walk.walk(path, self._walked):
            place = Place(folder.path, folder.real)
            if files is None:
                # What is in it was found on another way, where other settings may be nearest.
                if folder.real in self._holding:
                    example = self._examples.get(folder.real)
                    example = join_path(folder.path, example) if example else folder.path
                    self.found.places.setdefault(place, example)
                    self._hold(folder)
                continue
            taken = [file.path for file in files if self._take_file(file, place)]
            if taken:
                self._examples[folder.real] = _get_name(taken[0])
                self._hold(folder)
        return os.path.realpath(path) in self._holding

    def _take_file(self, file: File, place: Place) -> bool:
        """Take a file of a folder where it is a manifest; tells whether it does."""
        if not is_manifest(file.path):
            self._pass_over(file)
        elif file.broken:
            self.found.problems.append(file.broken)
        elif not file.is_link:
            self._take(file.path, file.real, place)
            return True
        elif not self._bounds.hold(file.real):
            self.found.problems.append(self._bounds.outside(file.path, file.real))
        else:
            self._take(file.path, file.real, find_place(file.path))
            return True
        return False

    def _take(self, path: str, real: str, place: Place) -> None:
        self.found.places.setdefault(place, path)
        if real not in self._known:
            self._known.add(real)
            self.found.files.append(path)

    def _pass_over(self, file: File) -> None:
        """Tell of what is no manifest, where somebody may think that it is one."""
        name = _get_name(file.path)
        if file.broken and may_be_folder(name):
            self.found.problems.append(file.broken)
        elif file.broken:
            message = Problem(file.broken.source, "", f"not read: {file.broken.message}")
            self.found.unread.append(message)
        elif looks_like_manifest(name):
            message = Problem(Source(file.path, 1, 1), "", "not read", _KNOWN)
            self.found.unread.append(message)

    def _hold(self, folder: Folder) -> None:
        """Remember that there are manifests below a folder, and below those that lead to it."""
        for real in (folder.real, *folder.linked_from):
            at = Path(real)
            while str(at) not in self._holding:
                self._holding.add(str(at))
                at = at.parent

    def _report(self, path: str, message: str, hint: str) -> None:
        self.found.problems.append(Problem(Source(path, 1, 1), "", message, hint))


def _get_name(path: str) -> str:
    return path.rpartition("/")[2]
