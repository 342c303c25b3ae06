"""A JSON document with a list of tasks, cut into the texts of its tasks.

If that is not safe, the parser reads the whole document, which takes a hundred times as long.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final

import msgspec

from reconciler.errors import Source
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import Document, MappedDocument
from reconciler.manifest.readers.json_parser import parse_json
from reconciler.manifest.readers.json_text import skip_space
from reconciler.manifest.readers.source_map import Steps
from reconciler.manifest.readers.text_document import TextDocument
from reconciler.progress import NULL_PROGRESS, ProgressListener

_LIST_OF_TASKS: Final = re.compile(rb'"tasks"[ \t\r\n]*:[ \t\r\n]*\[')


class _Tasks(msgspec.Struct):
    """The text of each task; everything else is skipped."""

    tasks: list[msgspec.Raw]


_SKIM: Final = msgspec.json.Decoder(_Tasks).decode


def read_json(
    text: bytes, diagnostics: Diagnostics, *, progress: ProgressListener = NULL_PROGRESS
) -> Sequence[Document]:
    """Read one UTF-8 document without a byte order mark."""
    cut = _cut_tasks(text, diagnostics, progress)
    return [cut] if cut else parse_json(text.decode(), diagnostics, progress=progress)


class CutDocument(TextDocument):
    """A document in one text; ``bounds`` are the offsets at which each task begins and ends.

    ``header`` is the document with its tasks cut out.
    """

    def __init__(
        self,
        text: bytes,
        bounds: array[int],
        header: MappedDocument,
        *,
        diagnostics: Diagnostics,
        progress: ProgressListener,
    ) -> None:
        super().__init__(header, diagnostics, progress)
        self._whole = text
        self._bounds = bounds

    def _iterate_texts(self) -> Iterator[bytes]:
        return map(self._get_text, range(len(self._bounds) // 2))

    def _has_task(self, index: int) -> bool:
        return 0 <= index < len(self._bounds) // 2

    def _get_text(self, index: int) -> bytes:
        return self._whole[self._bounds[2 * index] : self._bounds[2 * index + 1]]

    def _get_start(self, index: int) -> tuple[int, int]:
        lines, columns = self._starts
        return lines[index], columns[index]

    def _locate_outside(self, steps: Steps) -> tuple[Source, Source]:
        key, value = super()._locate_outside(steps)
        return self._shift(key), self._shift(value)

    def _shift(self, source: Source) -> Source:
        """Convert a place in the document without tasks to one in the whole document."""
        cut_line, cut_column = self._cut_at
        if (source.line, source.column) < (cut_line, cut_column):
            return source
        lines, columns = self._starts
        further = columns[-1] - cut_column if source.line == cut_line else 0
        return Source(source.file, source.line + lines[-1] - cut_line, source.column + further)

    @cached_property
    def _cut_at(self) -> tuple[int, int]:
        """The line and column after the opening bracket of the list of tasks."""
        value = self._header.locate_value(("tasks",))
        return value.line, value.column + 1

    @cached_property
    def _starts(self) -> tuple[array[int], array[int]]:
        """The lines and columns at which each task begins, and at which their list ends."""
        lines, columns = array("Q"), array("Q")
        line, column, before = 1, 1, 0
        end = skip_space(self._whole, self._bounds[-1])
        for offset in (*self._bounds[::2], end):
            *passed, last = self._whole[before:offset].rsplit(b"\n", 1)
            line += passed[0].count(b"\n") + 1 if passed else 0
            column = len(last.decode()) + (1 if passed else column)
            lines.append(line)
            columns.append(column)
            before = offset
        return lines, columns


def _cut_tasks(
    text: bytes, diagnostics: Diagnostics, progress: ProgressListener
) -> CutDocument | None:
    """Cut a document into its tasks; None if it has none, or has anything unusual around them."""
    try:
        tasks = _SKIM(text).tasks
    except (ValueError, RecursionError):
        return None
    for found in _LIST_OF_TASKS.finditer(text) if tasks else ():
        bounds = _find_bounds(text, found.end(), tasks)
        if bounds:
            end = skip_space(text, bounds[-1])
            header = _read_header(text[: found.end()] + text[end:], diagnostics.file)
            if header is None:
                return None
            return CutDocument(text, bounds, header, diagnostics=diagnostics, progress=progress)
    return None


def _find_bounds(text: bytes, offset: int, tasks: Sequence[msgspec.Raw]) -> array[int] | None:
    """Find where the tasks of a list begin and end; None if the list holds anything else."""
    bounds = array("Q")
    for left, task in zip(range(len(tasks), 0, -1), tasks, strict=True):
        start = skip_space(text, offset)
        end = start + len(memoryview(task))
        following = skip_space(text, end)
        is_it = text.startswith(bytes(task), start)
        if not is_it or text[following : following + 1] != (b"," if left > 1 else b"]"):
            return None
        bounds.extend((start, end))
        offset = following + 1
    return bounds


def _read_header(text: bytes, file: str) -> MappedDocument | None:
    """Read a document whose tasks have been cut out; None if it has a problem.

    If it still has a list of tasks, the wrong one was cut out: the key is duplicate, or belongs to
    another object.
    """
    diagnostics = Diagnostics(file)
    documents = parse_json(text.decode(), diagnostics)
    outline = documents[0].assemble() if documents and not diagnostics.problems else None
    is_empty = isinstance(outline, dict) and outline.get("tasks") == []
    return documents[0] if is_empty else None
