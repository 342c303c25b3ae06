"""What an apply did, as data, as lines of JSON, and as one document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciler.plan.document import (
    FORMAT_VERSION,
    change_document,
    server_document,
    shards_document,
)
from reconciler.plan.model import Change, ServerIdentity
from reconciler.plan.shard import Shard
from reconciler.plan.values import Json


class Outcome(StrEnum):
    """What became of one task."""

    APPLIED = "applied"
    ALREADY = "already"
    STALE = "stale"
    NOT_HONOURED = "not_honoured"
    FAILED = "failed"
    MISSING = "missing"
    BLOCKED = "blocked"
    INTERRUPTED = "interrupted"


GOOD: Final = frozenset({Outcome.APPLIED, Outcome.ALREADY})
"""The task is as declared."""


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What became of one task, and why.

    ``changes`` are those that were sent for it, or would have been. ``accepted`` tells that the
    plan named the task as one to leave alone, and was allowed. ``repairs`` is how often changes
    were applied again because another write had undone them.
    """

    task: int
    outcome: Outcome
    changes: tuple[Change, ...] = ()
    error: str = ""
    accepted: bool = False
    repairs: int = 0

    @property
    def is_good(self) -> bool:
        """Whether nothing is left to be done about the task."""
        return self.outcome in GOOD or self.accepted


@dataclass(frozen=True, slots=True)
class Report:
    """What an apply did, or several: ``digests`` name the plans that were carried out.

    ``outcomes`` are in order of id, one a task. ``shards`` are the parts of the tasks that it is
    about; empty where it is about all. ``requests`` is how many were sent, and None where the
    report was cut off: what else was done is not known then.
    """

    digests: tuple[str, ...]
    server: ServerIdentity
    outcomes: tuple[TaskOutcome, ...]
    requests: int | None
    shards: tuple[Shard, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether the report tells all that was done."""
        return self.requests is not None


def first_line(
    digest: str, server: ServerIdentity, shards: tuple[Shard, ...] = ()
) -> dict[str, Json]:
    """Write what a report is about."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "report",
        "digest": digest,
        **shards_document(shards),
        "server": server_document(server),
    }


def task_line(outcome: TaskOutcome) -> dict[str, Json]:
    """Write what became of one task; a later line for the same task takes its place."""
    return {
        "task": outcome.task,
        "outcome": outcome.outcome.value,
        "changes": [change_document(change) for change in outcome.changes],
        **({"error": outcome.error} if outcome.error else {}),
        **({"accepted": True} if outcome.accepted else {}),
        **({"repairs": outcome.repairs} if outcome.repairs else {}),
    }


def last_line(outcomes: Iterable[TaskOutcome], requests: int) -> dict[str, Json]:
    """Write the counts of a whole run; a report without this line was cut off."""
    outcomes = tuple(outcomes)
    return {
        "summary": dict(counted(outcomes)),
        **_repaired_document(outcomes),
        "requests": requests,
    }


def report_document(report: Report) -> dict[str, Json]:
    """Write a whole report as one document."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "report",
        "digests": list(report.digests),
        **shards_document(report.shards),
        "server": server_document(report.server),
        "complete": report.complete,
        "summary": dict(counted(report.outcomes)),
        **_repaired_document(report.outcomes),
        "tasks": [task_line(outcome) for outcome in report.outcomes],
        "requests": report.requests,
    }


def counted(outcomes: Iterable[TaskOutcome]) -> dict[str, int]:
    """Count outcomes, in the order in which they are defined."""
    counts = Counter(outcome.outcome for outcome in outcomes)
    return {outcome.value: counts[outcome] for outcome in Outcome if counts[outcome]}


def count_repaired(outcomes: Iterable[TaskOutcome]) -> int:
    """Count the tasks of which changes were applied again."""
    return sum(outcome.repairs > 0 for outcome in outcomes)


def _repaired_document(outcomes: Iterable[TaskOutcome]) -> dict[str, Json]:
    repaired = count_repaired(outcomes)
    return {"repaired": repaired} if repaired else {}
