"""A plan as a JSON document, and back: what ``--format json`` prints and plan.schema.json says."""

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
    """Write a plan as JSON, in ASCII: whatever a value holds, it can be printed."""
    progress.begin("writing the plan", len(plan.tasks))
    return encode_indented(build_plan_document(plan)) + "\n"


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
        "source": build_source(task.source),
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
        "source": build_source(change.source),
    }


def build_source(source: Source) -> Json:
    """Write where something stands."""
    return {"file": source.file, "line": source.line, "column": source.column}


def _build_problem(problem: TaskProblem) -> Json:
    return {"kind": problem.kind.value, "message": problem.message, "hint": problem.hint}


MAKE_IT_AGAIN: Final = "make it again with reconciler plan --format json"


def restore_plan(document: Mapping[str, Any]) -> Plan:
    """Turn a document that is as the schema of plans says into the plan it was made of.

    Raises SavedFileError where its parts do not fit each other: it was edited, and what it
    shows is then no longer what was found.
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
    """Read which server it was."""
    return ServerIdentity(document["url"], document["edition"], document["version"])


def restore_shards(document: Mapping[str, Any]) -> tuple[Shard, ...]:
    """Read which parts of the tasks it is about; none are named where it is about all."""
    try:
        return parse_shards(document["shard"]) if "shard" in document else ()
    except ValueError as error:
        raise SavedFileError(f"shard: {error}", hint=MAKE_IT_AGAIN) from error


def restore_change(document: Mapping[str, Any]) -> Change:
    """Read one change; a side that is left out is not there."""
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
        raise SavedFileError(message, hint="no plan or report has such a value: it was edited")


def _restore_task(document: Mapping[str, Any]) -> TaskPlan:
    # An integer may be written 1.0 in JSON.
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
        raise SavedFileError(
            f"{message}: it was edited, or put together by hand", hint=MAKE_IT_AGAIN
        )


def _find_misfit(plan: Plan, document: Mapping[str, Any]) -> str:
    """Say what does not fit; nothing where all does."""
    for one, other in pairwise(task.task for task in plan.tasks):
        if one >= other:
            return f"task {other} comes after task {one}, and should stand before it"
    if plan.summary() != document["summary"]:
        return "its summary does not fit its tasks"
    if plan.shards:
        for task in plan.tasks:
            if not any(shard.holds(task.task) for shard in plan.shards):
                return f"task {task.task} is not of shard {document['shard']}"
    if plan.digest != document["digest"]:
        return "its digest does not fit its changes"
    return ""
