"""The name of a plan: the same changes have the same digest, wherever and whenever planned."""

from __future__ import annotations

import hashlib
import json

from reconciler.plan.model import Plan
from reconciler.plan.values import ABSENT, Json, Maybe


def digest(plan: Plan) -> str:
    """Digest what apply would do: task, path, before and after; no times, places or versions."""
    seen = hashlib.sha256()
    for task in plan.updates:
        changes = [[list(c.path), _side(c.before), _side(c.after)] for c in task.changes]
        line = json.dumps([task.task, changes], sort_keys=True, separators=(",", ":"))
        seen.update(line.encode() + b"\n")
    return f"sha256:{seen.hexdigest()}"


def _side(value: Maybe) -> list[Json]:
    """Keep absence apart from null."""
    return [] if value is ABSENT else [value]
