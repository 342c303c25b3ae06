"""Carrying out an approved plan: every outcome goes to the report before the next request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.artifacts.report_file import ReportFile, ReportWriter
from reconciler.core.model import Kind, Plan
from reconciler.core.report import Report, Run, TaskOutcome
from reconciler.engine.commit import find_commit
from reconciler.engine.connection import Connection
from reconciler.engine.policy import ApplyPolicy, ApprovedPlan, check_server, parse_allowed
from reconciler.engine.settings.run_settings import Settings
from reconciler.errors import Broken, NotFound, ReconcilerError, Refused
from reconciler.executor.execution import execute
from reconciler.executor.execution_options import ExecutionOptions
from reconciler.progress import NULL_PROGRESS, ProgressListener


@dataclass(frozen=True, slots=True, init=False)
class ApplyOptions:
    """How to carry a plan out, beyond what `Settings` say.

    Attributes:
        allow: Kinds of problem, such as ``["missing"]``: tasks with them are left out, instead of
            the plan being refused. To change such tasks, allow the kind when you plan.
        expected_digest: Digest of the plan that was reviewed; None accepts any plan.
        canary: Tasks to change first; the others follow only if these hold when they are read
            again. 0 for none.
        careful: Whether to read each task just before its update: twice the requests, for the
            shortest time in which an edit by somebody else is overwritten.
        commit: Commit of the manifests, for the report; empty where it is not known.

    Raises:
        ValueError: ``allow`` holds what cannot be allowed, or ``canary`` is not a number of tasks.
        TypeError: ``commit`` or ``careful`` is of another type.

    """

    allow: frozenset[Kind]
    expected_digest: str | None
    canary: int
    careful: bool
    commit: str

    def __init__(
        self,
        *,
        allow: Iterable[Kind | str] = (),
        expected_digest: str | None = None,
        canary: int = 0,
        careful: bool = False,
        commit: str = "",
    ) -> None:
        if type(canary) is not int or canary < 0:
            raise ValueError(f"a canary of {canary} tasks is not possible")
        if type(commit) is not str or type(careful) is not bool:
            raise TypeError("commit is text, and careful is True or False")
        for name, value in {
            "allow": parse_allowed(allow),
            "expected_digest": expected_digest,
            "canary": canary,
            "careful": careful,
            "commit": commit,
        }.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What became of a plan.

    ``report`` has the outcomes, in the plan's order. ``kept`` is where an earlier report file of
    the same name lies now. ``lost`` tells why the report file could not be written to its end, and
    ``unwritten`` are the lines that it lacks.
    """

    report: Report
    kept: Path | None = None
    lost: Refused | None = None
    unwritten: tuple[str, ...] = ()

    @property
    def outcomes(self) -> tuple[TaskOutcome, ...]:
        """What became of each task."""
        return self.report.outcomes

    @property
    def is_good(self) -> bool:
        """Whether all tasks are as planned, and the report file tells it."""
        return not self.lost and self.report.is_good


class ApplyStopped(ReconcilerError):
    """An apply ended early: a callback raised, or its report could not be written to its end.

    ``report`` tells what was done until then, ``unwritten`` are the lines that the report file
    lacks, and ``__cause__`` is what stopped the run.
    """

    def __init__(self, message: str, result: ApplyResult) -> None:
        super().__init__(f"stopped: {message}", hint="apply the plan again to continue")
        self.report: Report = result.report
        self.unwritten: tuple[str, ...] = result.unwritten


def build_policy(settings: Settings, options: ApplyOptions) -> ApplyPolicy:
    """Say what a plan must satisfy to be carried out."""
    return ApplyPolicy(options.allow, settings.max_changes, options.expected_digest)


def build_execution_options(
    settings: Settings,
    options: ApplyOptions,
    *,
    progress: ProgressListener = NULL_PROGRESS,
    stop: threading.Event | None = None,
) -> ExecutionOptions:
    """Tell the executor how to carry a plan out."""
    return ExecutionOptions(
        concurrency=settings.concurrency,
        rps=settings.rps,
        canary=options.canary,
        careful=options.careful,
        progress=progress,
        stop=stop or threading.Event(),
    )


def check_saved_plan(plan: Plan, connection: Connection, *, file: str) -> None:
    """Raise Refused for a saved plan that is about another server, ServerError for a bad token."""
    check_server(plan.server, connection.api.identity(), file)
    if plan.updates:
        # A server tells anybody its version: a token that it refuses is to show before the report.
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
    """Say what a report is about, with whose token it is and which commit manifests are at."""
    return Run(
        plan.digest,
        shards=plan.shards,
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
    """Carry a plan out. Raises Refused, before anything is changed, where no report can be begun.

    What was allowed when the plan was approved is what is allowed: ``options`` add nothing to it.
    ``report`` is the file that outcomes are written to, and ``run`` what its first line says.
    ``on_outcome`` is told each outcome once it is written, and must not raise.
    """
    plan, api = approved.plan, connection.api
    options = replace(options, allow=approved.allow)
    run = run or Run(plan.digest, shards=plan.shards)

    def record(outcome: TaskOutcome) -> None:
        recorded = writer.record(outcome)
        if on_outcome:
            on_outcome(recorded)

    with ExitStack() as stack:
        file = stack.enter_context(ReportFile(report)) if report else None
        writer = ReportWriter(file, options.stop, run=run, server=plan.server)
        writer.open()
        outcomes = execute(plan, api, connection.attributes, options=options, record=record)
        told = writer.close(outcomes, api.requests)
    return ApplyResult(told, file.kept if file else None, writer.lost, tuple(writer.unwritten))
