"""The report on disk: every line is there before the next request is sent."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.errors import Refused
from reconciler.plan.values import Json


class Journal:
    """A file of JSON lines that only its owner can read: it holds the values of tasks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            # Devices and pipes are not ours to close to others, and cannot be synced.
            self._regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            if self._regular:
                os.fchmod(descriptor, 0o600)
        except OSError as error:
            raise self._cannot_write(error) from error
        self._file = os.fdopen(descriptor, "w", encoding="ascii")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Every line has been flushed; what a failed write left behind fails here once more.
        with suppress(OSError):
            self._file.close()

    def write(self, line: Mapping[str, Json]) -> None:
        """Write one line, and wait until the disk has it; raises Refused where it has not."""
        try:
            self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
            self._file.flush()
            if self._regular:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise self._cannot_write(error) from error

    def _cannot_write(self, error: OSError) -> Refused:
        said = error.strerror or str(error)
        return Refused(
            f"the report {self._path} cannot be written: {said}",
            hint="nothing is changed without a record; name another file with --report",
        )
