"""Carrying out an approved plan: every outcome goes to the report before the next request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from reconciler.artifacts.report_file import ReportFile, ReportWriter
from reconciler.contract.attributes import Attributes
from reconciler.core.model import Plan
from reconciler.core.report import Run, TaskOutcome
from reconciler.core.values import Json
from reconciler.engine.commit import find_commit
from reconciler.engine.policy import ApprovedPlan
from reconciler.errors import Refused
from reconciler.executor.apply_options import ApplyOptions
from reconciler.executor.execution import execute
from reconciler.labelstudio.task_api import TaskApi


@dataclass(frozen=True, slots=True)
class Applied:
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


def describe_run(
    plan: Plan,
    api: TaskApi,
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
        user=api.user(),
        commit=find_commit(manifests, environment),
    )


def apply_plan(
    approved: ApprovedPlan,
    api: TaskApi,
    attributes: Attributes,
    *,
    options: ApplyOptions,
    report: Path | None = None,
    run: Run | None = None,
) -> Applied:
    """Carry a plan out. Raises Refused, before anything is changed, where no report can be begun.

    ``report`` is the file that outcomes are written to, and ``run`` what its first line says.
    """
    with ExitStack() as stack:
        file = stack.enter_context(ReportFile(report)) if report else None
        writer = ReportWriter(file, options.stop)
        if run:
            writer.open(run, approved.plan.server)
        outcomes = execute(approved.plan, api, attributes, options=options, record=writer.record)
        writer.close(outcomes, api.requests)
    return Applied(tuple(outcomes), file.kept if file else None, writer.lost, writer.unwritten)
