"""JSON lines to a document: the header on the first line, then a task a line.

The file is streamed: of a task no more is kept than where its line is, and a hash of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from reconciler.errors import ManifestError, Problem, Source
from reconciler.manifest.document import MAX_DEPTH, Complaints, Document, MarkedDocument
from reconciler.manifest.json_reader import read_json
from reconciler.manifest.lines import Line, LineFile
from reconciler.manifest.marks import Steps
from reconciler.manifest.packed import Entry
from reconciler.plan.values import ABSENT, Json, Maybe
from reconciler.watch import NOBODY, Watch

_NOT_IN_HEADER: Final = (
    ("tasks", "the header of a .jsonl file holds no tasks", "write each on a line of its own"),
    ("id", "the first line is the header, and this is a task", 'begin with {"version": 1}'),
)
_LEVELS_AROUND: Final = 2
"""A task lies in the list of tasks, which lies in the document."""

_Decoder: TypeAlias = "msgspec.json.Decoder[Json]"
_DECODER: Final[_Decoder] = msgspec.json.Decoder()
_ENCODER: Final = msgspec.json.Encoder()


def read_json_lines(
    file: LineFile, complaints: Complaints, *, watch: Watch = NOBODY
) -> list[Document]:
    """Read the header, and leave the tasks to be streamed; empty lines are none."""
    lines = file.lines()
    first = next(lines, None)
    headers = _read_with_places(first, complaints, ()) if first else []
    if not headers or not isinstance(headers[0].outline, dict):
        return [*headers]
    if _refused(headers[0], headers[0].outline, complaints):
        return []
    return [LinesDocument(headers[0], lines, file=file, complaints=complaints, watch=watch)]


class LinesDocument:
    """A document in the lines of a file. What cannot be read of them goes to ``complaints``."""

    def __init__(
        self,
        header: MarkedDocument,
        lines: Iterator[Line],
        *,
        file: LineFile,
        complaints: Complaints,
        watch: Watch,
    ) -> None:
        outline = header.outline
        self.outline: Json = {**outline, "tasks": []} if isinstance(outline, dict) else outline
        self._header = header
        self._lines = lines
        self._file = file
        self._complaints = complaints
        self._watch = watch
        self._read: tuple[int, MarkedDocument] | None = None

    def tasks(self) -> Iterator[Entry]:
        """Read the lines after the header, and remember where each is; raises ManifestError."""
        for index, line in enumerate(self._below_header()):
            self._file.remember(line)
            self._watch.advance()
            value = decoded_quickly(line.text)
            if value is not ABSENT:
                yield index, value, line.text
                continue
            for document in _read_with_places(line, self._complaints, ("tasks", index)):
                yield index, document.whole(), line.text

    def _below_header(self) -> Iterator[Line]:
        """Give the lines below the header, from the file that it was read from."""
        try:
            yield from self._lines
        except OSError as error:
            at = Source(self._complaints.file, 1, 1)
            raise ManifestError((Problem(at, "", f"cannot be read: {error.strerror}"),)) from error
        if not self._file.steady:
            raise self._changed(1, "this file changed while it was read")

    def task(self, index: int) -> Json:
        """Read one line again; raises ManifestError where it is not what it was.

        It was read without complaint: such a line every decoder reads alike.
        """
        return _DECODER.decode(self._line(index))

    def value_source(self, steps: Steps) -> Source:
        """Tell where the value at ``steps`` begins; raises LookupError where there is none."""
        match steps:
            case ("tasks",):
                return self._after_header
            case ("tasks", int(index)) if 0 <= index < self._file.remembered:
                line = self._line(index)
                return self._at(index, 1 + len(line) - len(line.lstrip(b" \t\r")))
            case ("tasks", int(index), *inside) if 0 <= index < self._file.remembered:
                return self._document(index).value_source(tuple(inside))
        return self._header.value_source(steps)

    def key_source(self, steps: Steps) -> Source:
        """Tell where the key, or the list's element, that ``steps`` end with begins.

        Raises LookupError where there is none.
        """
        match steps:
            case ("tasks",):
                return self._after_header
            case ("tasks", int(index), *inside) if 0 <= index < self._file.remembered:
                column = _column_of_key(self._line(index), inside)
                if column is not None:
                    return self._at(index, column)
                return self._document(index).key_source(tuple(inside))
        return self._header.key_source(steps)

    @property
    def _after_header(self) -> Source:
        """Where the list of tasks begins, whose key nobody wrote."""
        header = self._header.value_source(())
        return Source(header.file, header.line + 1, 1)

    def _at(self, index: int, column: int) -> Source:
        return Source(self._complaints.file, self._file.number_of(index), column)

    def _document(self, index: int) -> MarkedDocument:
        """Read one line with the places of its nodes: only those pay that are asked for."""
        if self._read is None or self._read[0] != index:
            line = Line(self._file.number_of(index), self._line(index))
            (document,) = _read_with_places(line, Complaints(self._complaints.file), ())
            self._read = index, document
        return self._read[1]

    def _line(self, index: int) -> bytes:
        line = self._file.reread(index)
        if line is None:
            number = self._file.number_of(index)
            raise self._changed(number, "this line is not what it was when it was checked")
        return line

    def _changed(self, number: int, said: str) -> ManifestError:
        at = Source(self._complaints.file, number, 1)
        return ManifestError((Problem(at, "", said, "run it again when nobody writes to it"),))


def decoded_quickly(line: bytes) -> Maybe:
    """Decode a line without places; ABSENT where only a reader with places can tell what it is.

    The decoder keeps the last of two equal keys, and then there are fewer colons in what it keeps
    than in the line, unless one is escaped there. It minds neither NUL nor depth.
    """
    if b"\\" in line and (b"\\u0000" in line or b"\\u003" in line):
        return ABSENT
    if line.count(b"[") + line.count(b"{") > MAX_DEPTH - _LEVELS_AROUND:
        return ABSENT
    try:
        value = _DECODER.decode(line)
    except (ValueError, RecursionError):
        return ABSENT
    return value if line.count(b":") == _ENCODER.encode(value).count(b":") else ABSENT


def _column_of_key(line: bytes, steps: Sequence[str | int]) -> int | None:
    """Find a key in a line that was read without complaint; None where that takes its nodes.

    Without escapes, what stands between two quotes and could be a name is one whole string. The
    key that ``steps`` lead to is that string where there is no other like it.
    """
    key = steps[-1] if steps else None
    if b"\\" in line or not isinstance(key, str) or not key.isidentifier():
        return None
    quoted = f'"{key}"'.encode()
    if line.count(quoted) != 1 or not _has(_DECODER.decode(line), steps):
        return None
    return 1 + len(line[: line.index(quoted)].decode())


def _has(value: Json, steps: Sequence[str | int]) -> bool:
    """Tell whether keys lead from one object to the next."""
    for step in steps:
        if not isinstance(value, dict) or step not in value:
            return False
        value = value[str(step)]
    return True


def _read_with_places(line: Line, complaints: Complaints, steps: Steps) -> list[MarkedDocument]:
    try:
        text = line.text.decode()
    except UnicodeDecodeError as error:
        column = len(error.object[: error.start].decode()) + 1
        complaints.add(line.number, column, "not UTF-8", hint="save the file as UTF-8", steps=steps)
        return []
    return read_json(text, complaints, first_line=line.number, steps=steps)


def _refused(header: Document, keys: Mapping[str, Json], complaints: Complaints) -> bool:
    """Note a first line that is a task, or a whole manifest, in the place of the header."""
    for key, message, hint in _NOT_IN_HEADER:
        if key in keys:
            at = header.key_source((key,))
            complaints.add(at.line, at.column, message, hint=hint, steps=(key,))
            return True
    return False
