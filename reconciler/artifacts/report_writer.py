"""Writing the report while changes are made, and stopping where it cannot be written."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from reconciler.artifacts.report_file import ReportFile
from reconciler.core.model import ServerIdentity
from reconciler.core.report import Run, TaskOutcome, format_time
from reconciler.core.report_document import (
    build_first_line,
    build_last_line,
    build_not_started_lines,
    build_task_line,
)
from reconciler.core.values import Json
from reconciler.errors import Refused


def now() -> datetime:
    """Return the time on the clock of this machine."""
    return datetime.now(UTC)


class ReportWriter:
    """Records outcomes in a report file, if there is one.

    When it cannot be written any more, ``stop`` is set before the next update can leave, ``lost``
    tells why, and ``unwritten`` are the lines that it lacks: updates were under way by then, and
    nothing else has the values that were there before.
    """

    def __init__(self, file: ReportFile | None, stop: threading.Event) -> None:
        self.lost: Refused | None = None
        self.unwritten: list[Mapping[str, Json]] = []
        self._file = file
        self._stop = stop

    def open(self, run: Run, server: ServerIdentity) -> None:
        """Write what the report is about; raises Refused where not even that can be written."""
        if self._file:
            self._file.write(build_first_line(replace(run, started=format_time(now())), server))

    def record(self, outcome: TaskOutcome) -> None:
        """Write what became of a task."""
        self._write(build_task_line(replace(outcome, time=format_time(now()))))

    def close(self, outcomes: Sequence[TaskOutcome], requests: int) -> None:
        """Write which tasks were not started, and the counts of the run."""
        for line in build_not_started_lines(outcomes):
            self._write(line)
        self._write(build_last_line(outcomes, requests, format_time(now())))

    def _write(self, line: Mapping[str, Json]) -> None:
        if self._file is None:
            return
        if self.lost:
            self.unwritten.append(line)
            return
        try:
            self._file.write(line)
        except Refused as error:
            self.unwritten.append(line)
            self.lost = error
            self._stop.set()
