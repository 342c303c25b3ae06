"""Patterns such as ``**/*.yaml``, expanded; unreadable folders are reported, circles avoided."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from fnmatch import translate
from itertools import takewhile
from pathlib import Path
from typing import Final

from reconciler.errors import Problem
from reconciler.manifest.folders import (
    NOWHERE,
    FolderWalk,
    join_path,
    make_unreadable,
    may_be_folder,
    resolve_link,
)

_MAGIC: Final = re.compile(r"[*?[]")
_ANY_FOLDERS: Final = "**"


def is_pattern(path: str) -> bool:
    """Tell whether a path has wildcards."""
    return _MAGIC.search(path) is not None


def find_fixed_part(pattern: str) -> str:
    """Return the folder that contains all matches of a pattern."""
    start, parts = _split(pattern)
    fixed = takewhile(lambda part: not is_pattern(part), parts[:-1])
    return str(Path(start, *fixed))


def match_pattern(pattern: str, walk: FolderWalk, problems: list[Problem]) -> list[str]:
    """List the matches of a pattern, sorted by name; add to ``problems`` what cannot be read.

    As in shells, ``*`` and ``?`` match no leading dot, and ``**`` matches all folders except
    hidden ones.
    """
    start, parts = _split(pattern)
    found = [start]
    for number, part in enumerate(parts, start=1):
        step = _Step(part, walk, problems, is_last=number == len(parts))
        found = list(dict.fromkeys(path for base in found for path in step.match(base)))
    if pattern.endswith("/"):
        found = [path for path in found if Path(path).is_dir()]
    return sorted(found)


class NamePattern:
    """A pattern that judges names of files which may not exist, as `match_pattern` would."""

    def __init__(self, pattern: str) -> None:
        """Take the parts of a pattern below its fixed part."""
        parts = _split(pattern)[1]
        fixed = sum(1 for _ in takewhile(lambda part: not is_pattern(part), parts[:-1]))
        self._parts = parts[fixed:]
        self._fits = [re.compile(translate(part)).match for part in self._parts]

    def fits(self, names: Sequence[str]) -> bool:
        """Tell whether a file fits, by its folders and its name below the fixed part.

        A folder that fits stands for all below it, except what is hidden.
        """
        reached = self._skip({0})
        for number, name in enumerate(names):
            if len(self._parts) in reached and not any(n.startswith(".") for n in names[number:]):
                return True
            reached = self._skip({n for one in reached for n in self._step(one, name)})
        return len(self._parts) in reached

    def _step(self, number: int, name: str) -> Iterator[int]:
        if number == len(self._parts):
            return
        part = self._parts[number]
        if part == _ANY_FOLDERS:
            if not name.startswith("."):
                yield number
        elif part == name or (
            self._fits[number](name) and (part.startswith(".") or not name.startswith("."))
        ):
            yield number + 1

    def _skip(self, reached: set[int]) -> set[int]:
        """Add the parts that are reached because ``**`` may be no folder at all."""
        found = set(reached)
        for number, part in enumerate(self._parts):
            if number in found and part == _ANY_FOLDERS:
                found.add(number + 1)
        return found


class _Step:
    """One part of a pattern, between two slashes."""

    def __init__(
        self, part: str, walk: FolderWalk, problems: list[Problem], *, is_last: bool
    ) -> None:
        self._part = part
        self._walk = walk
        self._problems = problems
        self._is_last = is_last
        self._fits = re.compile(translate(part)).match

    def match(self, base: str) -> Iterator[str]:
        """Yield the matches of this part in ``base``; none if that is not a folder."""
        is_folder = resolve_link(base)
        if is_folder is not True:
            self._pass_over(base, is_folder or None)
            return iter(())
        if self._part == _ANY_FOLDERS:
            return self._match_folders(base)
        if is_pattern(self._part):
            return self._match_names(base)
        return self._match_itself(base)

    def _match_folders(self, base: str) -> Iterator[str]:
        if self._is_last:
            # The folder stands for all below it.
            yield base
            return
        for folder, files in self._walk.walk(base, set()):
            if files is not None:
                yield folder.path
                for file in files:
                    self._pass_over(file.path, file.broken)

    def _match_names(self, base: str) -> Iterator[str]:
        for entry in self._walk.list_entries(base):
            if entry.name.startswith(".") and not self._part.startswith("."):
                continue
            if self._fits(entry.name):
                yield join_path(base, entry.name)

    def _match_itself(self, base: str) -> Iterator[str]:
        path = join_path(base, self._part)
        try:
            os.lstat(path)
        except OSError as error:
            if error.errno not in NOWHERE:
                self._problems.append(make_unreadable(path, error))
        else:
            yield path

    def _pass_over(self, path: str, broken: Problem | None) -> None:
        """Report a broken link that may have been meant for a folder of manifests."""
        if broken and may_be_folder(path):
            self._problems.append(broken)


def _split(pattern: str) -> tuple[str, list[str]]:
    start = "/" if pattern.startswith("/") else "."
    return start, [part for part in pattern.split("/") if part not in {"", "."}]
