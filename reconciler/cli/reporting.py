"""Writing the report while changes are made, and stopping where it cannot be written."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from reconciler.apply.report import TaskOutcome, last_line, task_line
from reconciler.apply.report_file import ReportFile
from reconciler.errors import Refused
from reconciler.plan.values import Json


class Reporting:
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

    def record(self, outcome: TaskOutcome) -> None:
        """Write what became of a task."""
        self._write(task_line(outcome))

    def close(self, outcomes: Sequence[TaskOutcome], requests: int) -> None:
        """Write the counts of the run."""
        self._write(last_line(outcomes, requests))

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
