"""How a task is named in everything that is shown: by its id, and by its key if it has one."""

from __future__ import annotations

from reconciler.core.model import TaskKey
from reconciler.core.notation import escape_invisible, shorten
from reconciler.core.values import Redacted


def format_task(task: int, key: TaskKey | None) -> str:
    """Write ``task 101``, or ``task 101 (x-000102)`` if a key names the task."""
    return f"task {format_id(task, key)}"


def format_id(task: int, key: TaskKey | None) -> str:
    """Write ``101``, or ``101 (x-000102)`` if a key names the task."""
    if key and isinstance(key.value, Redacted):
        return f"{task} {key.value}"
    return f"{task} ({escape_invisible(shorten(str(key)))})" if key else str(task)
