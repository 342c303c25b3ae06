"""How long work reports its progress; the caller decides how to show it."""

from __future__ import annotations

from typing import Final, Protocol


class ProgressListener(Protocol):
    """Shows the progress of long work, without any effect on it.

    Methods are called from any thread and must not raise exceptions.
    """

    def begin(self, work: str, total: int | None = None) -> None:
        """Follow ``work`` from now on, in place of earlier work; ``total`` tasks, if known."""
        ...

    def advance(self, tasks: int = 1) -> None:
        """Count ``tasks`` more as done."""
        ...

    def detail(self, text: str) -> None:
        """Receive a line on how the work is done and what it costs."""
        ...

    def note(self, text: str) -> None:
        """Receive a line that the user should read."""
        ...


class NullProgress:
    """A listener that ignores everything."""

    def __repr__(self) -> str:
        return "NULL_PROGRESS"

    def begin(self, work: str, total: int | None = None) -> None:
        """Ignore it."""

    def advance(self, tasks: int = 1) -> None:
        """Ignore it."""

    def detail(self, text: str) -> None:
        """Ignore it."""

    def note(self, text: str) -> None:
        """Ignore it."""


NULL_PROGRESS: Final[ProgressListener] = NullProgress()
"""The default: progress is not shown."""
