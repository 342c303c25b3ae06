"""The exit codes."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
"""Done, or nothing to do."""

ERROR: Final = 1
"""An error, wrong usage, a blocked task, or more changes than max_changes; nothing was changed."""

CHANGES: Final = 2
"""There are changes to apply; only with --detailed-exitcode."""

PARTLY: Final = 3
"""Partially applied: some tasks failed, were stale or not honoured."""

INTERRUPTED: Final = 130
"""Stopped by a signal."""
