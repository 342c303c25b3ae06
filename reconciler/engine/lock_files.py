"""``reconciler.lock`` near the manifests of a run, and the checks of manifests against it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.contract.openapi import load_contract
from reconciler.engine.settings.settings_file import FILE as SETTINGS_FILE
from reconciler.errors import ManifestError, Problem
from reconciler.manifest.files import FoundFiles, Place, find_place
from reconciler.manifest.files_above import LOCK_FILE, WORK_TREE, FilesAbove, make_absolute

if TYPE_CHECKING:
    from reconciler.manifest.label_checks import LabelChecks
    from reconciler.manifest.lock_file import LockFile

_NOTES_MAX: Final = 10


class LockFiles:
    """The locks near the manifests of a run, each read once, when it is first needed.

    ``problems`` are those of the locks that were read. A lock belongs to the repository of the
    manifests: none is searched outside the git work tree that they are in.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._paths: dict[str, str | None] = {}
        self._read: dict[str, LockFile | None] = {}
        self._settings = FilesAbove(SETTINGS_FILE, top=WORK_TREE)
        self._locks = FilesAbove(LOCK_FILE, top=WORK_TREE)

    def exist(self, places: Mapping[Place, str]) -> bool:
        """Tell whether any manifest of a run has a lock, without reading one."""
        return any(self._locate(place.reached) for place in places)

    def find(self, manifest: str) -> LockFile | None:
        """Return the lock of a manifest; None if there is none, or if it has problems."""
        path = self._locate(find_place(manifest).reached)
        return None if path is None else self._read_once(path)

    def find_all(self, places: Mapping[Place, str]) -> Iterator[LockFile]:
        """Yield the locks of the manifests of a run, each once."""
        found = {lock.path: lock for m in places.values() if (lock := self.find(m)) is not None}
        yield from found.values()

    def _locate(self, folder: str) -> str | None:
        if folder not in self._paths:
            self._paths[folder] = self._find_path(folder)
        return self._paths[folder]

    def _find_path(self, folder: str) -> str | None:
        above = make_absolute(folder)
        settings = self._settings.list_files(above)
        if settings:
            path = Path(settings[0]).with_name(LOCK_FILE)
            return str(path) if os.path.lexists(path) else None
        return next(iter(self._locks.list_files(above)), None)

    def _read_once(self, path: str) -> LockFile | None:
        if path not in self._read:
            from reconciler.manifest.lock_file import read_lock  # noqa: PLC0415 - few runs need it

            try:
                self._read[path] = read_lock(shorten_path(path))
            except ManifestError as error:
                self.problems += error.problems
                self._read[path] = None
        return self._read[path]


def shorten_path(path: str) -> str:
    """Write a path below the current folder as people write it."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative


def read_label_checks(files: FoundFiles, environment: str | None) -> LabelChecks | None:
    """Return the checks of manifests against their locks; None if they have none.

    A lock is read when it is first needed, and its problems become problems of the manifests.
    Without an environment, manifests are checked against all entries of the lock.
    """
    locks = LockFiles()
    if not locks.exist(files.places):
        return None
    from reconciler.manifest.label_checks import LabelChecks  # noqa: PLC0415 - few runs need it

    return LabelChecks(
        locks.find, load_contract(), environment or "", lock_problems=lambda: locks.problems
    )


def list_notes(labels: LabelChecks | None) -> list[str]:
    """List what could not be checked, a line each; of many, the first, and how many more."""
    known = [*labels.notes] if labels else []
    more = len(known) - _NOTES_MAX
    return known[:_NOTES_MAX] + ([f"and {more:,} more like this"] if more > 0 else [])
