"""The caller's callbacks: their exceptions stop the run, but never an update half-way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from reconciler.core.report import TaskOutcome
from reconciler.progress import ProgressListener


class GuardedCallbacks:
    """An outcome callback and a progress listener that never raise into the work.

    Both are called from the threads of a run. The first exception of either is kept in ``error``
    and sets ``stop``; after that, neither is called.
    """

    def __init__(
        self,
        on_outcome: Callable[[TaskOutcome], object] | None,
        progress: ProgressListener,
        *,
        stop: threading.Event,
    ) -> None:
        self.error: BaseException | None = None
        self._on_outcome = on_outcome
        self._progress = progress
        self._stop = stop
        self._lock = threading.Lock()

    def on_outcome(self, outcome: TaskOutcome) -> None:
        """Pass an outcome on."""
        if self._on_outcome:
            self._call(self._on_outcome, outcome)

    def begin(self, work: str, total: int | None = None) -> None:
        """Pass on that a step of the work begins."""
        self._call(self._progress.begin, work, total)

    def advance(self, tasks: int = 1) -> None:
        """Pass on that tasks are done."""
        self._call(self._progress.advance, tasks)

    def detail(self, text: str) -> None:
        """Pass on a detail for --verbose."""
        self._call(self._progress.detail, text)

    def note(self, text: str) -> None:
        """Pass on a note for the user."""
        self._call(self._progress.note, text)

    def _call(self, function: Callable[..., object], *arguments: Any) -> None:  # noqa: ANN401 - passed on
        if self.error is not None:
            return
        try:
            function(*arguments)
        except BaseException as error:  # noqa: BLE001 - raised when the work has ended
            with self._lock:
                if self.error is None:
                    self.error = error
            self._stop.set()
