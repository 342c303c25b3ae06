"""Edits of files of JSON lines; only the changed lines are read, each by itself."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Sequence

from reconciler.core.encoding import encode
from reconciler.core.values import Json, is_same
from reconciler.manifest.editing.json_edits import JsonEdits
from reconciler.manifest.editing.json_nodes import read_json_nodes
from reconciler.manifest.editing.splices import CannotEditError, apply_splices
from reconciler.manifest.editing.task_edits import (
    CHANGED,
    UNSAFE,
    EditedFile,
    Failure,
    TaskAdditions,
    TaskChange,
    TaskEdit,
    edit_task,
)
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.json_parser import parse_bytes


def edit_lines(file: str, raw: bytes, changes: Sequence[TaskChange]) -> EditedFile:
    """Edit and add lines; raises CannotEditError if the file is not the one that was read."""
    wanted = {change.position: change for change in changes if isinstance(change, TaskEdit)}
    failed: list[Failure] = []
    lines = raw.split(b"\n")
    index = -2
    for number, line in enumerate(lines):
        mark = BOM_UTF8 if number == 0 and line.startswith(BOM_UTF8) else b""
        is_filled = bool(line.removeprefix(mark).strip(b" \t\r"))
        index += is_filled
        edit = wanted.pop(index, None) if is_filled else None
        if edit is not None:
            lines[number] = _edit_line(file, line, edit, failed)
    if wanted:
        raise CannotEditError(CHANGED)
    for change in changes:
        if isinstance(change, TaskAdditions):
            _add_lines(file, lines, change, failed)
    return EditedFile(b"\n".join(lines), failed)


def _edit_line(file: str, line: bytes, edit: TaskEdit, failed: list[Failure]) -> bytes:
    if not is_same(_read_line(file, line), edit.old):
        raise CannotEditError(CHANGED)
    text = line.decode()
    collected = JsonEdits(text)
    reason = edit_task(collected, read_json_nodes(text), edit)
    if not reason:
        written = apply_splices(text, collected.splices).encode()
        if b"\n" not in written and is_same(_read_line(file, written), edit.new):
            return written
        reason = UNSAFE
    failed.append((edit, reason))
    return line


def _add_lines(
    file: str, lines: list[bytes], additions: TaskAdditions, failed: list[Failure]
) -> None:
    """Add lines behind the last one that is not empty, with the spaces that it has."""
    last = max(number for number, line in enumerate(lines) if line.strip(b" \t\r"))
    is_spaced = b'": ' in lines[last]
    ended = b"\r" if lines[0].endswith(b"\r") else b""
    added: list[bytes] = []
    for entry in additions.entries:
        spaced = json.dumps(entry, ensure_ascii=False).encode() if is_spaced else encode(entry)
        if b"\n" in spaced or not is_same(_read_line(file, spaced), entry):
            failed.append((additions, UNSAFE))
            return
        added.append(spaced + ended)
    if last + 1 == len(lines) and ended:
        lines[last] += ended
        added[-1] = added[-1].removesuffix(ended)
    lines[last + 1 : last + 1] = added


def _read_line(file: str, line: bytes) -> Json:
    diagnostics = Diagnostics(file)
    documents = parse_bytes(line, diagnostics, start=(1, 1))
    return documents[0].assemble() if documents and not diagnostics.problems else None
