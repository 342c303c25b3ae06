"""What the exit codes say."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
"""Done, or nothing to do."""

ERROR: Final = 1
"""An error, bad usage too; nothing was changed."""

CHANGES: Final = 2
"""There are changes to be made; only with --detailed-exitcode."""

PARTLY: Final = 3
"""Apply did part: some tasks failed, were stale or not honoured."""

INTERRUPTED: Final = 130
"""Stopped by a signal."""
