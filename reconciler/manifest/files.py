"""From the paths that a person names to manifest files."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Final, NamedTuple

from reconciler.core.notation import STANDARD_INPUT
from reconciler.errors import Problem, Source
from reconciler.manifest.folders import (
    NOWHERE,
    Bounds,
    File,
    Folder,
    FolderWalk,
    join_path,
    make_unreadable,
    may_be_folder,
    resolve_link,
)
from reconciler.manifest.patterns import find_fixed_part, is_pattern, match_pattern
from reconciler.manifest.readers.foreign_content import recognise_name

SUFFIXES: Final = (".yaml", ".yml", ".json", ".jsonl")
_LOOKS_LIKE_ONE: Final = re.compile(
    r"\.(?:ya?ml|jsonl?)(?![a-z0-9])|\.(?:ndjson|jsonlines|ldjson|json5|jsonc|hjson)$"
)
"""Names that a reader may take for a manifest: ``a.yaml.bak``, ``a.ndjson``."""

_KNOWN: Final = "the name of a manifest ends in " + ", ".join(SUFFIXES)
_OTHER_NAME: Final = ("not the name of a manifest", _KNOWN)
_SPELLING: Final = "check the spelling and the current folder"


class Place(NamedTuple):
    """A folder by the path that reached it, and its real path: links make them differ."""

    reached: str
    real: str


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """The manifests that were found, each once, under the first path that reached it.

    ``problems`` are those of the paths and of their folders. ``unread`` are files that look like
    manifests and are not read. ``places`` maps each folder with manifests to one of them.
    """

    files: Sequence[str] = ()
    problems: Sequence[Problem] = ()
    unread: Sequence[Problem] = ()
    places: Mapping[Place, str] = field(default_factory=dict)


def find_manifests(paths: Sequence[str]) -> FoundFiles:
    """List the manifest files of ``paths``.

    A folder stands for the manifests below it, sorted by name and without hidden ones; a pattern
    for its matches; ``-`` for standard input. Links found in folders and by patterns may lead
    anywhere in the git work tree of the named path. A path without manifests is a problem: "no
    changes" would hide a typing mistake.
    """
    search = _Search(Bounds(_iterate_folders(paths)))
    for path in paths:
        search.add(path)
    return search.finish()


def is_manifest(path: str) -> bool:
    """Tell by its suffix, in any case, whether a file is read as a manifest."""
    return path.endswith(SUFFIXES) or path.lower().endswith(SUFFIXES)


def find_place(path: str) -> Place:
    """Return the folder of a file; for standard input, the current folder."""
    return Place(str(Path(path).parent), str(Path(os.path.realpath(path)).parent))


def _iterate_folders(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - it also accepts impossible paths
            yield path
        elif is_pattern(path):
            yield find_fixed_part(path)


class _Search:
    """Collects the manifests of one path after another."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._problems: list[Problem] = []
        self._unread: list[Problem] = []
        self._places: dict[Place, str] = {}
        self._walk = FolderWalk(bounds, self._problems)
        self._walked: set[str] = set()
        self._resolve = cache(os.path.realpath)
        # By real path: the first path that reached a manifest.
        self._files: dict[str, str] = {}
        # By real path: the name of a manifest in the folder, or "" if they are only below it.
        self._holding: dict[str, str] = {}

    def finish(self) -> FoundFiles:
        """Return what was found."""
        return FoundFiles(
            tuple(self._files.values()), tuple(self._problems), tuple(self._unread), self._places
        )

    def add(self, path: str) -> None:
        """Add the manifests of one path; none is a problem."""
        if path == STANDARD_INPUT:
            self._take(path, path, find_place(path))
            return
        try:
            mode = os.stat(path).st_mode  # noqa: PTH116 - a path is shown as it was given
        except OSError as error:
            self._add_other(path, error)
        except ValueError:
            self._report(path, "a file cannot have this name", _SPELLING)
        else:
            if stat.S_ISDIR(mode):
                self._add_folder(path)
            elif is_manifest(path):
                self._take(path, *self._locate(path))
            else:
                self._report(path, *(recognise_name(path) or _OTHER_NAME))

    def _add_other(self, path: str, error: OSError) -> None:
        """Add a path that is not a file or folder: a pattern, or a mistake."""
        if os.path.lexists(path):
            broken = resolve_link(path)
            if isinstance(broken, Problem):
                self._problems.append(broken)
        elif is_pattern(path):
            self._add_pattern(path)
        elif error.errno in NOWHERE:
            self._report(path or "''", "file or folder not found", _SPELLING)
        else:
            self._problems.append(make_unreadable(path, error))

    def _add_folder(self, path: str) -> None:
        told = len(self._problems)
        if not self._take_folder(path) and len(self._problems) == told:
            self._report(path, "this folder has no manifests", _KNOWN)

    def _add_pattern(self, pattern: str) -> None:
        told = len(self._problems)
        matches = match_pattern(pattern, self._walk, self._problems)
        # Not any(): every match must be taken.
        taken = [self._take_match(path) for path in matches]
        if not any(taken) and len(self._problems) == told:
            hint = _KNOWN if taken or not is_manifest(pattern) else _SPELLING
            self._report(pattern, "this pattern matches no manifests", hint)

    def _take_match(self, path: str) -> bool:
        """Take a file or folder that a pattern matches; tell whether it has manifests."""
        is_folder = resolve_link(path)
        real, place = self._locate(path)
        if is_folder is not True and not is_manifest(path):
            broken = is_folder if isinstance(is_folder, Problem) else None
            self._pass_over(File(path, real, broken=broken))
        elif isinstance(is_folder, Problem):
            self._problems.append(is_folder)
        elif not self._bounds.contains(real):
            self._problems.append(self._bounds.explain_outside(path, real))
        elif is_folder:
            return self._take_folder(path)
        else:
            self._take(path, real, place)
            return True
        return False

    def _locate(self, path: str) -> tuple[str, Place]:
        """Return the real path of a file or folder, and its place."""
        folder, _, name = path.rpartition("/")
        if not name or name in {".", ".."} or os.path.islink(path):  # noqa: PTH114 - as above
            return os.path.realpath(path), find_place(path)
        # A shell may expand a pattern to many paths in few folders.
        reached = folder or ("/" if path.startswith("/") else ".")
        place = Place(reached, self._resolve(reached))
        return join_path(place.real, name), place

    def _take_folder(self, path: str) -> bool:
        """Take the manifests below a folder; tell whether there are any."""
        for folder, files in self._walk.walk(path, self._walked):
            place = Place(folder.path, folder.real)
            if files is None:
                self._take_again(folder, place)
                continue
            taken = [file.path for file in files if self._take_file(file, place)]
            if taken:
                self._hold(folder)
                self._holding[folder.real] = _get_name(taken[0])
        return os.path.realpath(path) in self._holding

    def _take_again(self, folder: Folder, place: Place) -> None:
        """Add the place of a folder reached before: by this path other settings may apply."""
        example = self._holding.get(folder.real)
        if example is not None:
            path = join_path(folder.path, example) if example else folder.path
            self._places.setdefault(place, path)
            self._hold(folder)

    def _take_file(self, file: File, place: Place) -> bool:
        """Take a file of a folder if it is a manifest; tell whether it is."""
        if not is_manifest(file.path):
            self._pass_over(file)
        elif file.broken:
            self._problems.append(file.broken)
        elif not file.is_link:
            self._take(file.path, file.real, place)
            return True
        elif not self._bounds.contains(file.real):
            self._problems.append(self._bounds.explain_outside(file.path, file.real))
        else:
            self._take(file.path, file.real, find_place(file.path))
            return True
        return False

    def _take(self, path: str, real: str, place: Place) -> None:
        self._places.setdefault(place, path)
        self._files.setdefault(real, path)

    def _pass_over(self, file: File) -> None:
        """Report a file that is not read, if its name looks like that of a manifest."""
        name = _get_name(file.path)
        if file.broken and may_be_folder(name):
            self._problems.append(file.broken)
        elif file.broken:
            message = f"not read: {file.broken.message}"
            self._unread.append(Problem(file.broken.source, "", message))
        elif _LOOKS_LIKE_ONE.search(name.lower()) or _is_misspelt(name.lower()):
            self._unread.append(Problem(Source(file.path), "", "not read", _KNOWN))

    def _hold(self, folder: Folder) -> None:
        """Remember that a folder, and all folders that lead to it, have manifests."""
        for real in (folder.real, *folder.linked_from):
            at = Path(real)
            while str(at) not in self._holding:
                self._holding[str(at)] = ""
                at = at.parent

    def _report(self, path: str, message: str, hint: str) -> None:
        self._problems.append(Problem(Source(path), "", message, hint))


def _is_misspelt(name: str) -> bool:
    """Tell whether a name ends almost like that of a manifest: ``a.ymal``, ``a.yml1``."""
    _, dot, suffix = name.rpartition(".")
    return bool(dot) and any(_differs_by_one(suffix, known.removeprefix(".")) for known in SUFFIXES)


def _differs_by_one(found: str, known: str) -> bool:
    """Tell whether one character is missing, added or wrong, or two are swapped.

    The first character must be right, and a letter may not be added at the end: other suffixes,
    such as ``xml`` and ``yamlx``, differ so.
    """
    pairs = zip(found, known, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    found, known = found[same:], known[same:]
    if not same:
        return False
    if not known:
        return len(found) == 1 and found.isdigit()
    swapped = known[1::-1] + known[2:]
    return found in {known[1:], swapped} or found[1:] in {known, known[1:]}


def _get_name(path: str) -> str:
    return path.rpartition("/")[2]
