"""The report on disk: every line is there before the next request is sent."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Self

from reconciler.core.values import Json
from reconciler.errors import Refused


class ReportFile:
    """A file of JSON lines that only its owner can read: it holds the values of tasks.

    ``kept`` is where an earlier report of that name lies now, None if there was none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.kept = self._keep_earlier()
        try:
            # A pipe that nobody reads is an error, and not waited for.
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK
            descriptor = os.open(path, flags, 0o600)
            os.set_blocking(descriptor, True)
            # Devices and pipes are not ours to close to others, and cannot be synced.
            self._regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            if self._regular:
                os.fchmod(descriptor, 0o600)
        except OSError as error:
            raise self._cannot_write(error) from error
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._length = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._file.close()

    def write(self, line: Mapping[str, Json]) -> None:
        """Write one line, and wait until the disk has it; raises Refused where it has not.

        Of a line that could not be written nothing is left: others may be put behind it by hand.
        """
        text = json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n"
        try:
            rest = memoryview(text)
            while rest:
                rest = rest[self._file.write(rest) :]
            if self._regular:
                os.fsync(self._file.fileno())
        except OSError as error:
            if self._regular:
                with suppress(OSError):
                    self._file.truncate(self._length)
            raise self._cannot_write(error) from error
        self._length += len(text)

    def _keep_earlier(self) -> Path | None:
        """Put an earlier report aside: it may be the only record of what values were before."""
        try:
            if not self._path.is_file() or not self._path.stat().st_size:
                return None
            names = (self._path.with_name(f"{self._path.name}.{n}") for n in count(1))
            free = next(name for name in names if not name.exists())
            return self._path.rename(free)
        except OSError as error:
            raise self._cannot_write(error) from error

    def _cannot_write(self, error: OSError) -> Refused:
        message = error.strerror or str(error)
        return Refused(
            f"the report {self._path} cannot be written: {message}",
            hint="nothing is changed without a record; name another file with --report",
        )
