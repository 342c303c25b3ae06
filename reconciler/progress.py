"""The interface through which long work reports progress; how to show it is up to the caller."""

from __future__ import annotations

from typing import Final, Protocol


class ProgressListener(Protocol):
    """Follows long work, and only shows it: nothing that it does may change the work.

    Methods are called from any thread, and must not raise.
    """

    def begin(self, work: str, total: int | None = None) -> None:
        """Start to follow ``work``, on ``total`` tasks if known; the work before has ended."""
        ...

    def advance(self, tasks: int = 1) -> None:
        """Count this many more tasks as done."""
        ...

    def detail(self, text: str) -> None:
        """Take a line on how the work is done, for those who want to know what it costs."""
        ...

    def note(self, text: str) -> None:
        """Take a line on something that the user should know."""
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
"""The default where nobody follows the work."""
