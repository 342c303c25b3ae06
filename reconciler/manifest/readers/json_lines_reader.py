"""JSON lines to a document: the header on the first line, then a task a line.

The file is streamed: of a task no more is kept than where its line is, and a hash of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from reconciler.core.values import Json
from reconciler.errors import ManifestError, Problem, Source
from reconciler.manifest.readers.document import Diagnostics, Document, MarkedDocument
from reconciler.manifest.readers.lines import Line, LineFile
from reconciler.manifest.readers.source_map import Steps
from reconciler.manifest.readers.text_document import TextDocument, read_text
from reconciler.progress import NULL_PROGRESS, ProgressListener

_NOT_IN_HEADER: Final = (
    ("tasks", "the header of a .jsonl file holds no tasks", "write each on a line of its own"),
    ("id", "the first line is the header, and this is a task", 'begin with {"version": 1}'),
)


def read_json_lines(
    file: LineFile, diagnostics: Diagnostics, *, progress: ProgressListener = NULL_PROGRESS
) -> list[Document]:
    """Read the header, and leave the tasks to be streamed; empty lines are none."""
    lines = file.lines()
    first = next(lines, None)
    headers = read_text(first.text, diagnostics, start=(first.number, 1)) if first else []
    if not headers or not isinstance(headers[0].outline, dict):
        return [*headers]
    if _report_refused(headers[0], headers[0].outline, diagnostics):
        return []
    return [LinesDocument(headers[0], lines, file=file, diagnostics=diagnostics, progress=progress)]


class LinesDocument(TextDocument):
    """A document in the lines of a file: where each is, is all that is kept of them."""

    def __init__(
        self,
        header: MarkedDocument,
        lines: Iterator[Line],
        *,
        file: LineFile,
        diagnostics: Diagnostics,
        progress: ProgressListener,
    ) -> None:
        outline = header.outline
        whole: Json = {**outline, "tasks": []} if isinstance(outline, dict) else outline
        super().__init__(whole, diagnostics, progress)
        self._header = header
        self._lines = lines
        self._file = file

    def _texts(self) -> Iterator[bytes]:
        """Give the lines below the header, from the file that it was read from."""
        try:
            for line in self._lines:
                self._file.remember(line)
                yield line.text
        except OSError as error:
            at = Source(self._diagnostics.file, 1, 1)
            raise ManifestError((Problem(at, "", f"cannot be read: {error.strerror}"),)) from error
        if not self._file.steady:
            raise self._changed(1, "this file changed while it was read")

    def _has(self, index: int) -> bool:
        return 0 <= index < self._file.remembered

    def _start(self, index: int) -> tuple[int, int]:
        return self._file.number_of(index), 1

    def _text(self, index: int) -> bytes:
        line = self._file.reread(index)
        if line is None:
            number = self._file.number_of(index)
            raise self._changed(number, "this line is not what it was when it was checked")
        return line

    def _outer_sources(self, steps: Steps) -> tuple[Source, Source]:
        if steps == ("tasks",):
            # Nobody wrote the key of the list of tasks: it begins after the header.
            header = self._header.value_source(())
            after = Source(header.file, header.line + 1, 1)
            return after, after
        return self._header.key_source(steps), self._header.value_source(steps)

    def _changed(self, number: int, message: str) -> ManifestError:
        at = Source(self._diagnostics.file, number, 1)
        return ManifestError((Problem(at, "", message, "run it again when nobody writes to it"),))


def _report_refused(header: Document, keys: Mapping[str, Json], diagnostics: Diagnostics) -> bool:
    """Note a first line that is a task, or a whole manifest, in the place of the header."""
    for key, message, hint in _NOT_IN_HEADER:
        if key in keys:
            at = header.key_source((key,))
            diagnostics.add(at.line, at.column, message, hint=hint, steps=(key,))
            return True
    return False
