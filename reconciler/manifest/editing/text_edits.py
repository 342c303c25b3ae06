"""Edits of the text of a manifest in YAML or JSON, proved by reading the new text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Final, TypeAlias

from reconciler.core.values import is_same
from reconciler.manifest.editing.json_edits import JsonEdits
from reconciler.manifest.editing.json_nodes import read_json_nodes
from reconciler.manifest.editing.nodes import Node, Shape
from reconciler.manifest.editing.splices import CannotEditError, Splice, apply_splices
from reconciler.manifest.editing.task_edits import (
    UNSAFE,
    Failure,
    TaskAdditions,
    TaskChange,
    TaskEdit,
    edit_task,
)
from reconciler.manifest.editing.yaml_edits import YamlEdits
from reconciler.manifest.editing.yaml_nodes import YamlDocument, read_yaml_nodes
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import Document, MappedDocument
from reconciler.manifest.readers.manifest_file import parse_documents

_Edited: TypeAlias = tuple[Sequence[Splice], Sequence[Failure]]

_ALIASED: Final = "an alias repeats the whole list of tasks"


def edit_text(
    file: str, text: str, before: Sequence[Document], changes: Sequence[TaskChange]
) -> _Edited:
    """Make changes in a text that declares ``before``, and prove them.

    Returns the splices, and the changes that could not be made. Raises CannotEditError if the new
    text would not declare exactly what it should.
    """
    if file.lower().endswith(".json"):
        splices, failed = _edit_json(text, before, changes)
    else:
        splices, failed = _edit_yaml(text, before, changes)
    unplaced = {id(change) for change, _ in failed}
    done = [change for change in changes if id(change) not in unplaced]
    if done:
        new = apply_splices(text, splices)
        _check_result(before, read_documents(file, new.encode()), done)
    return splices, failed


def read_documents(file: str, raw: bytes) -> Sequence[Document]:
    """Read the text of a manifest; raises CannotEditError if it has problems."""
    diagnostics = Diagnostics(file)
    documents = parse_documents(file, raw, diagnostics)
    if diagnostics.problems:
        raise CannotEditError(f"{UNSAFE}: {diagnostics.problems[0].message}")
    return documents


def _check_result(
    before: Sequence[Document], after: Sequence[Document], changes: Sequence[TaskChange]
) -> None:
    """Check that edited and added tasks are as they must be, and that nothing else changed."""
    edits = [change for change in changes if isinstance(change, TaskEdit)]
    intended = {(edit.document, edit.position): edit.new for edit in edits}
    added = {a.document: a.entries for a in changes if isinstance(a, TaskAdditions)}
    if len(before) != len(after):
        raise CannotEditError(UNSAFE)
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        if old.outline != new.outline:
            raise CannotEditError(UNSAFE)
        extra = iter(added.get(number, ()))
        for was, now in zip_longest(old.read_tasks(), new.read_tasks()):
            want = next(extra, None) if was is None else intended.get((number, was[0]))
            if now is None or (was is None and want is None):
                raise CannotEditError(UNSAFE)
            is_right = now[2] == was[2] if was and want is None else is_same(now[1], want)
            if not is_right:
                raise CannotEditError(UNSAFE)
        if next(extra, None) is not None:
            raise CannotEditError(UNSAFE)


def list_wanted(
    changes: Sequence[TaskChange], documents: Sequence[Document]
) -> dict[int, set[int]]:
    """List the tasks whose text matters, by document: for added ones, the last."""
    wanted: dict[int, set[int]] = {}
    for change in changes:
        own = wanted.setdefault(change.document, set())
        if isinstance(change, TaskEdit):
            own.add(change.position)
        else:
            own |= {_count_tasks(documents[change.document]) - 1} - {-1}
    return wanted


def _count_tasks(document: Document) -> int:
    if isinstance(document, MappedDocument):
        return document.count_tasks()
    return sum(1 for _ in document.read_tasks())


def _edit_yaml(text: str, before: Sequence[Document], changes: Sequence[TaskChange]) -> _Edited:
    documents = read_yaml_nodes(text, list_wanted(changes, before))
    collected = YamlEdits(text)
    own: list[list[TaskChange]] = [[] for _ in documents]
    for change in changes:
        own[change.document].append(change)
    failed = list(
        chain.from_iterable(
            _edit_document(collected, document, its)
            for document, its in zip(documents, own, strict=True)
        )
    )
    return collected.splices, failed


def _edit_document(
    collected: YamlEdits, document: YamlDocument, changes: Sequence[TaskChange]
) -> list[Failure]:
    failed: list[Failure] = []
    collected.touched.clear()
    for change in changes:
        known = len(collected.touched)
        if isinstance(change, TaskAdditions):
            reason = _append_to_yaml(collected, document, change)
        else:
            node = document.tasks.get(change.position)
            reason = _ALIASED if node is None else edit_task(collected, node, change)
        if reason:
            del collected.touched[known:]
            failed.append((change, reason))
    collected.keep_anchors(document)
    return failed


def _append_to_yaml(collected: YamlEdits, document: YamlDocument, additions: TaskAdditions) -> str:
    if document.listing is None:
        return _ALIASED
    collected.append(document.listing, additions.entries)
    return ""


def _edit_json(text: str, documents: Sequence[Document], changes: Sequence[TaskChange]) -> _Edited:
    lines = [0, *(found.end() for found in re.finditer("\n", text))]
    collected = JsonEdits(text)
    failed: list[Failure] = []
    for change in changes:
        document = documents[change.document]
        if isinstance(change, TaskAdditions):
            collected.append(_find_json_list(text, document, lines), change.entries)
            continue
        node = read_json_nodes(text, _find_task(document, change.position, lines))
        reason = edit_task(collected, node, change)
        if reason:
            failed.append((change, reason))
    return collected.splices, failed


def _find_task(document: Document, position: int, lines: Sequence[int]) -> int:
    at = document.locate_value(("tasks", position))
    return lines[at.line - 1] + at.column - 1


def _find_json_list(text: str, document: Document, lines: Sequence[int]) -> Node:
    """Find the list of tasks, with the last task as its only child."""
    at = document.locate_value(("tasks",))
    start = lines[at.line - 1] + at.column - 1
    count = _count_tasks(document)
    if not count:
        return read_json_nodes(text, start)
    last = read_json_nodes(text, _find_task(document, count - 1, lines))
    return Node(Shape.LIST, start, start, last.end, is_flow=True, children=[last])
