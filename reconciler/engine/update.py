"""Bringing manifests to the live values: the plan, turned around."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import NamedTuple

from reconciler.contract.attributes import Attributes
from reconciler.core.model import Change
from reconciler.core.notation import STANDARD_INPUT, format_path
from reconciler.core.paths import Path
from reconciler.core.plan_model import Plan, Status, TaskPlan
from reconciler.engine.connection import Connection
from reconciler.engine.plan import build_plan
from reconciler.errors import Problem
from reconciler.manifest.declarations import Declaration
from reconciler.manifest.editing.entry_checks import find_invalid_entries
from reconciler.manifest.editing.file_edits import TaskEdit, edit_file
from reconciler.manifest.editing.live_entries import LiveEntries, LiveEntry
from reconciler.manifest.editing.splices import CannotEditError
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.replacement import replace_manifest
from reconciler.progress import NULL_PROGRESS, ProgressListener

_EDIT_IT = "edit it yourself"


class FileUpdate(NamedTuple):
    """The new content of one manifest, and the changes of the plan that it settles."""

    file: str
    before: bytes
    after: bytes
    changes: tuple[Change, ...]

    def format_diff(self) -> str:
        """Return the update as a unified diff; raises nothing: manifests are UTF-8."""
        before, after = (raw.decode().splitlines(keepends=True) for raw in self[1:3])
        lines = difflib.unified_diff(before, after, f"a/{self.file}", f"b/{self.file}")
        return "".join(_end_line(line) for line in lines)


@dataclass(frozen=True, slots=True)
class Update:
    """What an update of manifests changes, and what it leaves as it is, with the reasons."""

    files: tuple[FileUpdate, ...]
    left: tuple[Problem, ...]


def prepare_update(
    desired: DesiredIndex,
    connection: Connection,
    *,
    redact: tuple[Path, ...] = (),
    progress: ProgressListener = NULL_PROGRESS,
) -> Update:
    """Compare manifests with the server, and edit the text of what differs; writes nothing.

    ``desired`` must have been read from files; paths in ``redact`` are left as declared. Raises as
    `build_plan` does.
    """
    plan = build_plan(desired, connection, progress=progress)
    return edit_manifests(plan, desired, connection.attributes, redact=redact)


def edit_manifests(
    plan: Plan, desired: DesiredIndex, attributes: Attributes, *, redact: tuple[Path, ...] = ()
) -> Update:
    """Edit the text of manifests so that the changes of a plan have nothing left to do."""
    live = LiveEntries(attributes, redact)
    left = [problem for planned in plan.tasks for problem in _list_unplaced(planned)]
    left += [Problem(key.source, "", key.problem.message, "") for key in plan.unresolved]
    differing = [planned for planned in plan.tasks if planned.changes]
    for planned in differing:
        live.count_shared(planned, _read_declarations(desired, planned))
    for planned in differing:
        live.settle(planned, _read_declarations(desired, planned))
    entries = _drop_invalid(list(live.entries.values()), attributes, left)
    files = list(_edit_files(entries, _number_documents(desired), left))
    return Update(tuple(files), tuple(sorted({*left, *live.left})))


def write_update(update: Update) -> Update:
    """Write the files of an update; returns what was written and what was left."""
    written: list[FileUpdate] = []
    left = [*update.left]
    for file in update.files:
        reason = replace_manifest(file.file, file.after, expected=file.before)
        if reason:
            left += _leave(file.changes, reason, "run again when the file can be replaced")
        else:
            written.append(file)
    return Update(tuple(written), tuple(sorted(set(left))))


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


def _number_documents(desired: DesiredIndex) -> dict[int, tuple[str, int]]:
    """Map each document to its file and its number in it."""
    counted: dict[str, int] = {}
    numbers: dict[int, tuple[str, int]] = {}
    for document in desired.documents:
        file = document.locate_value(()).file
        numbers[id(document)] = file, counted.get(file, 0)
        counted[file] = counted.get(file, 0) + 1
    return numbers


def _edit_files(
    entries: Sequence[LiveEntry], numbers: dict[int, tuple[str, int]], left: list[Problem]
) -> Iterator[FileUpdate]:
    """Edit one file after the other, and add to ``left`` what cannot be edited."""
    by_file: dict[str, list[LiveEntry]] = {}
    for entry in entries:
        by_file.setdefault(numbers[id(entry.document)][0], []).append(entry)
    for file, own in by_file.items():
        edits = [
            TaskEdit(numbers[id(entry.document)][1], entry.position, entry.old, entry.new)
            for entry in own
        ]
        try:
            raw = _read_file(file)
            edited = edit_file(file, raw, edits)
        except CannotEditError as error:
            for entry in own:
                left += _leave(entry.changes, f"the file is left as it is: {error}", _EDIT_IT)
            continue
        failed = dict(_index_failed(edits, edited.failed))
        for number, entry in enumerate(own):
            if number in failed:
                left += _leave(entry.changes, failed[number], _EDIT_IT)
        changes = [c for n, entry in enumerate(own) if n not in failed for c in entry.changes]
        if edited.raw != raw:
            yield FileUpdate(file, raw, edited.raw, tuple(changes))


def _index_failed(
    edits: Sequence[TaskEdit], failed: Sequence[tuple[TaskEdit, str]]
) -> Iterator[tuple[int, str]]:
    for edit, reason in failed:
        yield next(number for number, one in enumerate(edits) if one is edit), reason


def _read_file(file: str) -> bytes:
    if file == STANDARD_INPUT:
        raise CannotEditError("standard input cannot be edited")
    try:
        return FilePath(file).read_bytes()
    except OSError as error:
        raise CannotEditError(f"cannot be read: {error.strerror}") from error


def _leave(changes: Sequence[Change], message: str, hint: str) -> list[Problem]:
    return [Problem(c.source, format_path(c.path), message, hint) for c in changes]


def _end_line(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
