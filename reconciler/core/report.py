"""The report of an apply, as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from reconciler.core.model import Change, TaskKey, User
from reconciler.core.plan_model import ServerIdentity
from reconciler.core.problems import Allowance
from reconciler.core.redaction import SHOW_ALL, RedactionNote, RedactionSettings
from reconciler.core.shard import Shard, find_missing_shards, format_shards
from reconciler.core.target import EVERYTHING, Targets


class Outcome(StrEnum):
    """The outcome of one task."""

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
"""A PATCH was sent, or may have been; only the live values show how much of it was stored."""

STOPPED: Final = "the run was stopped before this task"
"""Why a task without problems was not started; another run can apply it."""


@dataclass(frozen=True, slots=True, repr=False)
class TaskOutcome:
    """The outcome of one task, and the reason for it.

    ``changes`` are those that were sent, or would have been sent. ``accepted`` is true if the plan
    leaves the task alone and the user allowed that. ``repairs`` is how often changes were applied
    again because another write had undone them. ``time`` is when the outcome was recorded, as
    `format_time` writes it; empty if not known. ``key`` is the key that named the task, and
    ``allowed`` what accepted problems of the task.
    """

    task: int
    outcome: Outcome
    changes: tuple[Change, ...] = ()
    error: str = ""
    accepted: bool = False
    repairs: int = 0
    time: str = ""
    key: TaskKey | None = None
    allowed: tuple[Allowance, ...] = ()

    def __repr__(self) -> str:
        return f"<Outcome of task {self.task}: {self.outcome}>"

    @property
    def is_good(self) -> bool:
        """Whether nothing is left to do for the task."""
        return self.outcome in GOOD or self.accepted

    @property
    def may_have_changed(self) -> bool:
        """Whether an update was sent for the task, or may have been."""
        return self.outcome in MAY_HAVE_CHANGED and bool(self.changes)


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit of the manifests; ``dirty`` if they had uncommitted changes."""

    id: str
    dirty: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One run of apply or revert: which plan, when, by which user, and from which commit.

    ``digest`` names the plan. ``started`` and ``ended`` are as `format_time` writes them. Values
    that are not known are empty or None. ``requests`` is how many were sent, None if the report
    was cut off, so that the rest of the run is unknown. ``shards`` are empty for all tasks, and so
    are ``targets``.
    """

    digest: str = field(repr=False)
    requests: int | None = None
    shards: tuple[Shard, ...] = ()
    command: str = "apply"
    started: str = ""
    ended: str = ""
    user: User | None = None
    commit: Commit | None = None
    targets: Targets = field(default=EVERYTHING, repr=False)


def list_run_facts(run: Run) -> dict[str, str]:
    """List what is known of a run, beside its command and its start, by what it is called."""
    commit = run.commit
    known = {
        "ended": run.ended,
        "shard": format_shards(run.shards),
        "target": str(run.targets),
        "user": str(run.user or ""),
        "commit": commit.id + ", with uncommitted changes" * commit.dirty if commit else "",
        "digest": run.digest,
    }
    return {name: value for name, value in known.items() if value}


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """The result of one run, or of several consecutive ``runs``.

    ``outcomes`` are in order of id, one for each task; but a task that one run changed and that a
    later run failed to change has an outcome for each of the two. ``shards`` are those of all runs
    together; empty for all tasks. ``redacted`` is set if values are masked, and ``hidden`` is what
    is masked wherever the report is shown.
    """

    server: ServerIdentity
    runs: tuple[Run, ...]
    outcomes: tuple[TaskOutcome, ...]
    shards: tuple[Shard, ...] = ()
    redacted: RedactionNote | None = None
    hidden: RedactionSettings = field(default=SHOW_ALL, compare=False)

    @property
    def requests(self) -> int | None:
        """How many requests were sent; None if a report was cut off."""
        sent = [run.requests for run in self.runs if run.requests is not None]
        return sum(sent) if len(sent) == len(self.runs) else None

    @property
    def complete(self) -> bool:
        """Whether the report is complete, that is, not cut off."""
        return self.requests is not None

    @property
    def missing_shards(self) -> tuple[Shard, ...]:
        """The shards that the report lacks to cover all tasks."""
        return tuple(find_missing_shards(self.shards))

    def describe(self) -> str:
        """Count the tasks by outcome, in words."""
        counts = describe_outcomes(self.outcomes)
        rest = [] if self.complete else ["the rest is unknown"]
        return ", ".join([*counts, *rest] or ["no tasks"])

    def __repr__(self) -> str:
        return (
            f"<Report of {self.command or 'several runs'} on {self.server.name}: {self.describe()}>"
        )

    def _repr_html_(self) -> str:
        """Show the report in a notebook."""
        from reconciler.core.notebook_view import (  # noqa: PLC0415 - it shows reports
            format_report_html,
        )

        return format_report_html(self)

    @property
    def is_good(self) -> bool:
        """Whether nothing is left to do for any task."""
        return all(outcome.is_good for outcome in self.outcomes)

    @property
    def command(self) -> str:
        """The command of all runs; empty if they differ."""
        commands = {run.command for run in self.runs}
        return commands.pop() if len(commands) == 1 else ""


def format_time(moment: datetime) -> str:
    """Write a time in UTC, to the millisecond; later times are greater as text, too."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def group_not_started(outcomes: Iterable[TaskOutcome]) -> Mapping[str, list[int]]:
    """Group the tasks that were not started by the reason."""
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
    """Count the tasks whose changes were applied again."""
    return sum(outcome.repairs > 0 for outcome in outcomes)
