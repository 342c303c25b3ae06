"""Who is told about long work: the core says what it does, and never how to show it."""

from __future__ import annotations

from typing import Final, Protocol


class ProgressListener(Protocol):
    """Told of work as it goes on; does nothing but show it."""

    def begin(self, work: str, total: int | None = None) -> None:
        """Work begins, on ``total`` tasks if that is known; what was begun before has ended."""
        ...

    def advance(self, tasks: int = 1) -> None:
        """So many tasks more are done."""
        ...

    def detail(self, text: str) -> None:
        """Something was decided that explains what the work costs."""
        ...

    def note(self, text: str) -> None:
        """Something happened that whoever runs this should know."""
        ...


class NullProgress:
    """Nobody watches."""

    def begin(self, work: str, total: int | None = None) -> None:
        """Do nothing."""

    def advance(self, tasks: int = 1) -> None:
        """Do nothing."""

    def detail(self, text: str) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""


NULL_PROGRESS: Final[ProgressListener] = NullProgress()
