"""Applying for programs: with their callbacks, and with a stop that another thread may set."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from reconciler.artifacts.report_file import check_report
from reconciler.core.allowances import mark_plan
from reconciler.core.plan_model import Plan
from reconciler.core.report import Commit, Report, Run, TaskOutcome
from reconciler.engine.apply import (
    ApplyOptions,
    ApplyResult,
    ApplyStopped,
    apply_plan,
    build_execution_options,
    build_policy,
)
from reconciler.engine.callbacks import GuardedCallbacks
from reconciler.engine.connection import Connection
from reconciler.engine.interruption import run_until_stopped
from reconciler.engine.policy import Blockers, approve, check_output, find_blockers
from reconciler.engine.settings.run_settings import Settings
from reconciler.errors import Refused
from reconciler.progress import ProgressListener


def apply_guarded(  # noqa: PLR0913 - the work, and the listeners to it
    plan: Plan,
    connection: Connection,
    *,
    command: str,
    settings: Settings,
    options: ApplyOptions,
    report: str | Path | None,
    on_outcome: Callable[[TaskOutcome], object] | None,
    progress: ProgressListener,
    stop: threading.Event | None,
) -> Report:
    """Apply a plan that `approve` accepts; arguments and errors are those of `reconciler.apply`.

    ``command`` is named in the report.
    """
    policy = build_policy(settings, options)
    # A copy, so that its digest is computed again: the caller may have changed values in place.
    plan = mark_plan(replace(plan), policy.allow)
    if on_outcome is not None and not callable(on_outcome):
        kind = type(on_outcome).__name__
        raise TypeError(f"on_outcome: expected a callable, found a value of type {kind}")
    file = None if report is None else Path(report)
    check_report(file)
    check_output(file, sorted({task.source.file for task in plan.tasks}), "report")
    blockers = find_blockers(plan, policy.allow)
    if blockers:
        raise Refused(f"nothing was changed: {blockers.message}", hint=_advise(blockers))
    approved = approve(plan, policy)
    # Not the caller's event: a failure of this run must not stop other runs that share it.
    stopped = threading.Event()
    callbacks = GuardedCallbacks(on_outcome, progress, stop=stopped)
    run = Run(
        plan.digest,
        shards=plan.shards,
        targets=plan.targets,
        command=command,
        user=connection.api.user(),
        commit=Commit(options.commit) if options.commit else None,
    )
    execution = build_execution_options(settings, options, progress=callbacks, stop=stopped)
    result = _run(
        lambda: apply_plan(
            approved,
            connection,
            options=execution,
            report=file,
            run=run,
            on_outcome=callbacks.on_outcome,
        ),
        stopped,
        is_signalled=stop.is_set if stop else lambda: False,
    )
    if callbacks.error:
        raise ApplyStopped(f"a callback raised {callbacks.error!r}", result) from callbacks.error
    if result.lost:
        raise ApplyStopped(result.lost.message, result) from result.lost
    return result.report


def _advise(blockers: Blockers) -> str:
    """Say what a program can do about blocked tasks."""
    remedies = ["fix the manifests"]
    if blockers.changing:
        kinds = ", ".join(f'"{kind}"' for kind in blockers.changing)
        remedies.append(f"to change these tasks anyway, pass allow=[{kinds}] to plan")
    if blockers.kinds:
        kinds = ", ".join(f'"{kind}"' for kind in blockers.kinds)
        remedies.append(f"to leave them out, pass ApplyOptions(allow=[{kinds}])")
    return "; or ".join(remedies)


def _run(
    work: Callable[[], ApplyResult], stop: threading.Event, *, is_signalled: Callable[[], bool]
) -> ApplyResult:
    """Do the work; raise an interrupt again after its end, with a note that says what was done."""
    results: list[ApplyResult] = []
    try:
        run_until_stopped(lambda: results.append(work()), stop, is_signalled=is_signalled)
    except KeyboardInterrupt as interrupt:
        for result in results:
            interrupt.add_note(f"reconciler stopped: {result.report.describe()}")
            if result.unwritten:
                lines = "\n".join(result.unwritten)
                advice = "append these lines, which could not be written, to complete the report:"
                interrupt.add_note(f"{advice}\n{lines}")
        raise
    return results[0]
