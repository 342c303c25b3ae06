"""A document whose tasks are kept as JSON text, and decoded on demand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from reconciler.core.values import Json
from reconciler.errors import Source
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import Entry, MappedDocument
from reconciler.manifest.readers.json_parser import parse_bytes
from reconciler.manifest.readers.json_text import decode, decode_quickly, encode, find_offsets
from reconciler.manifest.readers.source_map import Steps
from reconciler.progress import ProgressListener


class TextDocument(ABC):
    """A document that reports to ``diagnostics`` what it cannot read of its tasks.

    ``header`` is the document without tasks. ``parsed`` are the indices of tasks that could not be
    decoded quickly and needed the parser.
    """

    def __init__(
        self, header: MappedDocument, diagnostics: Diagnostics, progress: ProgressListener
    ) -> None:
        outline = header.outline
        self.outline: Json = {**outline, "tasks": []} if isinstance(outline, dict) else outline
        self._header = header
        self._diagnostics = diagnostics
        self._progress = progress
        self.parsed: set[int] = set()
        self._mapped: tuple[int, MappedDocument] | None = None

    @abstractmethod
    def _iterate_texts(self) -> Iterator[bytes]:
        """Yield the text of each task in order; called once."""

    @abstractmethod
    def _get_text(self, index: int) -> bytes:
        """Return the text of a task again; raises ManifestError if it has changed."""

    @abstractmethod
    def _get_start(self, index: int) -> tuple[int, int]:
        """Return the line and column at which the text of a task begins."""

    @abstractmethod
    def _has_task(self, index: int) -> bool:
        """Tell whether there is a task with this index."""

    def _locate_outside(self, steps: Steps) -> tuple[Source, Source]:
        """Return the places of a key outside of all tasks and of its value.

        Raises LookupError if there is none.
        """
        return self._header.locate_key(steps), self._header.locate_value(steps)

    def read_tasks(self) -> Iterator[Entry]:
        """Read the tasks in order; raises ManifestError if their file changes meanwhile."""
        for index, text in enumerate(self._iterate_texts()):
            self._progress.advance()
            found = decode_quickly(text)
            if found:
                yield index, *found
                continue
            self.parsed.add(index)
            for document in self._parse(index, text, self._diagnostics, ("tasks", index)):
                value = document.assemble()
                yield index, value, encode(value)

    def read_task(self, index: int) -> Json:
        """Read one task again; raises ManifestError if it has changed.

        It was read without a problem before: every decoder reads such a text alike.
        """
        return decode(self._get_text(index))

    def locate_value(self, steps: Steps) -> Source:
        """Return where the value at ``steps`` begins; raises LookupError if there is none."""
        return self._locate(steps)[1]

    def locate_key(self, steps: Steps) -> Source:
        """Return where the last key, or list element, of ``steps`` begins.

        Raises LookupError if there is none.
        """
        return self._locate(steps)[0]

    def _locate(self, steps: Steps) -> tuple[Source, Source]:
        match steps:
            case ("tasks", int(index), *inside) if self._has_task(index):
                return self._locate_inside(index, tuple(inside))
        return self._locate_outside(steps)

    def _locate_inside(self, index: int, steps: Steps) -> tuple[Source, Source]:
        text = self._get_text(index)
        if steps and index in self.parsed:
            document = self._parse_again(index, text)
            return document.locate_key(steps), document.locate_value(steps)
        found = find_offsets(text, steps)
        before_key, before_value = text[: found.key], text[: found.value]
        return self._make_source(index, before_key), self._make_source(index, before_value)

    def _make_source(self, index: int, before: bytes) -> Source:
        """Return the place in a task's text that follows ``before``."""
        line, column = self._get_start(index)
        *lines, last = before.split(b"\n")
        at = len(last.decode()) + (1 if lines else column)
        return Source(self._diagnostics.file, line + len(lines), at)

    def _parse_again(self, index: int, text: bytes) -> MappedDocument:
        """Parse one task again, with the places of its nodes; keep the last one parsed."""
        mapped = self._mapped
        if mapped is None or mapped[0] != index:
            discarded = Diagnostics(self._diagnostics.file)
            (document,) = self._parse(index, text, discarded, ())
            self._mapped = mapped = index, document
        return mapped[1]

    def _parse(
        self, index: int, text: bytes, diagnostics: Diagnostics, steps: Steps
    ) -> list[MappedDocument]:
        return parse_bytes(text, diagnostics, start=self._get_start(index), steps=steps)
