"""JSON lines to a document: the header on the first line, then one task per line.

The file is streamed: of each task only the place of its line and a hash are kept.
"""

from __future__ import annotations

import os
from array import array
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

from reconciler.core.values import Json
from reconciler.errors import ManifestError, Problem, Source
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import Document, MappedDocument
from reconciler.manifest.readers.json_parser import parse_bytes
from reconciler.manifest.readers.source_map import Steps
from reconciler.manifest.readers.text_document import TextDocument
from reconciler.progress import NULL_PROGRESS, ProgressListener

BLOCK: Final = 16_384
"""Bytes per read when lines are read again."""

_BUFFER: Final = 1 << 16
"""Bytes per read when all lines are read: they may be long."""

_NOT_IN_HEADER: Final = (
    (
        "tasks",
        "tasks inside the header of a .jsonl file",
        "write each task on its own line below the header",
    ),
    (
        "id",
        "expected the header on the first line, found a task",
        'write {"version": 1} on a line above',
    ),
)


def read_jsonl(
    file: LineFile, diagnostics: Diagnostics, *, progress: ProgressListener = NULL_PROGRESS
) -> list[Document]:
    """Read the header, and leave the tasks to be streamed; empty lines are skipped."""
    lines = file.read_lines()
    first = next(lines, None)
    headers = parse_bytes(first.text, diagnostics, start=(first.number, 1)) if first else []
    if not headers or not isinstance(headers[0].outline, dict):
        return [*headers]
    if _report_refused(headers[0], headers[0].outline, diagnostics):
        return []
    return [LinesDocument(headers[0], lines, file=file, diagnostics=diagnostics, progress=progress)]


class Line(NamedTuple):
    """A line with text: its number from 1, its text without line end, its offset in bytes."""

    number: int
    text: bytes
    offset: int = 0


class LineFile:
    """A file of lines, which remembers the places and hashes of lines in 28 bytes each.

    Several threads may read lines again at once.
    """

    def __init__(self, path: Path, contents: bytes | None = None) -> None:
        """Take a file, or ``contents`` that it had at another time."""
        self._path = path
        self._contents = contents
        self._numbers = array("Q")
        self._offsets = array("Q")
        self._lengths = array("I")
        self._hashes = array("q")
        self._block = 0, b""
        self.is_steady = False

    def read_lines(self) -> Iterator[Line]:
        """Read all lines except empty ones; raises OSError.

        ``is_steady`` tells afterwards whether the file stayed the same meanwhile.
        """
        if self._contents is not None:
            yield from _iterate_lines(BytesIO(self._contents))
            self.is_steady = True
            return
        with self._path.open("rb", buffering=_BUFFER) as file:
            before = os.fstat(file.fileno())
            yield from _iterate_lines(file)
            after = os.fstat(file.fileno())
            read = file.tell()
            self.is_steady = (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, read)

    @property
    def count(self) -> int:
        """How many lines are remembered; their indices count from 0."""
        return len(self._offsets)

    def remember(self, line: Line) -> None:
        """Remember the place and the hash of a line."""
        self._numbers.append(line.number)
        self._offsets.append(line.offset)
        self._lengths.append(len(line.text))
        self._hashes.append(hash(line.text))

    def get_number(self, index: int) -> int:
        """Return the number of a remembered line."""
        return self._numbers[index]

    def reread(self, index: int) -> bytes | None:
        """Read a remembered line again; return None if it has changed."""
        offset, length = self._offsets[index], self._lengths[index]
        if self._contents is not None:
            return self._contents[offset : offset + length]
        begins, block = self._block
        if not begins <= offset <= begins + len(block) - length:
            # The next line asked for mostly follows closely.
            try:
                begins, block = offset, _read_at(self._path, offset, max(length, BLOCK))
            except OSError:
                return None
            self._block = begins, block
        start = offset - begins
        text = block[start : start + length]
        return text if hash(text) == self._hashes[index] else None


def _iterate_lines(file: Iterable[bytes]) -> Iterator[Line]:
    """Yield all lines except empty ones."""
    offset = 0
    for number, raw in enumerate(file, start=1):
        start = len(BOM_UTF8) if number == 1 and raw.startswith(BOM_UTF8) else 0
        text = raw[start:].removesuffix(b"\n")
        if text.strip(b" \t\r"):
            yield Line(number, text, offset + start)
        offset += len(raw)


class LinesDocument(TextDocument):
    """A document in the lines of a file; only their places and hashes are kept."""

    def __init__(
        self,
        header: MappedDocument,
        lines: Iterator[Line],
        *,
        file: LineFile,
        diagnostics: Diagnostics,
        progress: ProgressListener,
    ) -> None:
        super().__init__(header, diagnostics, progress)
        self._lines = lines
        self._file = file

    def _iterate_texts(self) -> Iterator[bytes]:
        """Yield the lines below the header."""
        try:
            for line in self._lines:
                self._file.remember(line)
                yield line.text
        except OSError as error:
            at = Source(self._diagnostics.file)
            raise ManifestError((Problem(at, "", f"cannot be read: {error.strerror}"),)) from error
        if not self._file.is_steady:
            raise self._make_changed(1, "the file changed while it was read")

    def _has_task(self, index: int) -> bool:
        return 0 <= index < self._file.count

    def _get_start(self, index: int) -> tuple[int, int]:
        return self._file.get_number(index), 1

    def _get_text(self, index: int) -> bytes:
        line = self._file.reread(index)
        if line is None:
            number = self._file.get_number(index)
            raise self._make_changed(number, "this line changed after it was checked")
        return line

    def _locate_outside(self, steps: Steps) -> tuple[Source, Source]:
        if steps == ("tasks",):
            # The list of tasks has no key in the file: it begins after the header.
            header = self._header.locate_value(())
            after = Source(header.file, header.line + 1, 1)
            return after, after
        return super()._locate_outside(steps)

    def _make_changed(self, number: int, message: str) -> ManifestError:
        at = Source(self._diagnostics.file, number, 1)
        return ManifestError(
            (Problem(at, "", message, "run again when no other program writes to it"),)
        )


def _report_refused(header: Document, keys: Mapping[str, Json], diagnostics: Diagnostics) -> bool:
    """Report a first line that is a task or a whole manifest instead of a header."""
    for key, message, hint in _NOT_IN_HEADER:
        if key in keys:
            at = header.locate_key((key,))
            diagnostics.add(at.line, at.column, message, hint=hint, steps=(key,))
            return True
    return False


def _read_at(path: Path, offset: int, length: int) -> bytes:
    """Read a part of a file; raises OSError, also if a pipe has replaced it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.pread(descriptor, length, offset)
    finally:
        os.close(descriptor)
