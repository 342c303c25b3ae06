"""A document whose tasks are kept as JSON text, each read again when it is asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from reconciler.core.values import Json
from reconciler.errors import Source
from reconciler.manifest.readers.document import Diagnostics, MarkedDocument
from reconciler.manifest.readers.json_parser import parse_json
from reconciler.manifest.readers.json_text import decode, decode_quickly, encode, find_offsets
from reconciler.manifest.readers.packed_tasks import Entry
from reconciler.manifest.readers.source_map import Steps
from reconciler.progress import ProgressListener


class TextDocument(ABC):
    """What cannot be read of its tasks goes to ``diagnostics``, once they are read."""

    def __init__(self, outline: Json, diagnostics: Diagnostics, progress: ProgressListener) -> None:
        self.outline = outline
        self._diagnostics = diagnostics
        self._progress = progress
        self._read_slowly: set[int] = set()
        self._marked: tuple[int, MarkedDocument] | None = None

    @abstractmethod
    def _texts(self) -> Iterator[bytes]:
        """Give the text of each task in order; called once."""

    @abstractmethod
    def _text(self, index: int) -> bytes:
        """Give the text of a task again; raises ManifestError where it has changed."""

    @abstractmethod
    def _start(self, index: int) -> tuple[int, int]:
        """Tell the line and column at which the text of a task begins."""

    @abstractmethod
    def _has(self, index: int) -> bool:
        """Tell whether there is a task with this index."""

    @abstractmethod
    def _outer_sources(self, steps: Steps) -> tuple[Source, Source]:
        """Tell where the key and the value of what lies outside of all tasks begin.

        Raises LookupError where there is none.
        """

    def tasks(self) -> Iterator[Entry]:
        """Read the tasks in order; raises ManifestError where their file changes meanwhile."""
        for index, text in enumerate(self._texts()):
            self._progress.advance()
            found = decode_quickly(text)
            if found:
                yield index, *found
                continue
            self._read_slowly.add(index)
            for document in self._with_places(index, text, self._diagnostics, ("tasks", index)):
                value = document.whole()
                yield index, value, encode(value)

    def task(self, index: int) -> Json:
        """Read one task again; raises ManifestError where it is not what it was.

        It was read without complaint: such a text every decoder reads alike.
        """
        return decode(self._text(index))

    def value_source(self, steps: Steps) -> Source:
        """Tell where the value at ``steps`` begins; raises LookupError where there is none."""
        return self._sources(steps)[1]

    def key_source(self, steps: Steps) -> Source:
        """Tell where the key, or the list's element, that ``steps`` end with begins.

        Raises LookupError where there is none.
        """
        return self._sources(steps)[0]

    def _sources(self, steps: Steps) -> tuple[Source, Source]:
        match steps:
            case ("tasks", int(index), *inside) if self._has(index):
                return self._inner_sources(index, tuple(inside))
        return self._outer_sources(steps)

    def _inner_sources(self, index: int, steps: Steps) -> tuple[Source, Source]:
        text = self._text(index)
        if steps and index in self._read_slowly:
            document = self._with_marks(index, text)
            return document.key_source(steps), document.value_source(steps)
        found = find_offsets(text, steps)
        return self._source(index, text[: found.key]), self._source(index, text[: found.value])

    def _source(self, index: int, before: bytes) -> Source:
        """Tell where a task's text goes on behind ``before``."""
        line, column = self._start(index)
        *lines, last = before.split(b"\n")
        at = len(last.decode()) + (1 if lines else column)
        return Source(self._diagnostics.file, line + len(lines), at)

    def _with_marks(self, index: int, text: bytes) -> MarkedDocument:
        """Read one task with the places of its nodes: the last one is kept."""
        if self._marked is None or self._marked[0] != index:
            unheard = Diagnostics(self._diagnostics.file)
            (document,) = self._with_places(index, text, unheard, ())
            self._marked = index, document
        return self._marked[1]

    def _with_places(
        self, index: int, text: bytes, diagnostics: Diagnostics, steps: Steps
    ) -> list[MarkedDocument]:
        return read_text(text, diagnostics, start=self._start(index), steps=steps)


def read_text(
    text: bytes, diagnostics: Diagnostics, *, start: tuple[int, int], steps: Steps = ()
) -> list[MarkedDocument]:
    """Read what stands at ``steps`` with the places of its nodes; ``start`` is where it begins."""
    try:
        characters = text.decode()
    except UnicodeDecodeError as error:
        line, column = start
        column += len(text[: error.start].decode())
        diagnostics.add(line, column, "not UTF-8", hint="save the file as UTF-8", steps=steps)
        return []
    return parse_json(characters, diagnostics, start=start, steps=steps)
