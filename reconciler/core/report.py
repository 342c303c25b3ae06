"""What an apply did, as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from reconciler.core.model import Change, ServerIdentity, User
from reconciler.core.shard import Shard, find_missing_shards


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

_IN_WORDS: Final[Mapping[str, str]] = {
    Outcome.ALREADY: "already up to date",
    Outcome.INTERRUPTED: "not started",
}

MAY_HAVE_CHANGED: Final = frozenset({Outcome.APPLIED, Outcome.NOT_HONOURED, Outcome.FAILED})
"""A PATCH was sent, or may have been: the live values tell how much of it was stored."""

STOPPED: Final = "the run was stopped before this task"
"""Why a task was not started where nothing was wrong with it: another run does it."""


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What became of one task, and why.

    ``changes`` are those that were sent for it, or would have been. ``accepted`` tells that the
    plan named the task as one to leave alone, and was allowed. ``repairs`` is how often changes
    were applied again because another write had undone them. ``time`` is when it was recorded, as
    `format_time` writes it; empty where that is not known.
    """

    task: int
    outcome: Outcome
    changes: tuple[Change, ...] = ()
    error: str = ""
    accepted: bool = False
    repairs: int = 0
    time: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nothing is left to be done about the task."""
        return self.outcome in GOOD or self.accepted

    @property
    def may_have_changed(self) -> bool:
        """Whether an update was sent for the task, or may have been."""
        return self.outcome in MAY_HAVE_CHANGED and bool(self.changes)


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit that manifests were at; ``dirty`` where they had changes beside it."""

    id: str
    dirty: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One run of apply or revert: which plan it carried out, when, by whom, and from what.

    ``digest`` names the plan. ``started`` and ``ended`` are as `format_time` writes them. What is
    not known is empty or None. ``requests`` is how many were sent, and None where the report was
    cut off: what else was done is not known then. ``shards`` are the parts of the tasks that it is
    about; empty where it is about all.
    """

    digest: str
    requests: int | None = None
    shards: tuple[Shard, ...] = ()
    command: str = "apply"
    started: str = ""
    ended: str = ""
    user: User | None = None
    commit: Commit | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """What a run did, or several did one after the other, in the order of ``runs``.

    ``outcomes`` are in order of id. Each is of another task, but for a task that one of several
    runs changed and a later one did not come to change: it has an outcome of each. ``shards`` are
    the parts of the tasks that all runs together are about; empty where it is about all.
    """

    server: ServerIdentity
    runs: tuple[Run, ...]
    outcomes: tuple[TaskOutcome, ...]
    shards: tuple[Shard, ...] = ()

    @property
    def requests(self) -> int | None:
        """How many requests were sent; None where a report was cut off."""
        sent = [run.requests for run in self.runs if run.requests is not None]
        return sum(sent) if len(sent) == len(self.runs) else None

    @property
    def complete(self) -> bool:
        """Whether the report tells all that was done."""
        return self.requests is not None

    @property
    def missing_shards(self) -> tuple[Shard, ...]:
        """The shards that the report lacks to be about all tasks."""
        return tuple(find_missing_shards(self.shards))

    def describe(self) -> str:
        """Count the tasks by outcome, in words."""
        told = describe_outcomes(self.outcomes)
        return ", ".join(
            [*told, *([] if self.complete else ["the rest is not known"])] or ["no tasks"]
        )

    def __repr__(self) -> str:
        return (
            f"<Report of {self.command or 'several runs'} on {self.server.url}: {self.describe()}>"
        )

    def _repr_html_(self) -> str:
        """Show the report in a notebook."""
        from reconciler.core.notebook_view import (  # noqa: PLC0415 - it shows reports
            format_report_html,
        )

        return format_report_html(self)

    @property
    def is_good(self) -> bool:
        """Whether nothing is left to be done about any task."""
        return all(outcome.is_good for outcome in self.outcomes)

    @property
    def command(self) -> str:
        """The command of all runs; empty where they are of different ones."""
        commands = {run.command for run in self.runs}
        return commands.pop() if len(commands) == 1 else ""


def format_time(moment: datetime) -> str:
    """Write a moment in UTC, to the millisecond: in text as in time, a later one is greater."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def group_not_started(outcomes: Iterable[TaskOutcome]) -> Mapping[str, list[int]]:
    """Give the tasks that were not started, by the reason."""
    found: dict[str, list[int]] = {}
    for outcome in outcomes:
        if outcome.outcome is Outcome.INTERRUPTED:
            found.setdefault(outcome.error, []).append(outcome.task)
    return found


def count_outcomes(outcomes: Iterable[TaskOutcome]) -> dict[str, int]:
    """Count outcomes, in the order in which they are defined."""
    counts = Counter(outcome.outcome for outcome in outcomes)
    return {outcome.value: counts[outcome] for outcome in Outcome if counts[outcome]}


def describe_outcome(outcome: str) -> str:
    """Write an outcome in words."""
    return _IN_WORDS.get(outcome, outcome.replace("_", " "))


def describe_outcomes(outcomes: Sequence[TaskOutcome]) -> list[str]:
    """Write the counts in words: ``3 applied``, ``2 missing (1 allowed)``."""
    accepted = count_outcomes(outcome for outcome in outcomes if outcome.accepted)
    return [
        f"{count:,} {describe_outcome(outcome)}"
        + _describe_allowed(accepted.get(outcome, 0), count)
        for outcome, count in count_outcomes(outcomes).items()
    ]


def _describe_allowed(allowed: int, count: int) -> str:
    if allowed == count:
        return " (allowed)"
    return f" ({allowed:,} allowed)" if allowed else ""


def count_repaired(outcomes: Iterable[TaskOutcome]) -> int:
    """Count the tasks of which changes were applied again."""
    return sum(outcome.repairs > 0 for outcome in outcomes)
