"""Applying an approved plan; an outcome is on disk before its worker sends another update."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.artifacts.report_file import ReportFile, ReportWriter, check_report, save_unwritten
from reconciler.core.allowances import Allowances, Entry
from reconciler.core.plan_model import Plan
from reconciler.core.report import Report, Run, TaskOutcome
from reconciler.engine.commit import find_commit
from reconciler.engine.connection import Connection
from reconciler.engine.policy import ApplyPolicy, ApprovedPlan, check_server
from reconciler.engine.settings.run_settings import Settings
from reconciler.errors import Broken, NotFound, ReconcilerError, Refused
from reconciler.executor.execution import execute
from reconciler.executor.execution_options import ExecutionOptions
from reconciler.progress import NULL_PROGRESS, ProgressListener

__all__ = [
    "ApplyOptions",
    "ApplyResult",
    "ApplyStopped",
    "apply_plan",
    "build_execution_options",
    "build_policy",
    "check_report",
    "check_saved_plan",
    "describe_run",
    "save_unwritten",
]


@dataclass(frozen=True, slots=True, init=False)
class ApplyOptions:
    """How to apply a plan, in addition to `Settings`.

    Attributes:
        allow: Kinds of problem, such as ``["missing"]``: tasks with them are left out, instead of
            the plan being refused. To change such tasks, allow the kind when you plan. A kind may
            have a path, such as ``"annotated-data:data.image"``.
        deny: Kinds of problem that nothing may allow, neither ``allow`` nor the plan.
        expected_digest: Digest of the plan that was reviewed; None accepts any plan.
        canary: How many tasks to change first; the others follow only if these are as declared
            when they are read again. 0 for none.
        careful: Whether to read each task just before its update: twice the requests, but the
            shortest time in which another client's edit could be overwritten.
        commit: Commit of the manifests, for the report; empty if not known.

    Raises:
        ValueError: ``allow`` or ``deny`` holds a kind that cannot be allowed, or ``canary`` is not
            a number of tasks.
        TypeError: ``commit`` or ``careful`` is of another type.

    """

    allow: Allowances
    expected_digest: str | None
    canary: int
    careful: bool
    commit: str

    def __init__(
        self,
        *,
        allow: Iterable[Entry] = (),
        deny: Iterable[Entry] = (),
        expected_digest: str | None = None,
        canary: int = 0,
        careful: bool = False,
        commit: str = "",
    ) -> None:
        if type(canary) is not int or canary < 0:
            raise ValueError(f"canary: expected a number of tasks, found {canary!r}")
        if type(careful) is not bool:
            raise TypeError(f"careful: expected True or False, found {careful!r}")
        if type(commit) is not str:
            raise TypeError(f"commit: expected text, found {commit!r}")
        for name, value in {
            "allow": Allowances.of(allow, deny),
            "expected_digest": expected_digest,
            "canary": canary,
            "careful": careful,
            "commit": commit,
        }.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """The result of an apply.

    ``report`` has the outcomes, in the plan's order. ``kept`` is the new path of an earlier report
    file of the same name. ``lost`` is the error if the report file could not be completed, and
    ``unwritten`` are the lines that it lacks.
    """

    report: Report
    kept: Path | None = None
    lost: Refused | None = None
    unwritten: tuple[str, ...] = ()

    @property
    def outcomes(self) -> tuple[TaskOutcome, ...]:
        """The outcome of each task."""
        return self.report.outcomes

    @property
    def is_good(self) -> bool:
        """Whether all tasks are as planned, and the report file is complete."""
        return not self.lost and self.report.is_good


class ApplyStopped(ReconcilerError):
    """An apply ended early: a callback raised, or its report file could not be completed.

    ``report`` says what was done until then, ``unwritten`` are the lines that the report file
    lacks, and ``__cause__`` is the error that stopped the run.
    """

    def __init__(self, message: str, result: ApplyResult) -> None:
        super().__init__(f"stopped: {message}", hint="apply the plan again to continue")
        self.report: Report = result.report
        self.unwritten: tuple[str, ...] = result.unwritten


def build_policy(settings: Settings, options: ApplyOptions) -> ApplyPolicy:
    """Build the policy that a plan must satisfy to be applied."""
    allow = options.allow.deny(settings.deny)
    return ApplyPolicy(
        allow,
        settings.max_changes,
        options.expected_digest,
        settings.digest_key,
        redacted=bool(settings.redaction),
    )


def build_execution_options(
    settings: Settings,
    options: ApplyOptions,
    *,
    progress: ProgressListener = NULL_PROGRESS,
    stop: threading.Event | None = None,
) -> ExecutionOptions:
    """Build the options for the executor."""
    return ExecutionOptions(
        concurrency=settings.concurrency,
        rps=settings.rps,
        canary=options.canary,
        careful=options.careful,
        progress=progress,
        stop=stop or threading.Event(),
    )


def check_saved_plan(plan: Plan, connection: Connection, *, file: str) -> None:
    """Raise Refused if a saved plan is for another server, ServerError for a bad token."""
    check_server(plan.server, connection.identify(), file)
    if plan.updates:
        # The request before needs no token; this one reveals a bad token before the report begins.
        with suppress(NotFound, Broken):
            connection.api.project_of(plan.updates[0].task)


def describe_run(
    plan: Plan,
    connection: Connection,
    *,
    command: str,
    manifests: Sequence[str],
    environment: Mapping[str, str],
) -> Run:
    """Describe the run for its report: plan, user of the token, commit of the manifests."""
    return Run(
        plan.digest,
        shards=plan.shards,
        targets=plan.targets,
        command=command,
        user=connection.api.user(),
        commit=find_commit(manifests, environment),
    )


def apply_plan(
    approved: ApprovedPlan,
    connection: Connection,
    *,
    options: ExecutionOptions,
    report: Path | None = None,
    run: Run | None = None,
    on_outcome: Callable[[TaskOutcome], None] | None = None,
) -> ApplyResult:
    """Apply a plan. Raises Refused, before any change, if the report cannot be begun.

    Only the kinds of problem that were allowed at the approval are allowed, whatever ``options``
    say. ``report`` is the file for the outcomes, ``run`` describes the run in its first line.
    ``on_outcome`` receives each outcome after it is written, and must not raise.
    """
    plan, api = approved.plan, connection.api
    options = replace(options, allow=approved.allow)
    run = run or Run(plan.digest, shards=plan.shards, targets=plan.targets)

    def record(outcome: TaskOutcome) -> None:
        recorded = writer.record(outcome)
        if on_outcome:
            on_outcome(recorded)

    with ExitStack() as stack:
        file = stack.enter_context(ReportFile(report)) if report else None
        writer = ReportWriter(file, options.stop, run=run, server=plan.server)
        writer.open()
        outcomes = execute(plan, api, connection.attributes, options=options, record=record)
        completed = writer.close(outcomes, api.requests)
    return ApplyResult(completed, file.kept if file else None, writer.lost, tuple(writer.unwritten))
