"""Bringing manifests to the live values: the plan, turned around."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Final

from reconciler.contract.attributes import Attributes
from reconciler.core.model import Change
from reconciler.core.notation import STANDARD_INPUT, count_noun, format_path
from reconciler.core.paths import Path
from reconciler.core.plan_model import Plan, Status, TaskPlan
from reconciler.core.pull_result import Remark
from reconciler.engine.additions import Addition, Additions, AddOptions, find_additions
from reconciler.engine.connection import Connection
from reconciler.engine.load import FoundFiles, load_desired
from reconciler.engine.plan import build_plan
from reconciler.engine.project_lookup import choose_lookup
from reconciler.engine.settings.run_settings import Settings
from reconciler.errors import Problem, Source
from reconciler.manifest.declarations import Declaration
from reconciler.manifest.editing.entry_checks import find_invalid_entries
from reconciler.manifest.editing.file_edits import edit_file
from reconciler.manifest.editing.live_entries import LiveEntries, LiveEntry
from reconciler.manifest.editing.masks import mask_values
from reconciler.manifest.editing.splices import CannotEditError
from reconciler.manifest.editing.task_edits import TaskAdditions, TaskChange, TaskEdit
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.readers.document import Document
from reconciler.manifest.replacement import replace_manifest
from reconciler.progress import NULL_PROGRESS, ProgressListener

_EDIT_IT: Final = "edit it yourself"
_RUN_AGAIN: Final = "run again when the file can be replaced"


@dataclass(frozen=True, slots=True)
class FileUpdate:
    """The new content of one manifest: the changes of the plan that it settles, and added tasks.

    ``redact`` are the paths whose values no diff may show.
    """

    file: str
    before: bytes
    after: bytes
    changes: tuple[Change, ...]
    added: int = 0
    redact: tuple[Path, ...] = ()

    def format_diff(self) -> str:
        """Return the update as a unified diff; raises nothing: manifests are UTF-8."""
        before, after = (
            mask_values(self.file, raw, self.redact).splitlines(keepends=True)
            for raw in (self.before, self.after)
        )
        lines = difflib.unified_diff(before, after, f"a/{self.file}", f"b/{self.file}")
        return "".join(_end_line(line) for line in lines)


@dataclass(frozen=True, slots=True)
class Update:
    """What an update of manifests changes, and what it leaves as it is, with the reasons.

    ``undeclared`` are paths of added tasks that no manifest can declare, ``by_id`` added tasks
    without a key, and ``left_out`` tasks that cannot be added.
    """

    files: tuple[FileUpdate, ...]
    left: tuple[Problem, ...]
    undeclared: tuple[Remark, ...] = ()
    by_id: tuple[Remark, ...] = ()
    left_out: tuple[Remark, ...] = ()


def compare_files(
    files: FoundFiles,
    settings: Settings,
    connection: Connection,
    *,
    redact: tuple[Path, ...] = (),
    add: AddOptions | None = None,
    progress: ProgressListener = NULL_PROGRESS,
) -> Update:
    """Load manifests, and prepare their update: see `prepare_update`; raises ManifestError, too."""
    projects = choose_lookup(settings, connection)
    desired = load_desired(files, server=settings.server, projects=projects, progress=progress)
    if add is not None and isinstance(add.project, str):
        add = replace(add, project=projects(add.project))
    return prepare_update(desired, connection, redact=redact, add=add, progress=progress)


def prepare_update(
    desired: DesiredIndex,
    connection: Connection,
    *,
    redact: tuple[Path, ...] = (),
    add: AddOptions | None = None,
    progress: ProgressListener = NULL_PROGRESS,
) -> Update:
    """Compare manifests with the server, and edit the text of what differs; writes nothing.

    ``desired`` must have been read from files; paths in ``redact`` are left as declared. ``add``
    adds tasks that are not declared. Raises as `build_plan` and `find_additions` do.
    """
    plan = build_plan(desired, connection, progress=progress)
    additions = Additions()
    if add is not None:
        additions = find_additions(desired, connection, add, redact=redact, progress=progress)
    return edit_manifests(plan, desired, connection.attributes, redact=redact, additions=additions)


def edit_manifests(
    plan: Plan,
    desired: DesiredIndex,
    attributes: Attributes,
    *,
    redact: tuple[Path, ...] = (),
    additions: Additions = Additions(),  # noqa: B008 - it is frozen
) -> Update:
    """Edit the text of manifests so that the changes of a plan have nothing left to do."""
    live = LiveEntries(attributes, redact)
    left = [problem for planned in plan.tasks for problem in _list_unplaced(planned)]
    unresolved = ((key.source, key.problem) for key in plan.unresolved)
    left += [Problem(source, "", problem.message, problem.hint) for source, problem in unresolved]
    differing = [planned for planned in plan.tasks if planned.changes]
    for planned in differing:
        live.count_shared(planned, _read_declarations(desired, planned))
    for planned in differing:
        live.settle(planned, _read_declarations(desired, planned))
    entries = _drop_invalid(list(live.entries.values()), attributes, left)
    work = _FileEdits(entries, additions.added, left)
    files = [replace(file, redact=redact) for file in work.edit_files(desired)]
    return Update(
        tuple(files),
        tuple(sorted({*left, *live.left})),
        additions.undeclared,
        additions.by_id,
        additions.left_out,
    )


def write_update(update: Update) -> Update:
    """Write the files of an update; returns what was written and what was left."""
    written: list[FileUpdate] = []
    left = [*update.left]
    for file in update.files:
        reason = replace_manifest(file.file, file.after, expected=file.before)
        if reason:
            left += _leave(file.changes, reason, _RUN_AGAIN)
            left += _leave_added(file.file, file.added, reason, _RUN_AGAIN)
        else:
            written.append(file)
    return replace(update, files=tuple(written), left=tuple(sorted(set(left))))


def _read_declarations(desired: DesiredIndex, planned: TaskPlan) -> list[Declaration]:
    keys = () if planned.key is None else (planned.key,)
    return desired.read_declarations(planned.task, keys, planned.project)


def _list_unplaced(planned: TaskPlan) -> Iterator[Problem]:
    """List why a task has no live values to write; guards of changes do not matter here."""
    if planned.changes or planned.status in {Status.UNCHANGED, Status.UPDATE}:
        return
    for problem in planned.problems:
        if not problem.is_warning:
            message = f"task {planned.task}: {problem.message}"
            yield Problem(planned.source, "", message, problem.hint)


def _drop_invalid(
    entries: Sequence[LiveEntry], attributes: Attributes, left: list[Problem]
) -> list[LiveEntry]:
    """Leave out the entries that no manifest may have."""
    grouped: dict[int, list[LiveEntry]] = {}
    for entry in entries:
        grouped.setdefault(id(entry.document), []).append(entry)
    kept: list[LiveEntry] = []
    for group in grouped.values():
        document = group[0].document
        invalid = find_invalid_entries(document, [entry.new for entry in group], attributes)
        for number, entry in enumerate(group):
            problem = invalid.get(number)
            if problem is None:
                kept.append(entry)
            else:
                reason = f"no manifest can declare the live value: {problem.message}"
                left += _leave(entry.changes, reason, problem.hint)
    return kept


class _FileEdits:
    """The edits of all files; what cannot be done is added to ``left``."""

    def __init__(
        self, entries: Sequence[LiveEntry], added: Sequence[Addition], left: list[Problem]
    ) -> None:
        self._entries: dict[int, list[LiveEntry]] = {}
        for entry in entries:
            self._entries.setdefault(id(entry.document), []).append(entry)
        self._added = {id(addition.document): addition.entries for addition in added}
        self._left = left

    def edit_files(self, desired: DesiredIndex) -> Iterator[FileUpdate]:
        """Edit one file after the other."""
        grouped: dict[str, list[Document]] = {}
        for document in desired.documents:
            grouped.setdefault(document.locate_value(()).file, []).append(document)
        for file, documents in grouped.items():
            changes = list(self._list_changes(documents))
            if changes:
                yield from self._edit_file(file, documents, changes)

    def _list_changes(
        self, documents: Sequence[Document]
    ) -> Iterator[tuple[TaskChange, tuple[Change, ...]]]:
        """List what is to be done in a file, each with the changes of the plan that it settles."""
        for number, document in enumerate(documents):
            for entry in self._entries.get(id(document), ()):
                yield TaskEdit(number, entry.position, entry.old, entry.new), entry.changes
            if added := self._added.get(id(document)):
                yield TaskAdditions(number, added), ()

    def _edit_file(
        self,
        file: str,
        documents: Sequence[Document],
        changes: Sequence[tuple[TaskChange, tuple[Change, ...]]],
    ) -> Iterator[FileUpdate]:
        settled: Mapping[int, tuple[Change, ...]] = {id(made): its for made, its in changes}
        wanted = [made for made, _ in changes]
        try:
            raw = _read_file(file)
            edited = edit_file(file, raw, wanted, documents=documents)
        except CannotEditError as error:
            for made in wanted:
                self._leave(file, made, settled[id(made)], f"the file is left as it is: {error}")
            return
        failed = {id(made) for made, _ in edited.failed}
        for made, reason in edited.failed:
            self._leave(file, made, settled[id(made)], reason)
        if edited.raw != raw:
            done = [made for made in wanted if id(made) not in failed]
            yield FileUpdate(
                file,
                raw,
                edited.raw,
                tuple(change for made in done for change in settled[id(made)]),
                sum(len(made.entries) for made in done if isinstance(made, TaskAdditions)),
            )

    def _leave(self, file: str, made: TaskChange, changes: Sequence[Change], reason: str) -> None:
        self._left += _leave(changes, reason, _EDIT_IT)
        if isinstance(made, TaskAdditions):
            self._left += _leave_added(file, len(made.entries), reason, _ADD_THEM)


_ADD_THEM: Final = "pull them into a file of their own, with --out"


def _read_file(file: str) -> bytes:
    if file == STANDARD_INPUT:
        raise CannotEditError("standard input cannot be edited")
    try:
        return FilePath(file).read_bytes()
    except OSError as error:
        raise CannotEditError(f"cannot be read: {error.strerror}") from error


def _leave(changes: Sequence[Change], message: str, hint: str) -> list[Problem]:
    return [Problem(c.source, format_path(c.path), message, hint) for c in changes]


def _leave_added(file: str, count: int, reason: str, hint: str) -> list[Problem]:
    if not count:
        return []
    return [Problem(Source(file), "", f"{count_noun(count, 'task')} not added: {reason}", hint)]


def _end_line(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
