"""The file of a report: a line is on disk before the same worker sends its next update."""

from __future__ import annotations

import json
import os
import re
import stat
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final, Self

from reconciler.artifacts.saved_file import EXPECTED_FILES, read_all_saved
from reconciler.core.notation import count_noun
from reconciler.core.plan_model import Plan, ServerIdentity
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
    """Raise Refused if ``file`` exists and is not a report, so that no report overwrites it."""
    if file is None:
        return
    if "\0" in str(file):
        raise Refused("the name of the report contains a NUL character: nothing was changed")
    try:
        if not file.is_file() or not file.stat().st_size:
            return
        with file.open("rb") as opened:
            if _BEGINNING.match(opened.read(_BEGINNING_BYTES)):
                return
    except OSError as error:
        message = f"cannot write the report to {file}: {error}: nothing was changed"
        raise Refused(message) from error
    raise Refused(
        f"{file} exists and is not a report: nothing was changed",
        hint="pass another file to --report",
    )


_EXPECTED_REPORT: Final = "pass the report that apply --report wrote"
_BEGINNING: Final = re.compile(rb'\{"format_version":"[^"]*","kind":"report"')
_BEGINNING_BYTES: Final = 100


class ReportFile:
    """A file of JSON lines that only its owner can read, because it holds the values of tasks.

    ``kept`` is the new path of an earlier report of that name, None if there was none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.kept = self._keep_earlier()
        try:
            # Opening a pipe without a reader must fail, not wait.
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK
            descriptor = os.open(path, flags, 0o600)
            os.set_blocking(descriptor, True)
            # Devices and pipes keep their permissions, and cannot be synced.
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
        """Write one line and wait until it is on disk; raises Refused if that fails.

        A line that could not be written leaves no trace, so that the user can append the missing
        lines by hand.
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
        """Rename an earlier report: it may be the only record of the former values."""
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
            f"cannot write the report to {self._path}: {message}",
            hint="pass another file to --report: no task is changed without a report",
        )


def format_line(line: Mapping[str, Json]) -> str:
    """Format a line for the file, in ASCII, without the newline."""
    return json.dumps(line, separators=(",", ":"))


def now() -> datetime:
    """Return the time by the clock of this machine."""
    return datetime.now(UTC)


class ReportWriter:
    """Records the outcomes of a run: in a report file, if there is one, and for `close`.

    If the file can no longer be written, ``stop`` is set before the next update begins, ``lost``
    says why, and ``unwritten`` are the missing lines: updates were in flight, and nothing else
    holds their former values.
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
        """Write the first line; raises Refused if that fails."""
        if self._file:
            self._file.write(build_first_line(self._run, self._server))

    def record(self, outcome: TaskOutcome) -> TaskOutcome:
        """Write the outcome of a task, and return it with the time."""
        recorded = replace(outcome, time=format_time(now()))
        self._recorded[outcome.task] = recorded
        self._write(build_task_line(recorded))
        return recorded

    def close(self, outcomes: Sequence[TaskOutcome], requests: int) -> Report:
        """Write the tasks that were not started, and the counts; return the report of the run."""
        # A report has no changes for a task that was not started.
        recorded = tuple(
            self._recorded.get(outcome.task) or replace(outcome, changes=()) for outcome in outcomes
        )
        run = replace(self._run, ended=format_time(now()), requests=requests)
        for line in build_not_started_lines(recorded):
            self._write(line)
        self._write(build_last_line(recorded, requests, run.ended))
        return Report(self._server, (run,), recorded, run.shards)

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
    """Read reports, each with its name; raises SavedFileError if one is not a report."""
    try:
        found = read_all_saved(files)
    except SavedFileError as error:
        if error.hint != EXPECTED_FILES:
            raise
        raise SavedFileError(
            error.message, hint=_EXPECTED_REPORT, discreet=error.discreet
        ) from error
    for file, one in found:
        if isinstance(one, Plan):
            message = f"{file}: expected a report, found a plan"
            raise SavedFileError(message, hint=_EXPECTED_REPORT)
    return [(file, one) for file, one in found if isinstance(one, Report)]


def save_unwritten(lines: Sequence[str]) -> str:
    """Save the lines that could not be written to a report, and say where, without quoting them.

    The file is a new one among the temporary files, which only its owner can read.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix="reconciler-report-", suffix=".jsonl")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        return (
            f"{count_noun(len(lines), 'line')} could not be written, and are not shown, as they "
            f"may hold redacted values: {error.strerror or error}"
        )
    return f"The lines that could not be written are in {name}; append them to the report"
