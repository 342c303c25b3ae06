"""A plan as a JSON document, and back; plan.schema.json describes the document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

from reconciler.core.document_parts import (
    build_impact,
    build_key,
    build_problem,
    build_rule,
    build_seen,
    build_source,
    build_unresolved,
    restore_impact,
    restore_key,
    restore_problem,
    restore_rule,
    restore_seen,
    restore_source,
    restore_unresolved,
)
from reconciler.core.encoding import encode_indented
from reconciler.core.model import Change
from reconciler.core.notation import format_path, shorten
from reconciler.core.plan_model import Plan, ServerIdentity, Status, TaskPlan
from reconciler.core.redaction import RedactionNote
from reconciler.core.rule import RuleRef
from reconciler.core.shard import Shard, format_shards, parse_shards
from reconciler.core.since import Since
from reconciler.core.target import EVERYTHING, Targets
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
from reconciler.errors import SavedFileError
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
        "digest": plan.digest or None,
        **build_redacted_document(plan.redacted),
        **build_shards_document(plan.shards),
        **_build_targets(plan),
        "server": build_server_document(plan.server),
        **build_environment_document(plan.server),
        "summary": dict(plan.summary()),
        "tasks": [_build_task(task) for task in plan.tasks],
        **_build_rules_and_keys(plan),
        "requests": plan.requests,
    }


def _build_rules_and_keys(plan: Plan) -> dict[str, Json]:
    """Build the parts about rules and keys, which most plans do not have."""
    parts: dict[str, list[Json]] = {
        "rules": [build_rule(rule) for rule in plan.rules],
        "unresolved": [build_unresolved(key) for key in plan.unresolved],
    }
    return {name: part for name, part in parts.items() if part}


def build_redacted_document(note: RedactionNote | None) -> dict[str, Json]:
    """Build the part that says which values are masked; empty if none are."""
    if note is None:
        return {}
    return {
        "redacted": {
            "paths": [list(path) for path in note.redaction.hidden],
            "show_only": [list(path) for path in note.redaction.shown],
        }
    }


def build_server_document(server: ServerIdentity) -> dict[str, Json]:
    """Build the part that names the server."""
    return {"url": server.url, "edition": server.edition, "version": server.version}


def build_environment_document(server: ServerIdentity) -> dict[str, Json]:
    """Build the part that names the environment; empty if the run had none."""
    return {"environment": server.environment} if server.environment else {}


def build_shards_document(shards: tuple[Shard, ...]) -> dict[str, Json]:
    """Build the part that names the shards; empty if the plan is for all tasks."""
    return {"shard": format_shards(shards)} if shards else {}


def build_targets_document(targets: Targets) -> dict[str, Json]:
    """Build the part that names the targets."""
    return {
        "include": [str(one) for one in targets.include],
        "exclude": [str(one) for one in targets.exclude],
        **({"since": _build_since(targets.since)} if targets.since else {}),
    }


def _build_since(since: Since) -> Json:
    gone: Json = {"count": since.gone, "named": [*since.named]}
    return {
        "revision": since.revision,
        "commit": since.commit,
        "no_longer_declared": gone,
        "unread_files": since.unread,
    }


def _build_targets(plan: Plan) -> dict[str, Json]:
    if not plan.targets:
        return {}
    left_out: Json = {"tasks": plan.tasks_left_out, "changes": plan.changes_left_out}
    return {"targets": {**build_targets_document(plan.targets), "left_out": left_out}}


def _build_task(task: TaskPlan) -> Json:
    return {
        "task": task.task,
        "project": task.project,
        "status": task.status.value,
        "source": build_source(task.source),
        "changes": [build_change_document(change) for change in task.changes],
        "problems": [build_problem(problem) for problem in task.problems],
        **({"key": build_key(task.key)} if task.key else {}),
        **({"rules": [rule.name for rule in task.rules]} if task.rules else {}),
        **({"seen": [build_seen(*one) for one in task.seen]} if task.seen else {}),
        **({"impact": build_impact(task.impact)} if task.impact else {}),
    }


def build_change_document(change: Change) -> dict[str, Json]:
    """Build the document of one change."""
    sides = {"before": change.before, "after": change.after}
    return {
        "path": list(change.path),
        **{side: value for side, value in sides.items() if not isinstance(value, NoValue)},
        **({"before_unreadable": True} if change.before is UNREADABLE else {}),
        "source": build_source(change.source),
        **({"rule": change.rule} if change.rule else {}),
    }


_PLAN_AGAIN: Final = "create the plan again with reconciler plan --out"
_NO_SHARD: Final = "its shard is wrong"
_UNEDITED: Final = "reconciler does not write such a value: pass an unedited file"


def restore_plan(document: Mapping[str, Any]) -> Plan:
    """Restore a plan from a document that matches its schema.

    Raises SavedFileError if its parts contradict each other: then it was edited, and no longer
    shows what was planned.
    """
    rules = tuple(map(restore_rule, document.get("rules", ())))
    named = {planned.rule.name: planned.rule for planned in rules}
    plan = Plan(
        server=restore_server(document),
        tasks=tuple(_restore_task(task, named) for task in document["tasks"]),
        unchanged=int(document["summary"]["unchanged"]),
        requests=int(document["requests"]),
        shards=restore_shards(document),
        unresolved=tuple(map(restore_unresolved, document.get("unresolved", ()))),
        rules=rules,
        **_restore_left_out(document),
    )
    _check_unedited(plan, document)
    return plan


def restore_server(document: Mapping[str, Any]) -> ServerIdentity:
    """Restore the server of a document, and its environment."""
    server = document["server"]
    return ServerIdentity(
        server["url"], server["edition"], server["version"], document.get("environment")
    )


def restore_shards(document: Mapping[str, Any]) -> tuple[Shard, ...]:
    """Restore the shards of a document; empty if it is for all tasks."""
    try:
        return parse_shards(document["shard"]) if "shard" in document else ()
    except ValueError as error:
        raise SavedFileError(f"shard: {error}", hint=_UNEDITED, discreet=_NO_SHARD) from error


def restore_targets(document: Mapping[str, Any]) -> Targets:
    """Restore the targets of a document; those of all tasks if it has none."""
    written = document.get("targets")
    if written is None:
        return EVERYTHING
    try:
        targets = Targets.parse(written["include"], written["exclude"])
    except ValueError as error:
        raise SavedFileError(
            f"targets: {error}", hint=_UNEDITED, discreet="its targets are wrong"
        ) from error
    return (
        replace(targets, since=_restore_since(written["since"])) if "since" in written else targets
    )


def _restore_since(written: Mapping[str, Any]) -> Since:
    gone = written["no_longer_declared"]
    return Since(
        written["revision"],
        written["commit"],
        int(gone["count"]),
        tuple(gone["named"]),
        int(written["unread_files"]),
    )


def _restore_left_out(document: Mapping[str, Any]) -> dict[str, Any]:
    left_out = document.get("targets", {}).get("left_out", {})
    return {
        "targets": restore_targets(document),
        "tasks_left_out": int(left_out.get("tasks", 0)),
        "changes_left_out": int(left_out.get("changes", 0)),
    }


def restore_change(document: Mapping[str, Any]) -> Change:
    """Restore one change; a side that is left out is absent."""
    path = tuple(document["path"])
    unreadable = document.get("before_unreadable", False)
    before: Side = UNREADABLE if unreadable else document.get("before", ABSENT)
    after: Maybe = document.get("after", ABSENT)
    _check_depth(path, before)
    _check_depth(path, after)
    source = restore_source(document["source"])
    return Change(path, before, after, source, document.get("rule", ""))


def _check_depth(path: tuple[str, ...], value: Side) -> None:
    if isinstance(value, (dict, list)) and is_too_deep(value):
        at = shorten(format_path(path))
        message = f"{at}: its objects and lists are nested more than {DEPTH_MAX} deep"
        discreet = f"its objects and lists are nested more than {DEPTH_MAX} deep"
        raise SavedFileError(message, hint=_UNEDITED, discreet=discreet)


def _restore_task(document: Mapping[str, Any], rules: Mapping[str, RuleRef]) -> TaskPlan:
    unknown = [name for name in document.get("rules", ()) if name not in rules]
    if unknown:
        message = f"task {document['task']} names a rule that the plan does not have"
        raise SavedFileError(message, hint=_PLAN_AGAIN)
    # JSON may hold an integer as 1.0.
    return TaskPlan(
        task=int(document["task"]),
        project=None if document["project"] is None else int(document["project"]),
        status=Status(document["status"]),
        source=restore_source(document["source"]),
        changes=tuple(map(restore_change, document["changes"])),
        problems=tuple(map(restore_problem, document["problems"])),
        key=restore_key(document["key"]) if "key" in document else None,
        rules=tuple(rules[name] for name in document.get("rules", ())),
        seen=tuple(map(restore_seen, document.get("seen", ()))),
        impact=restore_impact(document["impact"]) if "impact" in document else None,
    )


def _check_unedited(plan: Plan, document: Mapping[str, Any]) -> None:
    message = _find_misfit(plan, document)
    if message:
        raise SavedFileError(f"{message}: the file was edited or damaged", hint=_PLAN_AGAIN)


def _find_misfit(plan: Plan, document: Mapping[str, Any]) -> str:
    """Describe what does not match; empty if everything does."""
    for task in plan.tasks:
        if {change.rule for change in task.changes} - {""} - {rule.name for rule in task.rules}:
            return f"task {task.task} has changes of rules that it does not name"
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
