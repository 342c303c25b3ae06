"""Writing manifests from live tasks: read and pick, then write the files, all or none.

The first pass keeps what it picks on disk, because names of files, repeated keys and shared values
are known only after the last task.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path as FilePath
from typing import Final

from reconciler.core.conditions import (
    Condition,
    Predicate,
    UnreadableConditionError,
    compile_conditions,
    list_attributes,
)
from reconciler.core.key_holders import KeyHolders
from reconciler.core.model import Found, Observed, ProjectSettings, ReadBatch, TaskKey, Unreadable
from reconciler.core.named_paths import NamedPaths
from reconciler.core.near_misses import NearMisses
from reconciler.core.notation import format_path, shorten
from reconciler.core.path_removal import drop_paths
from reconciler.core.paths import Path, are_nested, get_value
from reconciler.core.pull_result import Pulled, PulledFile, Remarks
from reconciler.core.rule_set import RuleSet
from reconciler.core.shared_values import SharedValues
from reconciler.core.values import UNREADABLE, Json, NoValue, Side
from reconciler.engine.connection import Connection
from reconciler.engine.load import FoundFiles, find_files, load_desired
from reconciler.engine.project_lookup import choose_lookup
from reconciler.engine.pull_options import PullOptions, check_options
from reconciler.engine.settings.run_settings import Settings
from reconciler.errors import Refused, ServerError
from reconciler.labelstudio.bulk.key_filter import KEYS_MAX, can_filter
from reconciler.labelstudio.bulk.ordered_pages import read_in_order
from reconciler.labelstudio.bulk.task_reader import read_keyed_tasks, read_listed_tasks
from reconciler.labelstudio.task_api import TaskApi
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.label_checks import fits_needs, list_needs
from reconciler.manifest.pulled_tasks import (
    PulledTask,
    TaskPicker,
    describe_new_task,
    list_default_names,
    normalize_live_key,
)
from reconciler.manifest.writers.file_names import REST, make_name, name_values
from reconciler.manifest.writers.manifest_text import format_manifest
from reconciler.manifest.writers.placing import find_existing, place_files, prepare_folder
from reconciler.manifest.writers.spool import NO_GROUP, Spool
from reconciler.progress import NULL_PROGRESS, ProgressListener

SPLITS_MAX: Final = 1_000
"""Values by which tasks can be split: each is a file."""

SELECTED_MAX: Final = 5_000
"""Ids up to which asking for each costs less than reading all pages between them."""

SCHEMA_FILE: Final = "manifest.schema.json"

_NOT_FOUND: Final = 404

_NAMED_MAX: Final = 5
"""How many files or ids an error names."""


def pull_tasks(
    options: PullOptions,
    settings: Settings,
    connection: Connection,
    *,
    progress: ProgressListener = NULL_PROGRESS,
) -> Pulled:
    """Write manifests for the tasks of a project into a folder; the server is only read.

    Raises Refused if nothing can be written, ManifestError if the manifests that are in the folder
    have problems, and ServerError. The files then are as before.
    """
    where = check_options(options, connection.attributes)
    lookup = choose_lookup(settings, connection)
    number = options.project if isinstance(options.project, int) else lookup(options.project)
    declared = _load_declared(options, settings, lookup, progress)
    project = PulledProject(number, _name_project(options, settings, number))
    rules = [rule for rule in declared.rules if rule.ref.project == number]
    for rule in rules:
        _check_key_kept(options, rule.ref.name, rule.list_paths(), str(rule.ref.source))
    connection.api.backoff.progress = progress
    with prepare_folder(options.out) as prepared, closing(Spool(prepared / ".spool")) as spool:
        reading = _SpooledReading(
            options,
            connection,
            project,
            where=where,
            declared=declared,
            rules=RuleSet(rules, connection.attributes) if rules else None,
            spool=spool,
            progress=progress,
        )
        reading.read_all()
        return _Writing(options, reading, prepared, progress).write()


@dataclass(frozen=True, slots=True)
class PulledProject:
    """The number of a project, and its name if the manifests shall name it."""

    number: int
    name: str = ""


def _name_project(options: PullOptions, settings: Settings, number: int) -> str:
    """Return the name for manifests: the given one, or that of the environment for the number."""
    if isinstance(options.project, str):
        return options.project
    numbers = settings.projects.numbers if settings.projects else {}
    return next((name for name, known in numbers.items() if known == number), "")


def _load_declared(
    options: PullOptions,
    settings: Settings,
    lookup: Callable[[str], int],
    progress: ProgressListener,
) -> DesiredIndex:
    """Load the manifests that are in the folder already, of which there may be none."""
    files = find_files([str(options.out)]) if options.out.is_dir() else FoundFiles()
    if not files.files:
        files = FoundFiles()
    return load_desired(files, server=settings.server, projects=lookup, progress=progress)


def _check_key_kept(options: PullOptions, rule: str, paths: Iterable[Path], source: str) -> None:
    key = options.key
    if key and any(are_nested(key, path) for path in paths):
        raise Refused(
            f"nothing was pulled: rule {rule} ({source}) changes {format_path(key)}, which would "
            "hold the keys of tasks",
            hint="choose another --key, or another --out",
        )


def _read_project(api: TaskApi, options: PullOptions, project: PulledProject) -> ProjectSettings:
    """Read the settings of a project; raises Refused if the server has none with this number."""
    try:
        return api.project_settings(project.number)
    except ServerError as error:
        if error.status != _NOT_FOUND:
            raise
        named = f", which is {shorten(str(options.project))!r} in the settings"
        named = named if isinstance(options.project, str) else ""
        raise Refused(
            f"nothing was written: the server returned 404 for project {project.number}{named}",
            hint=f"pass the number after /projects/ in the address of the project, on "
            f"{api.address}, to --project; is it on another server, or in another organization?",
        ) from error


class TaskReading(ABC):
    """The first pass: reads tasks, and keeps what is to be declared for each."""

    def __init__(  # noqa: PLR0913 - what decides about each task
        self,
        options: PullOptions,
        connection: Connection,
        project: PulledProject,
        *,
        where: Sequence[Condition],
        declared: DesiredIndex,
        rules: RuleSet | None,
        progress: ProgressListener,
    ) -> None:
        self.options = options
        self.project = project
        self.declared = declared
        self.declared_keys: dict[int, tuple[TaskKey, ...]] = {}
        self.undeclared = Remarks()
        self.left_out = Remarks()
        self.attributes = connection.attributes
        self.held_keys = KeyHolders(KEYS_MAX)
        self.seen = 0
        self._api = connection.api
        self._progress = progress
        self._rules = rules
        self._where = where
        self._named = NamedPaths(self.list_named())
        self._misses = NearMisses([c for c in where if not _is_redacted(c.path, options)])
        self._matches: Predicate = compile_conditions(where, connection.attributes)
        self._picker: TaskPicker | None = None
        self.settings = _read_project(self._api, options, project)

    def read_all(self) -> None:
        """Read all wanted tasks; raises Refused if there are none."""
        self._progress.begin("reading")
        for batch in self._read_batches():
            self._note_keys(batch)
            found = {task: row for task, row in batch.found.items() if self._is_wanted(task)}
            keys = self.declared.find_keys(self.project.number, found)
            for task, row in found.items():
                self._take(task, row, keys.get(task, ()))
            for task, observed in batch.others.items():
                if self._is_wanted(task):
                    self._leave_broken(task, observed)
            self._progress.advance(len(found))
        if not self.seen:
            raise Refused(f"nothing was written: {self._explain_none()}", hint=self._advise_none())
        if absent := self._named.explain_first():
            raise Refused(f"nothing was written: {absent[0]}", hint=absent[1])
        if self.options.key and self.options.ids:
            self._progress.begin("looking for the same keys")
            for batch in self._read_rivals(self.options.key):
                self._note_keys(batch)
                self._progress.advance(len(batch))

    def _note_keys(self, batch: ReadBatch) -> None:
        """Note the keys of all tasks, wanted or not: a plan would find each of them."""
        path = self.options.key
        for task, row in batch.found.items() if path else ():
            key = normalize_live_key(get_value(row, path)) if path else None
            if key is not None:
                self.held_keys.add(task, key)

    def _read_rivals(self, path: Path) -> Iterator[ReadBatch]:
        """Read tasks that may hold the keys found so far: by filters if these are few."""
        project, keys = self.project.number, self.held_keys.list_if_few()
        if keys is not None and can_filter(path, keys):
            unseen = dict.fromkeys(map(str, keys))
            for batch in read_keyed_tasks(
                self._api, project, (path[1], [*unseen]), {path[0]}, progress=self._progress
            ):
                yield batch
                for row in batch.found.values():
                    unseen.pop(str(get_value(row, path)), None)
            if not unseen:
                return
        yield from read_in_order(self._api, project, {path[0]})

    def _read_batches(self) -> Iterator[ReadBatch]:
        """Read the wanted tasks, and maybe others: by their ids if these are few."""
        ranges, project, names = self.options.ids, self.project.number, self.list_names()
        if ranges is None:
            yield from read_in_order(self._api, project, names)
        elif sum(map(len, ranges)) > SELECTED_MAX:
            low, high = ranges[0].start, ranges[-1].stop
            yield from read_in_order(self._api, project, names, after=low - 1, up_to=high - 1)
        else:
            unseen = dict.fromkeys(chain.from_iterable(ranges))
            for batch in read_listed_tasks(self._api, project, list(unseen), names):
                yield batch
                for task, _ in batch:
                    unseen.pop(task, None)
            for task in unseen:
                self.left_out.add(task, "", "it is not in the project")

    def _explain_none(self) -> str:
        chosen = [
            name for name, value in (("--ids", self.options.ids), ("--where", self._where)) if value
        ]
        what = f" that {' and '.join(chosen)} choose" if chosen else ""
        return f"project {self.project.number} has no tasks{what}"

    def _advise_none(self) -> str:
        found = self._misses.explain() if self._where else ""
        return found or _CHECK_CHOICE

    def _is_wanted(self, task: int) -> bool:
        ranges = self.options.ids
        if ranges is None:
            return True
        place = bisect_right(ranges, task, key=lambda ids: ids.start)
        return bool(place) and task in ranges[place - 1]

    def list_names(self) -> set[str]:
        """Name the attributes that are read."""
        options = self.options
        names = {path[0] for path in options.fields} or {*list_default_names(self.attributes, None)}
        names |= {"data"} | list_attributes(self._where)
        names |= {path[0] for path in (options.key, options.split_by) if path}
        return names | (self._rules.names if self._rules else set())

    def _take(self, task: int, live: Mapping[str, Json], keys: tuple[TaskKey, ...]) -> None:
        picker = self._picker or self._prepare(task, live)
        try:
            if self._where and not self._matches(live):
                if not self.seen:
                    self._misses.note(live)
                return
            self.seen += 1
            self._named.note(live)
            if not isinstance(live.get("data"), dict):
                self.left_out.add(task, "", "its data is not an object")
                return
            ruled = self._list_ruled(live)
        except UnreadableConditionError as error:
            raise self._make_lacking(error.name, "--where") from None
        if self._leave_declared(task, keys):
            return
        picked = picker.pick(live, ruled)
        for path, reason in picked.declarable.refused:
            self.undeclared.add(task, format_path(path), reason)
        if not picked.declarable.attributes:
            self.left_out.add(task, "", "nothing of it is to be declared")
            return
        self.keep(task, live, picked)

    def list_named(self) -> dict[Path, str]:
        """List the paths that tasks must have, each with the option that names it."""
        named = dict.fromkeys(self.options.redact, "--redact")
        return named | dict.fromkeys(self.options.fields, "--fields")

    @abstractmethod
    def keep(self, task: int, live: Mapping[str, Json], picked: PulledTask) -> None:
        """Keep what a task is to declare."""

    def _prepare(self, task: int, live: Mapping[str, Json]) -> TaskPicker:
        """Look at the first task: which attributes there are, and which the server stores."""
        options = self.options
        wanted = {path[0]: "--fields" for path in options.fields}
        wanted |= {condition.path[0]: "--where" for condition in self._where}
        wanted |= {path[0]: "--key" for path in (options.key,) if path}
        wanted |= {path[0]: "--split-by" for path in (options.split_by,) if path}
        wanted |= dict.fromkeys(self._rules.names if self._rules else (), "a rule")
        for name, by in wanted.items():
            if name not in live:
                raise self._make_lacking(name, by)
        honoured = None if options.fields else self._api.capabilities.ask(task, self._progress)
        self._picker = TaskPicker(
            list_default_names(self.attributes, honoured),
            describe_new_task(self.settings),
            fields=options.fields,
            key=options.key,
            redact=options.redact,
        )
        return self._picker

    def _make_lacking(self, name: str, by: str) -> Refused:
        return Refused(
            f"nothing was written: the server's response has no {name}, which {by} names",
            hint="this edition, version or role does not show it: leave it out",
        )

    def _list_ruled(self, live: Mapping[str, Json]) -> list[Path]:
        """List what rules of the folder write for a task."""
        if self._rules is None:
            return []
        return [path for rule in self._rules.match(live) for path, _ in rule.iterate_results(live)]

    def _leave_declared(self, task: int, keys: tuple[TaskKey, ...]) -> bool:
        """Leave a task out that the folder declares, unless its files may be replaced."""
        files = self.declared.list_files(task, keys, self.project.number)
        if not files:
            return False
        if self.options.force:
            self.declared_keys[task] = keys
            return False
        self.leave_out_declared(task)
        return True

    def leave_out_declared(self, task: int) -> None:
        """Count a task as one that other files declare."""
        self.left_out.add(task, "", DECLARED)

    def _leave_broken(self, task: int, observed: Observed) -> None:
        self.seen += 1
        reason = "the server does not return its data"
        if isinstance(observed, Unreadable):
            reason = observed.detail
        elif isinstance(observed, Found) and observed.attributes.get("data") is UNREADABLE:
            reason = "the server cannot read its data, but everything else"
        self.left_out.add(task, "", reason)


class _SpooledReading(TaskReading):
    """Spools what is to be declared for each task, in the group that it is split into."""

    def __init__(  # noqa: PLR0913 - as above
        self,
        options: PullOptions,
        connection: Connection,
        project: PulledProject,
        *,
        where: Sequence[Condition],
        declared: DesiredIndex,
        rules: RuleSet | None,
        spool: Spool,
        progress: ProgressListener,
    ) -> None:
        super().__init__(
            options,
            connection,
            project,
            where=where,
            declared=declared,
            rules=rules,
            progress=progress,
        )
        self.spool = spool

    def keep(self, task: int, live: Mapping[str, Json], picked: PulledTask) -> None:
        """Keep what a task is to declare."""
        group = self._find_group(live)
        self.spool.add(task, picked.key, picked.declarable.text, group=group)

    def list_named(self) -> dict[Path, str]:
        """List the paths that tasks must have, those of files included."""
        options = self.options
        named = {path: "--split-by" for path in (options.split_by,) if path}
        named |= {path: "--key" for path in (options.key,) if path}
        return super().list_named() | named

    def _find_group(self, live: Mapping[str, Side]) -> int:
        if self.options.split_by is None:
            return NO_GROUP
        value = get_value(live, self.options.split_by)
        if isinstance(value, NoValue):
            return NO_GROUP
        group = self.spool.find_group(value)
        if group >= SPLITS_MAX:
            path = format_path(self.options.split_by)
            raise Refused(
                f"nothing was written: {path} has more than {SPLITS_MAX:,} values, and each would "
                "be a file",
                hint="choose another path for --split-by, or --per-file",
            )
        return group


DECLARED: Final = "declared by a manifest of the folder already"
_CHECK_CHOICE: Final = "check the project and the options"


def _is_redacted(path: Path, options: PullOptions) -> bool:
    return any(are_nested(path, redacted) for redacted in options.redact)


@dataclass(frozen=True, slots=True)
class _File:
    """A file to write, and the indexes of its tasks in the spool."""

    name: str
    indexes: Sequence[int]


class _Writing:
    """The second pass: decides which files there are, and writes them."""

    def __init__(
        self,
        options: PullOptions,
        reading: _SpooledReading,
        prepared: FilePath,
        progress: ProgressListener,
    ) -> None:
        self._options = options
        self._reading = reading
        self._spool = reading.spool
        self._prepared = prepared
        self._progress = progress
        self._by_id = Remarks()
        self._needs = list_needs(reading.settings.label_config)
        self._misfits = 0
        self._names = [name for name, row in reading.attributes.items() if row.writable]

    def write(self) -> Pulled:
        options = self._options
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
            self._reading.undeclared.list_all(),
            self._reading.left_out.list_all(),
            self._by_id.list_all(),
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
            self._reading.leave_out_declared(task)
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
            named = ", ".join(str(options.out / name) for name in existing[:_NAMED_MAX])
            more = f" and {len(existing) - _NAMED_MAX:,} more" if len(existing) > _NAMED_MAX else ""
            raise Refused(
                f"nothing was written: {named}{more} would be replaced",
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
        for index in indexes:
            if not self._spool.has_key[index]:
                self._by_id.add(self._spool.ids[index], key, "not a string or an integer")
        for index in self._spool.drop_shared_keys(indexes, self._reading.held_keys):
            self._by_id.add(self._spool.ids[index], key, "several tasks have the same value")

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
            header["key"] = _write_path(options.key)
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


_ADVANCE: Final = 1_000
"""Tasks between two reports of progress."""


def _write_path(path: Path) -> Json:
    return format_path(path)


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
