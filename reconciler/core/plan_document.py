"""A plan as a JSON document: what ``--format json`` prints; its schema is plan.schema.json."""

from __future__ import annotations

from typing import Final

from reconciler.core.model import Change, Plan, ServerIdentity, TaskPlan, TaskProblem
from reconciler.core.shard import Shard, format_shards
from reconciler.core.values import UNREADABLE, Json, NoValue
from reconciler.errors import Source

FORMAT_VERSION: Final = "1.0"


def build_plan_document(plan: Plan) -> dict[str, Json]:
    """Write a plan as JSON; ``before`` or ``after`` left out means that nothing is there."""
    return {
        "format_version": FORMAT_VERSION,
        "digest": plan.digest,
        **build_shards_document(plan.shards),
        "server": build_server_document(plan.server),
        "summary": dict(plan.summary()),
        "tasks": [_build_task(task) for task in plan.tasks],
        "requests": plan.requests,
    }


def build_server_document(server: ServerIdentity) -> dict[str, Json]:
    """Write which server it is."""
    return {"url": server.url, "edition": server.edition, "version": server.version}


def build_shards_document(shards: tuple[Shard, ...]) -> dict[str, Json]:
    """Write which parts of the tasks were looked at; nothing where it was all of them."""
    return {"shard": format_shards(shards)} if shards else {}


def _build_task(task: TaskPlan) -> Json:
    return {
        "task": task.task,
        "project": task.project,
        "status": task.status.value,
        "source": _build_source(task.source),
        "changes": [build_change_document(change) for change in task.changes],
        "problems": [_build_problem(problem) for problem in task.problems],
    }


def build_change_document(change: Change) -> dict[str, Json]:
    """Write one change as JSON."""
    sides = {"before": change.before, "after": change.after}
    return {
        "path": list(change.path),
        **{side: value for side, value in sides.items() if not isinstance(value, NoValue)},
        **({"before_unreadable": True} if change.before is UNREADABLE else {}),
        "source": _build_source(change.source),
    }


def _build_source(source: Source) -> Json:
    return {"file": source.file, "line": source.line, "column": source.column}


def _build_problem(problem: TaskProblem) -> Json:
    return {"kind": problem.kind.value, "message": problem.message, "hint": problem.hint}
