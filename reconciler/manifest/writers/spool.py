"""Declarations between the two passes of a pull: on disk, with a few bytes of each in memory."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from reconciler.core.encoding import encode
from reconciler.core.values import Json

_DECODE: Final = msgspec.json.Decoder().decode

NO_GROUP: Final = -1
"""The group of tasks without the value by which tasks are split."""


class SpooledTask(NamedTuple):
    """A task with its key, None for none, and what is declared for it, the key's path included."""

    id: int
    key: str | int | None
    declared: dict[str, Json]


class Spool:
    """The tasks of a pull, in a file. Indexes count them in the order in which they were added."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("w+b", buffering=1 << 18)
        self._offsets = array("Q")
        self._lengths = array("I")
        self._end = 0
        self._key_hashes = array("q")
        self._values: dict[bytes, int] = {}
        self.values: list[Json] = []
        self.ids = array("q")
        self.groups = array("i")
        self.has_key = bytearray()

    def __len__(self) -> int:
        return len(self.ids)

    def close(self) -> None:
        """Close the file, which its owner removes."""
        self._file.close()

    def add(self, task: int, key: str | int | None, text: bytes, *, group: int) -> None:
        """Add a task; ``text`` is what is declared for it, as JSON."""
        written = b"" if key is None else encode(key)
        line = written + b"\t" + text
        self._file.write(line)
        self.ids.append(task)
        self._offsets.append(self._end)
        self._lengths.append(len(line))
        self._end += len(line)
        self._key_hashes.append(hash(written))
        self.has_key.append(key is not None)
        self.groups.append(group)

    def find_group(self, value: Json) -> int:
        """Return the number of a value by which tasks are split; equal values have the same."""
        if type(value) is float and value.is_integer():
            value = int(value)
        written = encode(value)
        if written not in self._values:
            self._values[written] = len(self.values)
            self.values.append(value)
        return self._values[written]

    def drop_repeated_keys(self, indexes: Sequence[int]) -> list[int]:
        """Drop the keys that several of the tasks hold; returns the indexes of these tasks."""
        counted: dict[int, int] = {}
        repeated: set[int] = set()
        keyed = [index for index in indexes if self.has_key[index]]
        for index in keyed:
            found = self._key_hashes[index]
            if counted.setdefault(found, index) != index:
                repeated.add(found)
        dropped = [index for index in keyed if self._key_hashes[index] in repeated]
        for index in dropped:
            self.has_key[index] = False
        return dropped

    def sort(self) -> list[int]:
        """Return all indexes in ascending order of the ids."""
        return sorted(range(len(self.ids)), key=self.ids.__getitem__)

    def read(self, index: int) -> SpooledTask:
        """Read a task; its key is None if `drop_repeated_keys` dropped it."""
        self._file.seek(self._offsets[index])
        key, _, text = self._file.read(self._lengths[index]).partition(b"\t")
        declared: dict[str, Any] = _DECODE(text)
        return SpooledTask(self.ids[index], _DECODE(key) if self.has_key[index] else None, declared)
