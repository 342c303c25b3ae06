"""The file of a report: every line is on disk before the next request is sent."""

from __future__ import annotations

import json
import os
import re
import stat
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final, Self

from reconciler.artifacts.saved_file import read_all_saved
from reconciler.core.model import Plan, ServerIdentity
from reconciler.core.report import Report, Run, TaskOutcome, format_time
from reconciler.core.report_document import (
    build_first_line,
    build_last_line,
    build_not_started_lines,
    build_task_line,
)
from reconciler.core.report_history import NamedReport
from reconciler.core.values import Json
from reconciler.errors import Refused, SavedFileError


def check_report(file: Path | None) -> None:
    """Raise Refused where a file is there already and is not a report: it would give way to one."""
    if file is None:
        return
    if "\0" in str(file):
        raise Refused(
            "nothing is changed: a report's name with NUL is no name that a file can have"
        )
    try:
        if not file.is_file() or not file.stat().st_size:
            return
        with file.open("rb") as opened:
            if _BEGINNING.match(opened.read(_LOOKED_AT)):
                return
    except OSError as error:
        message = f"nothing is changed: the report {file} cannot be written: {error}"
        raise Refused(message) from error
    raise Refused(
        f"nothing is changed: {file} is there already, and is not a report",
        hint="name another file",
    )


_BEGINNING: Final = re.compile(rb'\{"format_version":"[^"]*","kind":"report"')
_LOOKED_AT: Final = 100


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
            raise self._make_write_error(error) from error
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
        text = format_line(line).encode("ascii") + b"\n"
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
            raise self._make_write_error(error) from error
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
            raise self._make_write_error(error) from error

    def _make_write_error(self, error: OSError) -> Refused:
        message = error.strerror or str(error)
        return Refused(
            f"the report {self._path} cannot be written: {message}",
            hint="nothing is changed without a record; name another file with --report",
        )


def format_line(line: Mapping[str, Json]) -> str:
    """Write a line as it stands in the file, in ASCII and without its end."""
    return json.dumps(line, separators=(",", ":"))


def now() -> datetime:
    """Return the time on the clock of this machine."""
    return datetime.now(UTC)


class ReportWriter:
    """Records the outcomes of a run: in a report file, if there is one, and for `close`.

    When the file cannot be written any more, ``stop`` is set before the next update can leave,
    ``lost`` tells why, and ``unwritten`` are the lines that it lacks: updates were under way by
    then, and nothing else has the values that were there before.
    """

    def __init__(
        self, file: ReportFile | None, stop: threading.Event, *, run: Run, server: ServerIdentity
    ) -> None:
        self.lost: Refused | None = None
        self.unwritten: list[str] = []
        self._file = file
        self._stop = stop
        self._run = replace(run, started=format_time(now()))
        self._server = server
        self._recorded: dict[int, TaskOutcome] = {}

    def open(self) -> None:
        """Write what the report is about; raises Refused where not even that can be written."""
        if self._file:
            self._file.write(build_first_line(self._run, self._server))

    def record(self, outcome: TaskOutcome) -> TaskOutcome:
        """Write what became of a task, and return it with the time."""
        recorded = replace(outcome, time=format_time(now()))
        self._recorded[outcome.task] = recorded
        self._write(build_task_line(recorded))
        return recorded

    def close(self, outcomes: Sequence[TaskOutcome], requests: int) -> Report:
        """Write which tasks were not started, and the counts; return the report of the run."""
        # Of a task that was not started, a report says only that.
        told = tuple(
            self._recorded.get(outcome.task) or replace(outcome, changes=()) for outcome in outcomes
        )
        run = replace(self._run, ended=format_time(now()), requests=requests)
        for line in build_not_started_lines(told):
            self._write(line)
        self._write(build_last_line(told, requests, run.ended))
        return Report(self._server, (run,), told, run.shards)

    def _write(self, line: Mapping[str, Json]) -> None:
        if self._file is None:
            return
        if self.lost:
            self.unwritten.append(format_line(line))
            return
        try:
            self._file.write(line)
        except Refused as error:
            self.unwritten.append(format_line(line))
            self.lost = error
            self._stop.set()


def read_reports(files: Sequence[str]) -> list[NamedReport]:
    """Read reports, each after its name; raises SavedFileError where one is none."""
    found = read_all_saved(files)
    for file, one in found:
        if isinstance(one, Plan):
            message = f"{file} is a plan: nothing of it needs to be undone"
            raise SavedFileError(message, hint="give the report that apply --report wrote")
    return [(file, one) for file, one in found if isinstance(one, Report)]
