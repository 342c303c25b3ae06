"""The name of a plan: the same changes have the same digest, wherever and whenever planned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from reconciler.core.encoding import encode_canonical
from reconciler.core.values import box

if TYPE_CHECKING:
    from reconciler.core.plan_model import TaskPlan


def compute_digest(updates: Iterable[TaskPlan]) -> str:
    """Digest what apply would do: task, path, before and after; no times, places or versions.

    Problems that were allowed are part of it. The order of declarations and of responses does not
    matter. `Plan.digest` computes it once.
    """
    from hashlib import sha256  # noqa: PLC0415 - it loads OpenSSL, 5 ms that only plans need

    seen = sha256()
    for task in sorted(updates, key=lambda task: task.task):
        seen.update(_format_line(task) + b"\n")
    return f"sha256:{seen.hexdigest()}"


def _format_line(task: TaskPlan) -> bytes:
    ordered = sorted(task.changes, key=lambda change: change.path)
    changes = [[list(c.path), box(c.before), box(c.after)] for c in ordered]
    allowed = sorted({problem.kind for problem in task.problems if not problem.is_warning})
    return encode_canonical([task.task, changes, allowed] if allowed else [task.task, changes])
