"""What commands print about ``reconciler.lock``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.cli.console import Console

if TYPE_CHECKING:
    from reconciler.engine.lock import LockChange


def print_lock_change(change: LockChange, console: Console) -> None:
    """Print what has changed in a lock, a line each; or that nothing has."""
    for line in change.lines or ("nothing has changed",):
        console.note(f"{change.file}: {line}")
