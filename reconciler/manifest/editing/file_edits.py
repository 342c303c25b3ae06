"""Edits of whole files: new text for changed and added tasks, proved by reading it again."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.core.values import is_same
from reconciler.manifest.editing.excerpts import Excerpt, cut_excerpt
from reconciler.manifest.editing.line_edits import edit_lines
from reconciler.manifest.editing.splices import CannotEditError, apply_splices
from reconciler.manifest.editing.task_edits import (
    CHANGED,
    EditedFile,
    Failure,
    TaskAdditions,
    TaskChange,
    TaskEdit,
)
from reconciler.manifest.editing.text_edits import edit_text, list_wanted, read_documents
from reconciler.manifest.readers.document import Document, MappedDocument
from reconciler.manifest.readers.manifest_file import compute_digest

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
            splices, failed = edit_text(self.file, self.text, self.documents, changes)
            found = apply_splices(self.text, splices), failed
        return EditedFile(self.mark + found[0].encode(), found[1])

    def _cut(self, changes: Sequence[TaskChange]) -> Excerpt | None:
        documents = [d for d in self.documents if isinstance(d, MappedDocument)]
        if self.file.lower().endswith(".json") or len(documents) < len(self.documents):
            return None
        return cut_excerpt(self.text, documents, list_wanted(changes, self.documents))

    def _edit_excerpt(
        self, excerpt: Excerpt, changes: Sequence[TaskChange]
    ) -> tuple[str, Sequence[Failure]] | None:
        """Make the changes in an excerpt; None if it does not stand for the whole text."""
        text = excerpt.text
        try:
            documents = read_documents(self.file, text.encode())
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
        splices, failed = edit_text(self.file, text, documents, inner)
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
        documents = read_documents(file, raw)
    elif any(document.digest != compute_digest(raw) for document in mapped):
        raise CannotEditError(CHANGED)
    _check_unchanged(documents, changes)
    return _Source(file, mark, raw.removeprefix(BOM_UTF8).decode(), documents)


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
