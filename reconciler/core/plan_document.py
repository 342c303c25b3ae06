"""A plan as a JSON document, and back; plan.schema.json describes the document."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from reconciler.core.encoding import encode_indented
from reconciler.core.model import (
    Change,
    Kind,
    Plan,
    ServerIdentity,
    Status,
    TaskPlan,
    TaskProblem,
)
from reconciler.core.notation import format_path, shorten
from reconciler.core.shard import Shard, format_shards, parse_shards
from reconciler.core.values import (
    ABSENT,
    DEPTH_MAX,
    UNREADABLE,
    Json,
    Maybe,
    NoValue,
    Side,
    is_too_deep,
)
from reconciler.errors import SavedFileError, Source
from reconciler.progress import NULL_PROGRESS, ProgressListener

FORMAT_VERSION: Final = "1.0"


def format_plan(plan: Plan, *, progress: ProgressListener = NULL_PROGRESS) -> str:
    """Write a plan as JSON in ASCII, so that any terminal can print it."""
    progress.begin("writing the plan", len(plan.tasks))
    return encode_indented(build_plan_document(plan)) + "\n"


def build_plan_document(plan: Plan) -> dict[str, Json]:
    """Build the document of a plan; a missing ``before`` or ``after`` means absent."""
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
    """Build the part that names the server."""
    return {"url": server.url, "edition": server.edition, "version": server.version}


def build_shards_document(shards: tuple[Shard, ...]) -> dict[str, Json]:
    """Build the part that names the shards; empty if the plan is for all tasks."""
    return {"shard": format_shards(shards)} if shards else {}


def _build_task(task: TaskPlan) -> Json:
    return {
        "task": task.task,
        "project": task.project,
        "status": task.status.value,
        "source": build_source(task.source),
        "changes": [build_change_document(change) for change in task.changes],
        "problems": [_build_problem(problem) for problem in task.problems],
    }


def build_change_document(change: Change) -> dict[str, Json]:
    """Build the document of one change."""
    sides = {"before": change.before, "after": change.after}
    return {
        "path": list(change.path),
        **{side: value for side, value in sides.items() if not isinstance(value, NoValue)},
        **({"before_unreadable": True} if change.before is UNREADABLE else {}),
        "source": build_source(change.source),
    }


def build_source(source: Source) -> Json:
    """Build the document of a place in a file; a file itself is its first character."""
    return {"file": source.file, "line": source.line or 1, "column": source.column or 1}


def _build_problem(problem: TaskProblem) -> Json:
    return {"kind": problem.kind.value, "message": problem.message, "hint": problem.hint}


_PLAN_AGAIN: Final = "create the plan again with reconciler plan --out"
_UNEDITED: Final = "reconciler does not write such a value: pass an unedited file"


def restore_plan(document: Mapping[str, Any]) -> Plan:
    """Restore a plan from a document that matches its schema.

    Raises SavedFileError if its parts contradict each other: then it was edited, and no longer
    shows what was planned.
    """
    plan = Plan(
        server=restore_server(document["server"]),
        tasks=tuple(map(_restore_task, document["tasks"])),
        unchanged=int(document["summary"]["unchanged"]),
        requests=int(document["requests"]),
        shards=restore_shards(document),
    )
    _check_unedited(plan, document)
    return plan


def restore_server(document: Mapping[str, Any]) -> ServerIdentity:
    """Restore the server of a document."""
    return ServerIdentity(document["url"], document["edition"], document["version"])


def restore_shards(document: Mapping[str, Any]) -> tuple[Shard, ...]:
    """Restore the shards of a document; empty if it is for all tasks."""
    try:
        return parse_shards(document["shard"]) if "shard" in document else ()
    except ValueError as error:
        raise SavedFileError(f"shard: {error}", hint=_UNEDITED) from error


def restore_change(document: Mapping[str, Any]) -> Change:
    """Restore one change; a side that is left out is absent."""
    path = tuple(document["path"])
    unreadable = document.get("before_unreadable", False)
    before: Side = UNREADABLE if unreadable else document.get("before", ABSENT)
    after: Maybe = document.get("after", ABSENT)
    _check_depth(path, before)
    _check_depth(path, after)
    return Change(path, before, after, _restore_source(document["source"]))


def _check_depth(path: tuple[str, ...], value: Side) -> None:
    if isinstance(value, (dict, list)) and is_too_deep(value):
        at = shorten(format_path(path))
        message = f"{at}: its objects and lists are nested more than {DEPTH_MAX} deep"
        raise SavedFileError(message, hint=_UNEDITED)


def _restore_task(document: Mapping[str, Any]) -> TaskPlan:
    # JSON may hold an integer as 1.0.
    return TaskPlan(
        task=int(document["task"]),
        project=None if document["project"] is None else int(document["project"]),
        status=Status(document["status"]),
        source=_restore_source(document["source"]),
        changes=tuple(map(restore_change, document["changes"])),
        problems=tuple(map(_restore_problem, document["problems"])),
    )


def _restore_source(document: Mapping[str, Any]) -> Source:
    return Source(document["file"], int(document["line"]), int(document["column"]))


def _restore_problem(document: Mapping[str, Any]) -> TaskProblem:
    return TaskProblem(Kind(document["kind"]), document["message"], document["hint"])


def _check_unedited(plan: Plan, document: Mapping[str, Any]) -> None:
    message = _find_misfit(plan, document)
    if message:
        raise SavedFileError(f"{message}: the file was edited or damaged", hint=_PLAN_AGAIN)


def _find_misfit(plan: Plan, document: Mapping[str, Any]) -> str:
    """Describe what does not match; empty if everything does."""
    for one, other in pairwise(task.task for task in plan.tasks):
        if one >= other:
            return f"task {other} comes after task {one}, but tasks are in order of id"
    if plan.summary() != document["summary"]:
        return "its summary does not match its tasks"
    if plan.shards:
        for task in plan.tasks:
            if not any(shard.holds(task.task) for shard in plan.shards):
                return f"task {task.task} does not belong to shard {document['shard']}"
    if plan.digest != document["digest"]:
        return "its digest does not match its changes"
    return ""
