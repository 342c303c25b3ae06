"""The lines of a file, read once in order and then any of them again."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

BLOCK: Final = 16_384
"""Bytes that are read at once when lines are read again."""

_BUFFER: Final = 1 << 16
"""Bytes that are read at once when all lines are read: they may be long."""

BOM: Final = b"\xef\xbb\xbf"
"""The mark with which some editors begin a file of UTF-8."""


class Line(NamedTuple):
    """A line that is not empty: its number from 1, its text without end, its offset in bytes."""

    number: int
    text: bytes
    offset: int = 0


class LineFile:
    """A file of lines. In 28 bytes a line: where those remembered are, and what they were."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._numbers = array("Q")
        self._offsets = array("Q")
        self._lengths = array("I")
        self._hashes = array("q")
        self._block = b""
        self._block_at = 0
        self.steady = False

    def lines(self) -> Iterator[Line]:
        """Read the lines from the first on, without empty ones; raises OSError.

        ``steady`` tells at the end whether the file stayed what it was meanwhile.
        """
        offset = 0
        with self._path.open("rb", buffering=_BUFFER) as file:
            before = os.fstat(file.fileno())
            for number, raw in enumerate(file, start=1):
                start = len(BOM) if number == 1 and raw.startswith(BOM) else 0
                text = raw[start:].removesuffix(b"\n")
                if text.strip(b" \t\r"):
                    yield Line(number, text, offset + start)
                offset += len(raw)
            after = os.fstat(file.fileno())
            self.steady = (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, offset)

    @property
    def remembered(self) -> int:
        """How many lines have been remembered; they count from 0."""
        return len(self._offsets)

    def remember(self, line: Line) -> None:
        """Remember where a line is, and what it was."""
        self._numbers.append(line.number)
        self._offsets.append(line.offset)
        self._lengths.append(len(line.text))
        self._hashes.append(hash(line.text))

    def number_of(self, index: int) -> int:
        """Tell the number of a line that was remembered."""
        return self._numbers[index]

    def reread(self, index: int) -> bytes | None:
        """Read a line that was remembered once more; None where it is not the same any more."""
        offset, length = self._offsets[index], self._lengths[index]
        start = offset - self._block_at
        if not 0 <= start <= len(self._block) - length:
            # The next that is asked for mostly stands close behind.
            try:
                self._block = _read_at(self._path, offset, max(length, BLOCK))
            except OSError:
                return None
            self._block_at, start = offset, 0
        text = self._block[start : start + length]
        return text if hash(text) == self._hashes[index] else None


def _read_at(path: Path, offset: int, length: int) -> bytes:
    """Read a part of a file; raises OSError, also where a pipe has come into its place."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.pread(descriptor, length, offset)
    finally:
        os.close(descriptor)
