"""The name of a plan: the same changes have the same digest, wherever and whenever planned."""

from __future__ import annotations

import hashlib
from typing import Final

from reconciler.plan.encoding import encode_canonical
from reconciler.plan.model import WARNINGS, Plan, TaskPlan
from reconciler.plan.values import boxed

_KEPT: Final = "_digest"


def digest(plan: Plan) -> str:
    """Digest what apply would do: task, path, before and after; no times, places or versions.

    What guards would have stopped, and was allowed, is part of it. The order in which things are
    declared, or come from the server, says nothing. A plan never changes, so that its digest is
    made once and kept with it.
    """
    kept = vars(plan)
    if _KEPT not in kept:
        seen = hashlib.sha256()
        for task in sorted(plan.updates, key=lambda task: task.task):
            seen.update(_line(task) + b"\n")
        kept[_KEPT] = f"sha256:{seen.hexdigest()}"
    made: str = kept[_KEPT]
    return made


def _line(task: TaskPlan) -> bytes:
    ordered = sorted(task.changes, key=lambda change: change.path)
    changes = [[list(c.path), boxed(c.before), boxed(c.after)] for c in ordered]
    allowed = sorted({problem.kind for problem in task.problems} - WARNINGS)
    return encode_canonical([task.task, changes, allowed] if allowed else [task.task, changes])
