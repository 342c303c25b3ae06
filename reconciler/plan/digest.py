"""The name of a plan: the same changes have the same digest, wherever and whenever planned."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal

from reconciler.plan.model import WARNINGS, Plan
from reconciler.plan.values import ABSENT, UNREADABLE, Json, Side


def digest(plan: Plan) -> str:
    """Digest what apply would do: task, path, before and after; no times, places or versions.

    What guards would have stopped, and was allowed, is part of it. The order in which things are
    declared, or come from the server, says nothing.
    """
    seen = hashlib.sha256()
    for task in sorted(plan.updates, key=lambda task: task.task):
        ordered = sorted(task.changes, key=lambda change: change.path)
        changes = [[list(c.path), _side(c.before), _side(c.after)] for c in ordered]
        allowed = sorted({problem.kind for problem in task.problems} - WARNINGS)
        named = [task.task, changes, allowed] if allowed else [task.task, changes]
        line = json.dumps(named, sort_keys=True, separators=(",", ":"))
        seen.update(line.encode() + b"\n")
    return f"sha256:{seen.hexdigest()}"


def _side(value: Side) -> list[Json] | None:
    """Keep absence apart from null, and what cannot be read from both."""
    if value is UNREADABLE:
        return None
    return [] if value is ABSENT else [_canonical(value)]


def _canonical(value: Json) -> Json:
    """Write numbers that are the same in one way: ``1`` for ``1.0``, ``10**30`` for ``1e30``."""
    if isinstance(value, list):
        return list(map(_canonical, value))
    if isinstance(value, dict):
        return {key: _canonical(inner) for key, inner in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(Decimal(repr(value)))
    return value
