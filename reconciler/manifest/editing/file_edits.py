"""Edits of whole files: new text for changed tasks, proved by reading it again."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from reconciler.core.values import Json, is_same
from reconciler.manifest.editing.json_edits import JsonEdits
from reconciler.manifest.editing.json_nodes import read_json_nodes
from reconciler.manifest.editing.nodes import Node
from reconciler.manifest.editing.splices import CannotEditError, apply_splices
from reconciler.manifest.editing.value_edits import WHOLE, ValueEdits
from reconciler.manifest.editing.yaml_edits import YamlEdits
from reconciler.manifest.editing.yaml_nodes import YamlDocument, read_yaml_nodes
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import Document
from reconciler.manifest.readers.json_parser import parse_bytes
from reconciler.manifest.readers.manifest_file import parse_documents


class TaskEdit(NamedTuple):
    """An entry of ``tasks``, by the numbers of document and entry, as it is and as it must be."""

    document: int
    position: int
    old: dict[str, Json]
    new: dict[str, Json]


class EditedFile(NamedTuple):
    """The new bytes of a file, and the entries that could not be edited, each with the reason."""

    raw: bytes
    failed: Sequence[tuple[TaskEdit, str]]


_CHANGED = "the file changed while the command ran"
_UNSAFE = "the edited text would not declare what it should"


def edit_file(file: str, raw: bytes, edits: Sequence[TaskEdit]) -> EditedFile:
    """Edit the entries of a file of any format.

    Raises CannotEditError if the file is not the one that was read, or if the new text would not
    declare exactly what it should.
    """
    name = file.lower()
    if name.endswith(".jsonl"):
        return _edit_lines(file, raw, edits)
    mark = raw[: len(BOM_UTF8)] if raw.startswith(BOM_UTF8) else b""
    text = raw.removeprefix(BOM_UTF8).decode()
    before = _read(file, raw)
    _check_unchanged(before, edits)
    if name.endswith(".json"):
        written, failed = _edit_json(text, before, edits)
    else:
        written, failed = _edit_yaml(text, edits)
    new = mark + written.encode()
    unplaced = {(edit.document, edit.position) for edit, _ in failed}
    done = [edit for edit in edits if (edit.document, edit.position) not in unplaced]
    if done:
        _check_result(before, _read(file, new), done)
    return EditedFile(new, failed)


def _read(file: str, raw: bytes) -> Sequence[Document]:
    diagnostics = Diagnostics(file)
    documents = parse_documents(file, raw, diagnostics)
    if diagnostics.problems:
        raise CannotEditError(f"{_UNSAFE}: {diagnostics.problems[0].message}")
    return documents


def _check_unchanged(documents: Sequence[Document], edits: Sequence[TaskEdit]) -> None:
    for edit in edits:
        try:
            found = documents[edit.document].read_task(edit.position)
        except LookupError:
            found = None
        if not is_same(found, edit.old):
            raise CannotEditError(_CHANGED)


def _check_result(
    before: Sequence[Document], after: Sequence[Document], edits: Sequence[TaskEdit]
) -> None:
    """Check that edited tasks are as they must be, and that nothing else changed."""
    intended = {(edit.document, edit.position): edit.new for edit in edits}
    if len(before) != len(after):
        raise CannotEditError(_UNSAFE)
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        if old.outline != new.outline:
            raise CannotEditError(_UNSAFE)
        for was, now in zip_longest(old.read_tasks(), new.read_tasks()):
            if was is None or now is None:
                raise CannotEditError(_UNSAFE)
            want = intended.get((number, was[0]))
            if was[2] != now[2] if want is None else not is_same(now[1], want):
                raise CannotEditError(_UNSAFE)


def _edit_yaml(text: str, edits: Sequence[TaskEdit]) -> tuple[str, list[tuple[TaskEdit, str]]]:
    wanted: dict[int, set[int]] = {}
    for edit in edits:
        wanted.setdefault(edit.document, set()).add(edit.position)
    documents = read_yaml_nodes(text, wanted)
    collected = YamlEdits(text)
    failed: list[tuple[TaskEdit, str]] = []
    for number, document in enumerate(documents):
        collected.touched.clear()
        own = [edit for edit in edits if edit.document == number]
        failed += _edit_document(collected, document, own)
    return apply_splices(text, collected.splices), failed


def _edit_document(
    collected: YamlEdits, document: YamlDocument, edits: Sequence[TaskEdit]
) -> list[tuple[TaskEdit, str]]:
    failed: list[tuple[TaskEdit, str]] = []
    for edit in edits:
        node = document.tasks.get(edit.position)
        if node is None:
            failed.append((edit, "an alias repeats the whole list of tasks"))
            continue
        known = len(collected.touched)
        reason = _edit_task(collected, node, edit)
        if reason:
            del collected.touched[known:]
            failed.append((edit, reason))
    collected.keep_anchors(document)
    return failed


def _edit_task(collected: ValueEdits, node: Node, edit: TaskEdit) -> str:
    """Edit one task; return why that is impossible, or nothing."""
    known = len(collected.splices)
    try:
        collected.edit(node, edit.old, edit.new, WHOLE)
    except CannotEditError as error:
        del collected.splices[known:]
        return str(error)
    return ""


def _edit_json(
    text: str, documents: Sequence[Document], edits: Sequence[TaskEdit]
) -> tuple[str, list[tuple[TaskEdit, str]]]:
    lines = [0, *(found.end() for found in re.finditer("\n", text))]
    collected = JsonEdits(text)
    failed: list[tuple[TaskEdit, str]] = []
    for edit in edits:
        at = documents[edit.document].locate_value(("tasks", edit.position))
        node = read_json_nodes(text, lines[at.line - 1] + at.column - 1)
        reason = _edit_task(collected, node, edit)
        if reason:
            failed.append((edit, reason))
    return apply_splices(text, collected.splices), failed


def _edit_lines(file: str, raw: bytes, edits: Sequence[TaskEdit]) -> EditedFile:
    """Edit a file of JSON lines; only the changed lines are read."""
    wanted = {edit.position: edit for edit in edits}
    failed: list[tuple[TaskEdit, str]] = []
    parts: list[bytes] = []
    index = -2
    for number, line in enumerate(raw.split(b"\n")):
        mark = BOM_UTF8 if number == 0 and line.startswith(BOM_UTF8) else b""
        index += bool(line.removeprefix(mark).strip(b" \t\r"))
        edit = wanted.pop(index, None) if line.strip(b" \t\r") else None
        parts.append(line if edit is None else _edit_line(file, line, edit, failed))
    if wanted:
        raise CannotEditError(_CHANGED)
    return EditedFile(b"\n".join(parts), failed)


def _edit_line(file: str, line: bytes, edit: TaskEdit, failed: list[tuple[TaskEdit, str]]) -> bytes:
    if not is_same(_read_line(file, line), edit.old):
        raise CannotEditError(_CHANGED)
    text = line.decode()
    collected = JsonEdits(text)
    reason = _edit_task(collected, read_json_nodes(text), edit)
    if reason:
        failed.append((edit, reason))
        return line
    written = apply_splices(text, collected.splices).encode()
    if b"\n" in written or not is_same(_read_line(file, written), edit.new):
        raise CannotEditError(_UNSAFE)
    return written


def _read_line(file: str, line: bytes) -> Json:
    diagnostics = Diagnostics(file)
    documents = parse_bytes(line, diagnostics, start=(1, 1))
    return documents[0].assemble() if documents and not diagnostics.problems else None
