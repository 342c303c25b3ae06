"""Tasks of a project that no manifest declares yet, as entries to add to one of its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Final, NamedTuple

import msgspec

from reconciler.core.key_holders import hash_key
from reconciler.core.notation import STANDARD_INPUT, format_path
from reconciler.core.path_removal import drop_paths
from reconciler.core.paths import Path, are_nested
from reconciler.core.pull_result import Remark
from reconciler.core.values import Json
from reconciler.engine.connection import Connection
from reconciler.engine.pull_options import PullOptions, check_options
from reconciler.engine.pull_reading import (
    DECLARED,
    NO_KEY,
    SHARED_KEY,
    PulledProject,
    PullRemarks,
    TaskReading,
)
from reconciler.errors import Refused
from reconciler.manifest.declarations import Header
from reconciler.manifest.editing.entry_checks import find_invalid_entries
from reconciler.manifest.editing.live_entries import Entry
from reconciler.manifest.editing.new_entries import complete_entry
from reconciler.manifest.editing.splices import CannotEditError
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.pulled_tasks import PulledTask
from reconciler.manifest.readers.document import Document
from reconciler.progress import NULL_PROGRESS, ProgressListener


@dataclass(frozen=True, slots=True)
class AddOptions:
    """Which tasks to add, and what to declare of them: as `PullOptions`.

    ``project`` is its number, or its name until it is looked up; None for each project that the
    manifests declare.
    """

    project: int | str | None = None
    ids: tuple[range, ...] | None = None
    where: Mapping[str, Json] = field(default_factory=dict)
    fields: tuple[Path, ...] = ()


class Addition(NamedTuple):
    """Entries to add to the tasks of a document."""

    document: Document
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Additions:
    """What is to be added, and the remarks on it, as of a pull."""

    added: tuple[Addition, ...] = ()
    undeclared: tuple[Remark, ...] = ()
    by_id: tuple[Remark, ...] = ()
    left_out: tuple[Remark, ...] = ()


def find_additions(
    desired: DesiredIndex,
    connection: Connection,
    options: AddOptions,
    *,
    redact: tuple[Path, ...] = (),
    progress: ProgressListener = NULL_PROGRESS,
) -> Additions:
    """Read the projects of the manifests, and find the tasks that these do not declare.

    Raises Refused if no file can take them, and ServerError.
    """
    remarks = PullRemarks()
    targets = _choose_targets(desired, options)
    added: list[Addition] = []
    for project, header in targets.items():
        pulled = _build_options(project, header, options, redact)
        reading = _EntryReading(
            options=pulled,
            connection=connection,
            project=PulledProject(project),
            where=check_options(pulled, connection.attributes),
            declared=desired,
            progress=progress,
            remarks=remarks,
            header=header,
        )
        added.append(Addition(header.document, list(reading.read_entries())))
    return Additions(
        tuple(addition for addition in added if addition.entries),
        remarks.undeclared.list_all(),
        remarks.by_id.list_all(),
        tuple(one for one in remarks.left_out.list_all() if one.reason != DECLARED),
    )


def _choose_targets(desired: DesiredIndex, options: AddOptions) -> dict[int, Header]:
    """Choose the document that gets the tasks of each project: the last one that has tasks."""
    targets: dict[int, Header] = {}
    for header in sorted(desired.headers, key=_get_file):
        project = header.project
        outline = header.document.outline
        can_take = (
            project is not None and isinstance(outline, dict) and "tasks" in outline
        ) and _get_file(header) != STANDARD_INPUT
        if project is not None and can_take and options.project in {None, project}:
            targets[project] = header
    if not targets:
        named = "" if options.project is None else f" {options.project}"
        raise Refused(
            f"nothing was written: no file declares tasks of project{named or 's'}, so none can "
            "take others",
            hint=_NO_TARGET_HINT,
        )
    if options.ids and len(targets) > 1:
        raise Refused(
            "nothing was written: the manifests declare several projects, and --ids is for one",
            hint="pass --project",
        )
    return targets


_NO_TARGET_HINT: Final = "write project and tasks into one, or use pull --project P --out DIR"


def _get_file(header: Header) -> str:
    return header.document.locate_value(()).file


def _build_options(
    project: int, header: Header, options: AddOptions, redact: tuple[Path, ...]
) -> PullOptions:
    key = header.key
    if key is not None and any(are_nested(key, path) for path in redact):
        key = None
    return PullOptions(
        project,
        FilePath(),
        ids=options.ids,
        where=options.where,
        fields=options.fields,
        key=key,
        redact=redact,
    )


@dataclass(kw_only=True)
class _EntryReading(TaskReading):
    """Reads the tasks of one project, and makes entries of those that are not declared."""

    header: Header

    def __post_init__(self) -> None:
        super().__post_init__()
        self._kept: list[tuple[int, str | int | None, Entry, Mapping[str, Json]]] = []

    def list_names(self) -> set[str]:
        """Name the attributes that are read: those, too, that the file declares for all."""
        header = self.header
        shared = {*header.defaults, *header.replaced} | {path[0] for path in header.absent}
        return super().list_names() | shared

    def keep(self, task: int, live: Mapping[str, Json], picked: PulledTask) -> None:
        """Keep a task, with the live values that the file may declare for it."""
        declared: Entry = msgspec.json.decode(picked.declarable.text)
        shared = {
            name: live[name]
            for name in (*declared, *self.header.defaults, *self.header.replaced)
            if name in live
        }
        shared |= {path[0]: live[path[0]] for path in self.header.absent if path[0] in live}
        self._kept.append((task, picked.key, declared, shared))

    def read_entries(self) -> Iterator[Entry]:
        """Read all tasks, and yield the entries of those that can be added."""
        self.read_all()
        entries = list(self._build_entries())
        invalid = find_invalid_entries(
            self.header.document, [entry for _, entry in entries], self.attributes
        )
        for number, (task, entry) in enumerate(entries):
            problem = invalid.get(number)
            if problem is None:
                yield entry
            else:
                self.remarks.left_out.add(task, problem.path, problem.message)

    def _build_entries(self) -> Iterator[tuple[int, Entry]]:
        for task, key, declared, live in self._kept:
            try:
                yield task, self._build_entry(task, key, declared, live)
            except CannotEditError as error:
                self.remarks.left_out.add(task, "", str(error))

    def _build_entry(
        self, task: int, key: str | int | None, declared: Entry, live: Mapping[str, Json]
    ) -> Entry:
        header = self.header
        path = header.key
        entry: Entry = {"id": task, **declared}
        if path is not None and key is not None and not self.held_keys.is_shared(hash_key(key)):
            entry = {"key": key, **drop_paths(declared, (path,))}
        elif path is not None:
            reason = NO_KEY if key is None else SHARED_KEY
            self.remarks.by_id.add(task, format_path(path), reason)
        return complete_entry(
            header,
            task,
            entry,
            live=live,
            attributes=self.attributes,
            redact=self.options.redact,
        )
