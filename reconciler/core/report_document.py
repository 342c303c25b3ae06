"""A report as lines of JSON or as one document, and back; see `report.schema.json`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.core.document_parts import (
    build_allowance,
    build_key,
    restore_allowance,
    restore_key,
)
from reconciler.core.ids import format_ranges, parse_ranges
from reconciler.core.model import User
from reconciler.core.plan_document import (
    FORMAT_VERSION,
    build_change_document,
    build_environment_document,
    build_redacted_document,
    build_server_document,
    build_shards_document,
    build_targets_document,
    restore_change,
    restore_server,
    restore_shards,
    restore_targets,
)
from reconciler.core.plan_model import ServerIdentity
from reconciler.core.report import (
    Commit,
    Outcome,
    Report,
    Run,
    TaskOutcome,
    count_outcomes,
    count_repaired,
    group_not_started,
)
from reconciler.core.values import Json
from reconciler.errors import SavedFileError


def restore_report(
    first: Mapping[str, Any], lines: Iterable[Mapping[str, Any]], last: Mapping[str, Any] | None
) -> Report:
    """Restore a report from lines that match its schema.

    A later line for a task replaces an earlier one; without ``last`` the report was cut off.
    Raises SavedFileError if the counts in the last line do not match the other lines.
    """
    latest = {outcome.task: outcome for line in lines for outcome in _restore_outcomes(line)}
    outcomes = tuple(latest[task] for task in sorted(latest))
    if last is not None and last["summary"] != count_outcomes(outcomes):
        raise SavedFileError(
            "the counts in its last line do not match its other lines: the report was edited "
            "or damaged",
            hint="pass the report as apply wrote it",
        )
    run = _restore_run(first, last)
    return Report(restore_server(first), (run,), outcomes, run.shards)


def _restore_run(first: Mapping[str, Any], last: Mapping[str, Any] | None) -> Run:
    user, commit = first.get("user"), first.get("commit")
    return Run(
        digest=first["digest"],
        requests=None if last is None else int(last["requests"]),
        shards=restore_shards(first),
        targets=restore_targets(first),
        command=first.get("command", "apply"),
        started=first.get("started", ""),
        ended="" if last is None else last.get("ended", ""),
        user=None if user is None else User(int(user["id"]), user["email"]),
        commit=None if commit is None else Commit(commit["id"], commit.get("dirty", False)),
    )


def _restore_outcomes(line: Mapping[str, Any]) -> Iterator[TaskOutcome]:
    if "not_started" not in line:
        yield _restore_outcome(line)
        return
    written = line["not_started"]
    try:
        for task in parse_ranges(written["tasks"], int(written["count"])):
            yield TaskOutcome(task, Outcome.INTERRUPTED, (), line["error"])
    except ValueError as error:
        raise SavedFileError(f"not_started: {error}: the report was edited or damaged") from error


def _restore_outcome(line: Mapping[str, Any]) -> TaskOutcome:
    return TaskOutcome(
        task=int(line["task"]),
        outcome=Outcome(line["outcome"]),
        changes=tuple(map(restore_change, line["changes"])),
        error=line.get("error", ""),
        accepted=line.get("accepted", False),
        repairs=int(line.get("repairs", 0)),
        time=line.get("time", ""),
        key=restore_key(line["key"]) if "key" in line else None,
        allowed=tuple(map(restore_allowance, line.get("allowed", ()))),
    )


def build_first_line(run: Run, server: ServerIdentity) -> dict[str, Json]:
    """Build the first line of a report: its plan, server and run."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "report",
        "digest": run.digest,
        **build_shards_document(run.shards),
        **_build_targets(run),
        "server": build_server_document(server),
        **build_environment_document(server),
        "command": run.command,
        **_build_origin(run),
    }


def _build_origin(run: Run) -> dict[str, Json]:
    """Build the start, user and commit of a run, leaving out what is not known."""
    user, commit = run.user, run.commit
    return {
        **({"started": run.started} if run.started else {}),
        **({"user": {"id": user.id, "email": user.email}} if user else {}),
        **({"commit": _build_commit(commit)} if commit else {}),
    }


def _build_commit(commit: Commit) -> dict[str, Json]:
    return {"id": commit.id, **({"dirty": True} if commit.dirty else {})}


def build_task_line(outcome: TaskOutcome) -> dict[str, Json]:
    """Build the line of one outcome; a later line for the same task replaces it."""
    return {
        "task": outcome.task,
        "outcome": outcome.outcome.value,
        **({"time": outcome.time} if outcome.time else {}),
        "changes": [build_change_document(change) for change in outcome.changes],
        **({"error": outcome.error} if outcome.error else {}),
        **({"accepted": True} if outcome.accepted else {}),
        **_build_allowed(outcome),
        **({"repairs": outcome.repairs} if outcome.repairs else {}),
        **({"key": build_key(outcome.key)} if outcome.key else {}),
    }


def build_not_started_lines(outcomes: Iterable[TaskOutcome]) -> Iterator[dict[str, Json]]:
    """Build the lines for the tasks that were not started, one for each reason."""
    for error, tasks in group_not_started(outcomes).items():
        written = ", ".join(format_ranges(tasks))
        yield {"not_started": {"count": len(tasks), "tasks": written}, "error": error}


def build_last_line(
    outcomes: Iterable[TaskOutcome], requests: int, ended: str = ""
) -> dict[str, Json]:
    """Build the last line, with the counts of the run; a report without it was cut off."""
    outcomes = tuple(outcomes)
    return {
        "summary": dict(count_outcomes(outcomes)),
        **_build_repaired(outcomes),
        "requests": requests,
        **({"ended": ended} if ended else {}),
    }


def build_report_document(report: Report) -> dict[str, Json]:
    """Build one document of a whole report."""
    detailed = [outcome for outcome in report.outcomes if not _is_brief(outcome)]
    lines: list[Json] = list(build_not_started_lines(filter(_is_brief, report.outcomes)))
    return {
        "format_version": FORMAT_VERSION,
        "kind": "report",
        "digests": [run.digest or None for run in report.runs],
        **build_redacted_document(report.redacted),
        **build_shards_document(report.shards),
        "server": build_server_document(report.server),
        **build_environment_document(report.server),
        "runs": [_build_run(run) for run in report.runs],
        "complete": report.complete,
        "summary": dict(count_outcomes(report.outcomes)),
        **_build_repaired(report.outcomes),
        "tasks": [build_task_line(outcome) for outcome in detailed],
        **({"not_started": lines} if lines else {}),
        "requests": report.requests,
    }


def _is_brief(outcome: TaskOutcome) -> bool:
    """Tell whether a task was not started and has no changes: old reports list such tasks."""
    return outcome.outcome is Outcome.INTERRUPTED and not outcome.changes


def _build_run(run: Run) -> Json:
    return {
        "command": run.command,
        "digest": run.digest or None,
        **build_shards_document(run.shards),
        **_build_targets(run),
        **_build_origin(run),
        **({"ended": run.ended} if run.ended else {}),
        "requests": run.requests,
    }


def _build_targets(run: Run) -> dict[str, Json]:
    return {"targets": build_targets_document(run.targets)} if run.targets else {}


def _build_allowed(outcome: TaskOutcome) -> dict[str, Json]:
    allowed: list[Json] = [*map(build_allowance, outcome.allowed)]
    return {"allowed": allowed} if allowed else {}


def _build_repaired(outcomes: Iterable[TaskOutcome]) -> dict[str, Json]:
    repaired = count_repaired(outcomes)
    return {"repaired": repaired} if repaired else {}
