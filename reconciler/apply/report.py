"""What an apply did, as data and as lines of JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciler.plan.document import FORMAT_VERSION, change_document, server_document
from reconciler.plan.model import Change, ServerIdentity
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
    """What became of one task, and why; ``changes`` are those that were planned for it.

    ``accepted`` tells that the plan named the task as one to leave alone, and was allowed.
    """

    task: int
    outcome: Outcome
    changes: tuple[Change, ...] = ()
    error: str = ""
    accepted: bool = False

    @property
    def is_good(self) -> bool:
        """Whether nothing is left to be done about the task."""
        return self.outcome in GOOD or self.accepted


def first_line(digest: str, server: ServerIdentity) -> dict[str, Json]:
    """Write what a report is about."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "report",
        "digest": digest,
        "server": server_document(server),
    }


def task_line(outcome: TaskOutcome) -> dict[str, Json]:
    """Write what became of one task; a later line for the same task takes its place."""
    return {
        "task": outcome.task,
        "outcome": outcome.outcome.value,
        "changes": [change_document(change) for change in outcome.changes],
        **({"error": outcome.error} if outcome.error else {}),
    }


def last_line(outcomes: Iterable[TaskOutcome], requests: int) -> dict[str, Json]:
    """Write the counts of a whole run; a report without this line was cut off."""
    return {"summary": dict(counted(outcomes)), "requests": requests}


def counted(outcomes: Iterable[TaskOutcome]) -> dict[str, int]:
    """Count outcomes, in the order in which they are defined."""
    counts = Counter(outcome.outcome for outcome in outcomes)
    return {outcome.value: counts[outcome] for outcome in Outcome if counts[outcome]}
