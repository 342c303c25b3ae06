"""Edits of whole files: new text for changed and added tasks, proved by reading it again."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Final, TypeAlias

from reconciler.core.values import is_same
from reconciler.manifest.editing.excerpts import Excerpt, cut_excerpt
from reconciler.manifest.editing.json_edits import JsonEdits
from reconciler.manifest.editing.json_nodes import read_json_nodes
from reconciler.manifest.editing.line_edits import edit_lines
from reconciler.manifest.editing.nodes import Node, Shape
from reconciler.manifest.editing.splices import CannotEditError, Splice, apply_splices
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
from reconciler.manifest.editing.yaml_edits import YamlEdits
from reconciler.manifest.editing.yaml_nodes import YamlDocument, read_yaml_nodes
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import Document, MappedDocument
from reconciler.manifest.readers.manifest_file import compute_digest, parse_documents

_Edited: TypeAlias = tuple[Sequence[Splice], Sequence[Failure]]

_PROOFS_MAX: Final = 60
"""How often a file is read again to find the changes that are not safe."""


def edit_file(
    file: str,
    raw: bytes,
    changes: Sequence[TaskChange],
    *,
    documents: Sequence[Document] = (),
) -> EditedFile:
    """Edit and add entries of a file of any format.

    ``documents`` are those of the file, as they were read before; they save reading it again. A
    change after which the new text would not declare exactly what it should is left out. Raises
    CannotEditError if the file is not the one that was read.
    """
    if file.lower().endswith(".jsonl"):
        return edit_lines(file, raw, changes)
    return _Proofs(_open(file, raw, changes, documents)).edit(changes)


@dataclass(frozen=True, slots=True)
class _Source:
    """A file as it is: its text, without a byte order mark, and what it declares."""

    file: str
    mark: bytes
    text: str
    documents: Sequence[Document]

    def edit(self, changes: Sequence[TaskChange]) -> EditedFile:
        """Make all changes; raises CannotEditError if that is not safe."""
        excerpt = self._cut(changes)
        found = None if excerpt is None else self._edit_excerpt(excerpt, changes)
        if found is None:
            splices, failed = _edit_text(self.file, self.text, self.documents, changes)
            found = apply_splices(self.text, splices), failed
        return EditedFile(self.mark + found[0].encode(), found[1])

    def _cut(self, changes: Sequence[TaskChange]) -> Excerpt | None:
        documents = [d for d in self.documents if isinstance(d, MappedDocument)]
        if self.file.lower().endswith(".json") or len(documents) < len(self.documents):
            return None
        return cut_excerpt(self.text, documents, _list_wanted(changes, self.documents))

    def _edit_excerpt(
        self, excerpt: Excerpt, changes: Sequence[TaskChange]
    ) -> tuple[str, Sequence[Failure]] | None:
        """Make the changes in an excerpt; None if it does not stand for the whole text."""
        text = excerpt.text
        try:
            documents = _read(self.file, text.encode())
        except CannotEditError:
            return None
        if not self._is_part(documents, excerpt):
            return None
        numbers = [dict(zip(kept, range(len(kept)), strict=True)) for kept in excerpt.kept]
        inner = [
            change._replace(position=numbers[change.document][change.position])
            if isinstance(change, TaskEdit)
            else change
            for change in changes
        ]
        outer = {id(own): change for own, change in zip(inner, changes, strict=True)}
        splices, failed = _edit_text(self.file, text, documents, inner)
        restored = excerpt.restore(splices)
        if restored is None:
            return None
        return restored, [(outer[id(change)], reason) for change, reason in failed]

    def _is_part(self, documents: Sequence[Document], excerpt: Excerpt) -> bool:
        """Tell whether an excerpt declares what the whole text does for the tasks that it has."""
        if len(documents) != len(self.documents):
            return False
        for whole, part, kept in zip(self.documents, documents, excerpt.kept, strict=True):
            found = [value for _, value, _ in part.read_tasks()]
            expected = map(whole.read_task, kept)
            if whole.outline != part.outline or len(found) != len(kept):
                return False
            if not all(map(is_same, found, expected)):
                return False
        return True


@dataclass(slots=True)
class _Proofs:
    """Finds the changes of a file that can be made together."""

    source: _Source
    failed: list[Failure] = field(default_factory=list)
    _left: int = _PROOFS_MAX

    def edit(self, changes: Sequence[TaskChange]) -> EditedFile:
        """Make all changes that are safe."""
        edited = self._try(changes)
        if isinstance(edited, str):
            safe = self._find_safe(changes, edited)
            last = self.source.edit(safe) if safe else EditedFile(self._get_raw(), ())
            return EditedFile(last.raw, (*last.failed, *self.failed))
        return edited

    def _get_raw(self) -> bytes:
        return self.source.mark + self.source.text.encode()

    def _try(self, changes: Sequence[TaskChange]) -> EditedFile | str:
        self._left -= 1
        try:
            return self.source.edit(changes)
        except CannotEditError as error:
            return str(error)

    def _find_safe(self, changes: Sequence[TaskChange], reason: str) -> list[TaskChange]:
        """Return those of changes, which are not safe together, that are."""
        if len(changes) == 1 or self._left <= 0:
            self.failed += [(change, reason) for change in changes]
            return []
        safe: list[TaskChange] = []
        middle = len(changes) // 2
        for half in (changes[:middle], changes[middle:]):
            edited = self._try(half)
            found = self._find_safe(half, edited) if isinstance(edited, str) else [*half]
            if safe and found and isinstance(together := self._try([*safe, *found]), str):
                self.failed += [(change, together) for change in found]
            else:
                safe += found
        return safe


def _open(
    file: str, raw: bytes, changes: Sequence[TaskChange], documents: Sequence[Document]
) -> _Source:
    mark = raw[: len(BOM_UTF8)] if raw.startswith(BOM_UTF8) else b""
    mapped = [d for d in documents if isinstance(d, MappedDocument) and d.digest]
    if not mapped or len(mapped) < len(documents):
        documents = _read(file, raw)
    elif any(document.digest != compute_digest(raw) for document in mapped):
        raise CannotEditError(CHANGED)
    _check_unchanged(documents, changes)
    return _Source(file, mark, raw.removeprefix(BOM_UTF8).decode(), documents)


def _read(file: str, raw: bytes) -> Sequence[Document]:
    diagnostics = Diagnostics(file)
    documents = parse_documents(file, raw, diagnostics)
    if diagnostics.problems:
        raise CannotEditError(f"{UNSAFE}: {diagnostics.problems[0].message}")
    return documents


def _check_unchanged(documents: Sequence[Document], changes: Sequence[TaskChange]) -> None:
    for change in changes:
        if isinstance(change, TaskAdditions):
            continue
        try:
            found = documents[change.document].read_task(change.position)
        except LookupError:
            found = None
        if not is_same(found, change.old):
            raise CannotEditError(CHANGED)


def _edit_text(
    file: str, text: str, before: Sequence[Document], changes: Sequence[TaskChange]
) -> _Edited:
    """Make changes in a text that declares ``before``, and prove them."""
    if file.lower().endswith(".json"):
        splices, failed = _edit_json(text, before, changes)
    else:
        splices, failed = _edit_yaml(text, before, changes)
    unplaced = {id(change) for change, _ in failed}
    done = [change for change in changes if id(change) not in unplaced]
    if done:
        new = apply_splices(text, splices)
        _check_result(before, _read(file, new.encode()), done)
    return splices, failed


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


def _list_wanted(
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
    documents = read_yaml_nodes(text, _list_wanted(changes, before))
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


_ALIASED: Final = "an alias repeats the whole list of tasks"


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
