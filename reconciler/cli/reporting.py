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

    When it cannot be written any more, ``stop`` is set before the next update can leave, and
    ``lost`` tells why; what is known still goes to the terminal.
    """

    def __init__(self, file: ReportFile | None, stop: threading.Event) -> None:
        self.lost: Refused | None = None
        self._file = file
        self._stop = stop

    def record(self, outcome: TaskOutcome) -> None:
        """Write what became of a task."""
        self._write(task_line(outcome))

    def close(self, outcomes: Sequence[TaskOutcome], requests: int) -> None:
        """Write the counts of the run."""
        self._write(last_line(outcomes, requests))

    def _write(self, line: Mapping[str, Json]) -> None:
        if self._file is None or self.lost:
            return
        try:
            self._file.write(line)
        except Refused as error:
            self.lost = error
            self._stop.set()
