"""Carrying out an approved plan: every outcome goes to the report before the next request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.artifacts.report_file import ReportFile, ReportWriter
from reconciler.core.model import Plan
from reconciler.core.report import Run, TaskOutcome
from reconciler.core.values import Json
from reconciler.engine.commit import find_commit
from reconciler.engine.connection import Connection
from reconciler.engine.policy import ApprovedPlan, check_server
from reconciler.errors import Broken, NotFound, Refused
from reconciler.executor.execution import execute
from reconciler.executor.execution_options import ExecutionOptions

__all__ = ["ApplyResult", "ExecutionOptions", "apply_plan", "check_saved_plan", "describe_run"]


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What became of a plan.

    ``outcomes`` are in the plan's order. ``kept`` is where an earlier report of the same name lies
    now. ``lost`` tells why the report could not be written to its end, and ``unwritten`` are the
    lines that it lacks; nothing else has the values that were there before.
    """

    outcomes: tuple[TaskOutcome, ...]
    kept: Path | None = None
    lost: Refused | None = None
    unwritten: Sequence[Mapping[str, Json]] = ()

    @property
    def is_good(self) -> bool:
        """Whether all tasks are as planned, and the report tells it."""
        return not self.lost and all(outcome.is_good for outcome in self.outcomes)


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
) -> ApplyResult:
    """Carry a plan out. Raises Refused, before anything is changed, where no report can be begun.

    What was allowed when the plan was approved is what is allowed: ``options`` add nothing to it.
    ``report`` is the file that outcomes are written to, and ``run`` what its first line says.
    """
    plan, api = approved.plan, connection.api
    options = replace(options, allow=approved.allow)
    with ExitStack() as stack:
        file = stack.enter_context(ReportFile(report)) if report else None
        writer = ReportWriter(file, options.stop)
        if run:
            writer.open(run, plan.server)
        outcomes = execute(plan, api, connection.attributes, options=options, record=writer.record)
        writer.close(outcomes, api.requests)
    return ApplyResult(tuple(outcomes), file.kept if file else None, writer.lost, writer.unwritten)
