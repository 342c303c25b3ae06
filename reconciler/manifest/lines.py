"""The lines of a file, read once in order and then any of them again."""

from __future__ import annotations

import os
import weakref
from array import array
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

BLOCK: Final = 16_384
"""Bytes that are read at once when lines are read again."""

_BOM: Final = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line that is not empty: its number from 1, its text without end, its offset in bytes."""

    number: int
    text: bytes
    offset: int = 0


class OpenFiles:
    """Files that stay open between two looks into them, but only so many at once.

    A file that is replaced stays what it was while it is open.
    """

    def __init__(self, at_once: int = 32) -> None:
        self._at_once = at_once
        self._descriptors: OrderedDict[Path, int] = OrderedDict()
        weakref.finalize(self, _close_all, self._descriptors)

    def read(self, path: Path, *, offset: int, length: int) -> bytes:
        """Read ``length`` bytes, fewer where the file ends; raises OSError."""
        descriptor = self._descriptors.get(path)
        if descriptor is None:
            descriptor = self._descriptors[path] = os.open(path, os.O_RDONLY)
        self._descriptors.move_to_end(path)
        if len(self._descriptors) > self._at_once:
            os.close(self._descriptors.popitem(last=False)[1])
        return os.pread(descriptor, length, offset)


def _close_all(descriptors: OrderedDict[Path, int]) -> None:
    for descriptor in descriptors.values():
        os.close(descriptor)


class LineFile:
    """A file of lines. In 28 bytes a line: where those remembered are, and what they were."""

    def __init__(self, path: Path, opened: OpenFiles) -> None:
        self._path = path
        self._opened = opened
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
        with self._path.open("rb") as file:
            before = os.fstat(file.fileno())
            for number, raw in enumerate(file, start=1):
                start = len(_BOM) if number == 1 and raw.startswith(_BOM) else 0
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

    def again(self, index: int) -> bytes | None:
        """Read a line that was remembered once more; None where it is not the same any more."""
        offset, length = self._offsets[index], self._lengths[index]
        start = offset - self._block_at
        if not 0 <= start <= len(self._block) - length:
            # The next that is asked for mostly stands close behind.
            try:
                self._block = self._opened.read(
                    self._path, offset=offset, length=max(length, BLOCK)
                )
            except OSError:
                return None
            self._block_at, start = offset, 0
        text = self._block[start : start + length]
        return text if hash(text) == self._hashes[index] else None
