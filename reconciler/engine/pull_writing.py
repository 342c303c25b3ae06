"""The second pass of a pull: decide which files there are, and write them, all or none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Final

from reconciler.core.notation import format_path, list_first
from reconciler.core.path_removal import drop_paths
from reconciler.core.pull_result import Pulled, PulledFile
from reconciler.core.shared_values import SharedValues
from reconciler.core.values import Json
from reconciler.engine.pull_reading import DECLARED, NO_KEY, SHARED_KEY, SpooledReading
from reconciler.errors import Refused
from reconciler.manifest.label_checks import fits_needs, list_needs
from reconciler.manifest.writers.file_names import REST, make_name, name_values
from reconciler.manifest.writers.manifest_text import format_manifest
from reconciler.manifest.writers.placing import find_existing, place_files
from reconciler.manifest.writers.spool import NO_GROUP
from reconciler.progress import ProgressListener

SCHEMA_FILE: Final = "manifest.schema.json"

_NAMED_MAX: Final = 5
"""How many files an error names."""

_ADVANCE: Final = 1_000
"""Tasks between two reports of progress."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file to write, and the indexes of its tasks in the spool."""

    name: str
    indexes: Sequence[int]


class FolderWriting:
    """Writes what a reading has kept, first into the folder ``prepared``."""

    def __init__(
        self,
        reading: SpooledReading,
        prepared: FilePath,
        progress: ProgressListener,
    ) -> None:
        self._options = reading.options
        self._reading = reading
        self._spool = reading.spool
        self._prepared = prepared
        self._progress = progress
        self._needs = list_needs(reading.settings.label_config)
        self._misfits = 0
        self._names = [name for name, row in reading.attributes.items() if row.writable]

    def write(self) -> Pulled:
        """Write all files, or none; raises Refused."""
        options, remarks = self._options, self._reading.remarks
        files = self._assign_files()
        self._check_files(files)
        indexes = [index for file in files for index in file.indexes]
        if options.key:
            self._drop_keys(indexes, format_path(options.key))
        self._progress.begin("writing", len(indexes))
        for file in files:
            self._write_file(file)
        place_files(self._prepared, [f.name for f in files], options.out, force=options.force)
        return Pulled(
            str(options.out),
            self._reading.project.number,
            tuple(PulledFile(str(options.out / f.name), len(f.indexes)) for f in files),
            remarks.undeclared.list_all(),
            remarks.left_out.list_all(),
            remarks.by_id.list_all(),
            self._misfits,
        )

    def _assign_files(self) -> list[_File]:
        """Decide which task is in which file.

        With ``--force``, a task that the folder declares is written only if all files that declare
        it are replaced.
        """
        everything = self._spool.sort()
        files = self._divide(everything)
        declared = self._reading.declared
        keys = self._reading.declared_keys
        if not keys:
            return files
        while True:
            replaced = {os.path.realpath(self._options.out / file.name) for file in files}
            kept = [
                index
                for index in everything
                if (task := self._spool.ids[index]) not in keys
                or {
                    os.path.realpath(name)
                    for name in declared.list_files(task, keys[task], self._reading.project.number)
                }
                <= replaced
            ]
            if len(kept) == sum(len(file.indexes) for file in files):
                break
            files = self._divide(kept)
        written = {self._spool.ids[index] for file in files for index in file.indexes}
        for task in sorted(keys.keys() - written):
            self._reading.remarks.left_out.add(task, "", DECLARED)
        return files

    def _divide(self, indexes: Sequence[int]) -> list[_File]:
        options, suffix = self._options, self._options.form.value
        if not indexes:
            return []
        if options.split_by:
            names = name_values(self._spool.values)
            groups: dict[int, list[int]] = {}
            for index in indexes:
                groups.setdefault(self._spool.groups[index], []).append(index)
            named = {
                (REST if group == NO_GROUP else names[group]): found
                for group, found in groups.items()
            }
            return [_File(f"{name}.{suffix}", named[name]) for name in sorted(named)]
        name = self._choose_name()
        size = options.per_file
        if size is None:
            return [_File(f"{name}.{suffix}", indexes)]
        return [
            _File(f"{name}-{start // size + 1:05}.{suffix}", indexes[start : start + size])
            for start in range(0, len(indexes), size)
        ]

    def _choose_name(self) -> str:
        project = self._reading.project
        title = project.name or self._reading.settings.title
        return make_name(title) or f"project-{project.number}"

    def _check_files(self, files: Sequence[_File]) -> None:
        """Refuse to replace files without ``--force``, and files with rules at all."""
        options = self._options
        existing = find_existing(options.out, [file.name for file in files])
        if existing and not options.force:
            named = list_first([str(options.out / name) for name in existing], _NAMED_MAX)
            raise Refused(
                f"nothing was written: {named} would be replaced",
                hint="pass --force to replace, or another --out",
            )
        declared = self._reading.declared
        replaced = {os.path.realpath(options.out / name) for name in existing}
        for rule in declared.rules:
            if os.path.realpath(rule.ref.source.file) in replaced:
                raise Refused(
                    f"nothing was written: {rule.ref.source.file} declares rules, which pull does "
                    "not write",
                    hint="move its rules to another file first",
                )

    def _drop_keys(self, indexes: Sequence[int], key: str) -> None:
        """Name tasks by id if they have no key, or share it."""
        spool, by_id = self._spool, self._reading.remarks.by_id
        for index in indexes:
            if not spool.has_key[index]:
                by_id.add(spool.ids[index], key, NO_KEY)
        for index in spool.drop_shared_keys(indexes, self._reading.held_keys):
            by_id.add(spool.ids[index], key, SHARED_KEY)

    def _write_file(self, file: _File) -> None:
        shared = self._find_shared(file)
        header = self._build_header(file, shared)
        form = self._options.form
        pieces = format_manifest(
            form, header, self._iterate_entries(file, shared), _locate_schema(self._options.out)
        )
        with (self._prepared / file.name).open("w", encoding="utf-8", newline="\n") as out:
            out.writelines(pieces)
            out.flush()
            os.fsync(out.fileno())

    def _find_shared(self, file: _File) -> SharedValues:
        """Find the values that all tasks of a file share, if they are to be hoisted."""
        shared = SharedValues()
        if self._options.hoist and len(file.indexes) > 1:
            for index in file.indexes:
                shared.add(self._spool.read(index).declared)
                if shared.is_empty:
                    break
        key = self._options.key
        return shared.without(key) if key else shared

    def _build_header(self, file: _File, shared: SharedValues) -> Mapping[str, Json]:
        options, project = self._options, self._reading.project
        header: dict[str, Json] = {"version": 1, "project": project.name or project.number}
        if options.key and any(self._spool.has_key[index] for index in file.indexes):
            header["key"] = format_path(options.key)
        if not shared.is_empty:
            header["defaults"] = self._order(shared.build())
        return header

    def _iterate_entries(self, file: _File, shared: SharedValues) -> Iterator[Mapping[str, Json]]:
        key_path = self._options.key
        waiting = 0
        for index in file.indexes:
            task, key, declared = self._spool.read(index)
            entry: dict[str, Json] = {"id": task}
            if key is not None and key_path is not None:
                entry = {"key": key}
                declared = drop_paths(declared, (key_path,))
            self._misfits += not fits_needs(declared.get("data"), self._needs)
            if not shared.is_empty:
                declared = drop_paths(declared, shared.list_paths())
            yield entry | self._order(declared)
            waiting += 1
            if waiting == _ADVANCE:
                self._progress.advance(waiting)
                waiting = 0
        self._progress.advance(waiting)

    def _order(self, declared: Mapping[str, Json]) -> dict[str, Json]:
        """Put attributes in the order of the contract, after data and meta."""
        if len(declared) < 2:  # noqa: PLR2004 - nothing to order
            return dict(declared)
        return {name: declared[name] for name in ("data", "meta", *self._names) if name in declared}


def _locate_schema(out: FilePath) -> str:
    """Return the path of the nearest schema file, relative to ``out``; empty if there is none."""
    real = FilePath(os.path.realpath(out))
    for folder in (real, *real.parents):
        for name in (SCHEMA_FILE, f"schemas/{SCHEMA_FILE}"):
            if (folder / name).is_file():
                return FilePath(os.path.relpath(folder / name, real)).as_posix()
        if (folder / ".git").exists():
            break
    return ""
