"""The engine for callers from Python: what the command line does, without printing or exiting.

Every function here is re-exported by `reconciler`. All of them may be called from any thread, and
from several at once; none installs a signal handler, reads the environment or changes a setting of
the process. Long ones take a ``progress``: an object with the methods of `ProgressListener`, which
are called from the threads of the run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import overload

from reconciler.artifacts import plan_file
from reconciler.artifacts.report_file import check_report
from reconciler.artifacts.saved_file import read_saved
from reconciler.contract.openapi import load_contract
from reconciler.core.merge import merge_plans
from reconciler.core.model import Kind, Plan
from reconciler.core.report import Commit, Report, Run, TaskOutcome
from reconciler.core.report_history import compose_changes, merge_reports
from reconciler.core.shard import Shard
from reconciler.core.validation_document import Validation
from reconciler.engine.apply import (
    ApplyOptions,
    ApplyResult,
    ApplyStopped,
    apply_plan,
    build_execution_options,
    build_policy,
    check_saved_plan,
)
from reconciler.engine.callbacks import GuardedCallbacks
from reconciler.engine.connection import Connection, connect
from reconciler.engine.interruption import run_until_stopped
from reconciler.engine.load import check_files, find_files, load_desired
from reconciler.engine.manifests import Manifests
from reconciler.engine.plan import build_plan
from reconciler.engine.policy import Blockers, approve, check_output, find_blockers, parse_allowed
from reconciler.engine.revert import RunHistory, build_revert_plan, check_reports
from reconciler.engine.settings.run_settings import Settings
from reconciler.errors import ManifestError, Refused, SavedFileError
from reconciler.progress import NULL_PROGRESS, ProgressListener
from reconciler.renderers import registry
from reconciler.renderers.registry import Subject, list_formats
from reconciler.renderers.render_options import RenderOptions
from reconciler.renderers.style import Style

PathLike = str | Path

OnOutcome = Callable[[TaskOutcome], object]


def load(
    paths: PathLike | Iterable[PathLike], *, progress: ProgressListener = NULL_PROGRESS
) -> Manifests:
    """Read manifests and check them, without a server.

    Args:
        paths: Files, folders or globs; ``"-"`` is standard input.
        progress: Follows the work.

    Raises:
        ManifestError: The manifests have problems; all of them, each with its place.
        ValueError: There are no paths.

    """
    given = [paths] if isinstance(paths, (str, Path)) else [*paths]
    if not given:
        raise ValueError("no paths are given to load")
    files = find_files([str(path) for path in given])
    check_files(files)
    return Manifests(load_desired(files, progress=progress), unread=files.unread)


def plan(
    manifests: Manifests,
    settings: Settings,
    *,
    allow: Iterable[Kind | str] = (),
    shard: Shard | str | None = None,
    progress: ProgressListener = NULL_PROGRESS,
) -> Plan:
    """Compare what is declared with a server, which is only read.

    Args:
        manifests: What `load` or `Manifests.from_tasks` returned.
        settings: The server, and how to reach it.
        allow: Kinds of problem to accept, such as ``"annotated-data"``: `apply` changes tasks
            although a guard names it.
        shard: The part of the tasks to plan, such as ``"2/4"``; None plans all.
        progress: Follows the work.

    Returns:
        The tasks that differ or have problems; of the others, how many there are.

    Raises:
        ManifestError: A manifest declares another server.
        ServerError: The server did not answer as it should.
        ValueError: ``allow`` or ``shard`` is not one.

    """
    if not isinstance(manifests, Manifests):
        raise TypeError(f"plan takes what load returns, and this is a {type(manifests).__name__}")
    part = Shard.parse(shard) if isinstance(shard, str) else shard
    desired = manifests.select(part, server=settings.server)
    kinds = parse_allowed(allow)
    with connect(settings) as connection:
        return build_plan(desired, connection, shard=part, allow=kinds, progress=progress)


def apply(  # noqa: PLR0913 - what is done, and who is told of it
    plan: Plan,
    settings: Settings,
    *,
    options: ApplyOptions = ApplyOptions(),  # noqa: B008 - it is frozen
    report: PathLike | None = None,
    on_outcome: OnOutcome | None = None,
    progress: ProgressListener = NULL_PROGRESS,
    stop: threading.Event | None = None,
) -> Report:
    """Carry out a plan, with all checks of the command line.

    A KeyboardInterrupt, and whatever a callback raises, lets updates under way end and starts no
    others. What `apply` did is in its report in either case, and carrying out the same plan again
    goes on where it stopped.

    Args:
        plan: What `plan` or `read_plan` returned.
        settings: The server that the plan was made against, and how fast to change it.
        options: What to accept, and with how much care.
        report: File to write each outcome to, as JSON lines, before the next update of the same
            worker leaves; an earlier file of that name is kept under another.
        on_outcome: Called for each task once its outcome is known and written, from one thread at
            a time. A later call for a task corrects an earlier one. Not called for tasks that were
            not started.
        progress: Follows the work.
        stop: Once set, by another thread, the run stops within 0.2 seconds as an interrupt stops
            it, and `apply` returns. It is only looked at: several runs may share it.

    Returns:
        What became of every task; ``is_good`` tells whether all are as planned.

    Raises:
        Refused: The plan may not be carried out; nothing was changed.
        ServerError: The server could not be asked before the first change; nothing was changed.
        ApplyStopped: A callback raised, or the report could not be written to its end.

    """
    with connect(settings) as connection:
        check_saved_plan(plan, connection, file="the plan")
        return _carry_out(
            plan,
            connection,
            command="apply",
            settings=settings,
            options=options,
            report=report,
            on_outcome=on_outcome,
            progress=progress,
            stop=stop,
        )


def plan_revert(
    reports: Report | Iterable[Report],
    settings: Settings,
    *,
    allow: Iterable[Kind | str] = (),
    progress: ProgressListener = NULL_PROGRESS,
) -> Plan:
    """Plan what `revert` would do; the server is only read.

    Raises:
        SavedFileError: The reports do not go on from each other.
        Refused: A report is about another server.
        ServerError: The server did not answer as it should.

    """
    history = _compose_history(reports)
    with connect(settings) as connection:
        return _plan_revert(history, connection, allow=parse_allowed(allow), progress=progress)


def revert(  # noqa: PLR0913 - as apply
    reports: Report | Iterable[Report],
    settings: Settings,
    *,
    options: ApplyOptions = ApplyOptions(),  # noqa: B008 - it is frozen
    report: PathLike | None = None,
    on_outcome: OnOutcome | None = None,
    progress: ProgressListener = NULL_PROGRESS,
    stop: threading.Event | None = None,
) -> Report:
    """Undo what runs changed; look at `plan_revert` first.

    Several reports are undone as one, in the order in which their runs began: each task goes back
    to what it was before the first. Arguments and errors are those of `apply` and `plan_revert`.
    """
    history = _compose_history(reports)
    with connect(settings) as connection:
        inverse = _plan_revert(history, connection, allow=options.allow, progress=progress)
        return _carry_out(
            inverse,
            connection,
            command="revert",
            settings=settings,
            options=options,
            report=report,
            on_outcome=on_outcome,
            progress=progress,
            stop=stop,
        )


@overload
def merge(parts: Iterable[Plan]) -> Plan: ...


@overload
def merge(parts: Iterable[Report]) -> Report: ...


def merge(parts: Iterable[Plan] | Iterable[Report]) -> Plan | Report:
    """Put plans, or reports, together: shards of a run, or reports that go on from each other.

    ``missing_shards`` of the result names the shards that are not among them.

    Raises:
        SavedFileError: They do not belong together, or there are none.

    """
    given: Sequence[Plan | Report] = [*parts]
    plans = [(f"plan {n}", part) for n, part in enumerate(given, 1) if isinstance(part, Plan)]
    reports = [(f"report {n}", part) for n, part in enumerate(given, 1) if isinstance(part, Report)]
    if not given:
        raise SavedFileError("there is nothing to merge", hint="give one plan or report, or more")
    if plans and reports:
        raise SavedFileError(f"{plans[0][0]} and {reports[0][0]} cannot be merged")
    for part in given:
        if not isinstance(part, Plan | Report):
            raise TypeError(f"a {type(part).__name__} cannot be merged")
    return merge_plans(plans) if plans else merge_reports(reports, load_contract())


def render(
    found: Plan | Report | ManifestError,
    format: str = "text",  # noqa: A002 - as the option of the command line
    *,
    full: bool = False,
    color: bool = False,
) -> str:
    """Write a plan, a report or the problems of manifests in a format.

    Args:
        found: What `plan`, `apply` or their like returned, or the error that `load` raised.
        format: ``"text"`` or ``"json"``: what ``--format`` takes.
        full: Whether to list every task, and values whole, in formats for people.
        color: Whether to dress text in the colours of a terminal.

    Raises:
        ValueError: There is no such format.

    """
    subject, what = _describe_subject(found)
    known = list_formats(subject)
    if format not in known:
        raise ValueError(f"{format!r} is not a format of a {subject}: use {' or '.join(known)}")
    return registry.render(subject, what, format, RenderOptions(Style(color), full))


def read_plan(file: PathLike) -> Plan:
    """Read a saved plan.

    Raises:
        SavedFileError: It cannot be read, or is not a plan.

    """
    found = read_saved(str(file))
    if isinstance(found, Report):
        raise SavedFileError(f"{file} is a report, not a plan", hint="read it with read_report")
    return found


def write_plan(plan: Plan, file: PathLike) -> None:
    """Save a plan, whole or not at all, for its owner alone: it holds the values of tasks.

    Raises:
        Refused: The file cannot be written, or is there already and is not a saved plan.

    """
    plan_file.write_plan(plan, Path(file))


def read_report(file: PathLike) -> Report:
    """Read the report of a run, also one that was cut off: then ``complete`` is false.

    Raises:
        SavedFileError: It cannot be read, or is not a report.

    """
    found = read_saved(str(file))
    if isinstance(found, Plan):
        raise SavedFileError(f"{file} is a plan, not a report", hint="read it with read_plan")
    return found


def _compose_history(reports: Report | Iterable[Report]) -> RunHistory:
    given = [reports] if isinstance(reports, Report) else [*reports]
    if not given:
        raise SavedFileError("there is nothing to revert", hint="give one report, or more")
    named = [(f"report {number}", report) for number, report in enumerate(given, 1)]
    return RunHistory(named, compose_changes(named, load_contract()))


def _plan_revert(
    history: RunHistory,
    connection: Connection,
    *,
    allow: frozenset[Kind],
    progress: ProgressListener,
) -> Plan:
    check_reports(history, connection)
    return build_revert_plan(history, connection, allow=allow, progress=progress)


def _carry_out(  # noqa: PLR0913 - as apply
    plan: Plan,
    connection: Connection,
    *,
    command: str,
    settings: Settings,
    options: ApplyOptions,
    report: PathLike | None,
    on_outcome: OnOutcome | None,
    progress: ProgressListener,
    stop: threading.Event | None,
) -> Report:
    # Of values that somebody changed in place, the digest is another one.
    plan = replace(plan)
    if on_outcome is not None and not callable(on_outcome):
        raise TypeError(f"on_outcome is called, and a {type(on_outcome).__name__} cannot be")
    file = None if report is None else Path(report)
    check_report(file)
    check_output(file, sorted({task.source.file for task in plan.tasks}), "report")
    policy = build_policy(settings, options)
    blockers = find_blockers(plan, policy.allow)
    if blockers:
        raise Refused(f"nothing was changed: {blockers.message}", hint=_advise(blockers))
    approved = approve(plan, policy)
    # One of our own: what ends this run is not to end others that share the caller's.
    stopped = threading.Event()
    callbacks = GuardedCallbacks(on_outcome, progress, stop=stopped)
    run = Run(
        plan.digest,
        shards=plan.shards,
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
        is_told=stop.is_set if stop else lambda: False,
    )
    if callbacks.error:
        raise ApplyStopped(f"a callback raised {callbacks.error!r}", result) from callbacks.error
    if result.lost:
        raise ApplyStopped(result.lost.message, result) from result.lost
    return result.report


def _advise(blockers: Blockers) -> str:
    """Say in the words of a program what to do about blocked tasks."""
    remedies = ["correct the manifests"]
    if blockers.changing:
        kinds = ", ".join(f'"{kind}"' for kind in blockers.changing)
        remedies.append(f"pass allow=[{kinds}] to plan to change the tasks all the same")
    if blockers.kinds:
        kinds = ", ".join(f'"{kind}"' for kind in blockers.kinds)
        remedies.append(f"pass ApplyOptions(allow=[{kinds}]) to leave them out")
    return "; or ".join(remedies)


def _run(
    work: Callable[[], ApplyResult], stop: threading.Event, *, is_told: Callable[[], bool]
) -> ApplyResult:
    """Do the work; an interrupt is raised again when it has ended, with a note of what was done."""
    results: list[ApplyResult] = []
    try:
        run_until_stopped(lambda: results.append(work()), stop, is_signalled=is_told)
    except KeyboardInterrupt as interrupt:
        for result in results:
            interrupt.add_note(f"reconciler stopped: {result.report.describe()}")
            if result.unwritten:
                lines = "\n".join(result.unwritten)
                told = "These lines could not be written; append them to the report to complete it:"
                interrupt.add_note(f"{told}\n{lines}")
        raise
    return results[0]


def _describe_subject(
    found: Plan | Report | ManifestError,
) -> tuple[Subject, Plan | Report | Validation]:
    match found:
        case Plan():
            return Subject.PLAN, found
        case Report():
            return Subject.REPORT, found
        case ManifestError():
            return Subject.PROBLEMS, Validation(found.problems)
    raise TypeError(f"a {type(found).__name__} cannot be rendered")
