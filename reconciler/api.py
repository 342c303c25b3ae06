"""The engine for callers from Python: what the command line does, without printing or exiting.

Every function here is re-exported by `reconciler`. All of them may be called from any thread, and
from several at once; none installs a signal handler, reads the environment or changes a setting of
the process. Functions that may run long accept a ``progress``: an object with the methods of
`ProgressListener`, which the threads of the run call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from reconciler.artifacts import plan_file
from reconciler.artifacts.saved_file import read_saved
from reconciler.contract.openapi import load_contract
from reconciler.core.allowances import Allowances, Entry
from reconciler.core.merge import merge_plans
from reconciler.core.plan_model import Plan
from reconciler.core.pull_result import Pulled
from reconciler.core.report import Report, TaskOutcome
from reconciler.core.report_history import merge_reports
from reconciler.core.shard import Shard
from reconciler.core.target import Targets
from reconciler.core.validation_document import Validation
from reconciler.engine.additions import AddOptions
from reconciler.engine.apply import (
    ApplyOptions,
    check_saved_plan,
)
from reconciler.engine.connection import Connection, connect
from reconciler.engine.guarded_apply import apply_guarded
from reconciler.engine.load import FoundFiles, check_files, find_files, load_desired
from reconciler.engine.manifest_update import Update, compare_files, write_update
from reconciler.engine.manifests import Manifests
from reconciler.engine.option_texts import parse_ids, parse_single_path
from reconciler.engine.plan import build_plan
from reconciler.engine.project_lookup import choose_lookup
from reconciler.engine.pull import pull_tasks
from reconciler.engine.pull_options import Format, PullOptions
from reconciler.engine.revert import RunHistory, build_revert_plan, check_reports, compose_history
from reconciler.engine.settings.run_settings import Settings
from reconciler.errors import ManifestError, SavedFileError
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
        ManifestError: The manifests have problems; the error holds all of them, each with its
            place.
        ValueError: There are no paths.

    """
    files = _find_files(paths)
    return Manifests(load_desired(files, progress=progress), unread=files.unread)


def plan(  # noqa: PLR0913 - what to look at, and what to accept
    manifests: Manifests,
    settings: Settings,
    *,
    allow: Iterable[Entry] = (),
    deny: Iterable[Entry] = (),
    shard: Shard | str | None = None,
    targets: Targets | Iterable[str] = (),
    progress: ProgressListener = NULL_PROGRESS,
) -> Plan:
    """Compare declared tasks with the server, which is only read.

    Args:
        manifests: What `load` or `Manifests.from_tasks` returned.
        settings: The server, and how to reach it.
        allow: Kinds of problem to accept, such as ``"annotated-data"``: `apply` then changes
            tasks that have them. ``"annotated-data:data.image"`` accepts it only at that path.
        deny: Kinds of problem that nothing may allow: neither ``allow`` nor a manifest.
        shard: The part of the tasks to plan, such as ``"2/4"``; None plans all.
        targets: What to look at, such as ``["100-200", "path:data.text"]``; all by default.
            ``Targets.parse(include, exclude)`` leaves out, too.
        progress: Follows the work.

    Returns:
        The tasks that differ or have problems, and the number of the other tasks.

    Raises:
        ManifestError: A manifest declares another server, or a project that is unknown there.
        ServerError: A request failed.
        Refused: A target matches nothing.
        ValueError: ``allow`` or ``deny`` holds a kind that cannot be allowed, or ``shard`` or a
            target is not valid.
        TypeError: ``manifests`` is of another type.

    """
    if not isinstance(manifests, Manifests):
        found = type(manifests).__name__
        raise TypeError(f"manifests: expected what load returns, found a value of type {found}")
    part = Shard.parse(shard) if isinstance(shard, str) else shard
    allowances = Allowances.of(allow, deny).deny(settings.deny)
    chosen = targets if isinstance(targets, Targets) else Targets.parse(targets)
    with connect(settings) as connection:
        projects = choose_lookup(settings, connection)
        desired = manifests.get_desired(settings.server, projects)
        return build_plan(
            desired,
            connection,
            shard=part,
            allow=allowances,
            targets=chosen,
            progress=progress,
        )


def pull(  # noqa: PLR0913 - what to pull, and how to write it
    project: int | str,
    settings: Settings,
    out: PathLike,
    *,
    ids: str | Iterable[int] | None = None,
    where: Mapping[str, Any] | None = None,
    fields: Iterable[str] = (),
    key: str | None = None,
    split_by: str | None = None,
    per_file: int | None = None,
    format: str = "yaml",  # noqa: A002 - as the option of the command line
    hoist: bool = False,
    redact: Iterable[str] = (),
    force: bool = False,
    progress: ProgressListener = NULL_PROGRESS,
) -> Pulled:
    """Write manifests for the tasks of a project; the server is only read.

    Args:
        project: The number of the project, or its name.
        settings: The server, and how to reach it.
        out: Folder for the files; it is made if it does not exist. Tasks that manifests in it
            declare, and values that its rules write, are left out.
        ids: The tasks to pull, such as ``"1-100,205"``; None for all.
        where: Conditions as in the ``where`` of a rule, such as ``{"data.split": "val"}``.
        fields: Paths to declare, such as ``["data.text", "overlap"]``; by default ``data``,
            ``meta`` and what differs from a new task.
        key: Where tasks hold their keys, such as ``"data.external_id"``; by default, they are named
            by id.
        split_by: A path; each value there gets a file of its own.
        per_file: How many tasks a file may hold; None for any number.
        format: ``"yaml"``, ``"json"`` or ``"jsonl"``.
        hoist: Whether values that all tasks of a file share go to its ``defaults``.
        redact: Paths whose values are not written.
        force: Whether existing files may be replaced.
        progress: Follows the work.

    Returns:
        The files, and what they leave undeclared.

    Raises:
        Refused: Nothing could be written, or nothing may be; the folder is as it was.
        ManifestError: The manifests in the folder have problems, or ``where`` has.
        ServerError: A request failed; the folder is as it was.
        ValueError: ``ids``, a path or ``format`` is not valid.

    """
    options = PullOptions(
        project,
        Path(out),
        ids=None if ids is None else _read_ids(ids),
        where=dict(where or {}),
        fields=tuple(map(parse_single_path, fields)),
        key=None if key is None else parse_single_path(key),
        split_by=None if split_by is None else parse_single_path(split_by),
        per_file=per_file,
        form=Format(format),
        hoist=hoist,
        redact=tuple(map(parse_single_path, redact)),
        force=force,
    )
    with connect(settings) as connection:
        return pull_tasks(options, settings, connection, progress=progress)


def update_manifests(  # noqa: PLR0913 - which manifests, and which tasks to add
    paths: PathLike | Iterable[PathLike],
    settings: Settings,
    *,
    dry_run: bool = False,
    redact: Iterable[str] = (),
    add: bool = False,
    project: int | str | None = None,
    ids: str | Iterable[int] | None = None,
    where: Mapping[str, Any] | None = None,
    fields: Iterable[str] = (),
    progress: ProgressListener = NULL_PROGRESS,
) -> Update:
    """Edit manifests so that they declare the live values; the server is only read.

    Args:
        paths: Files, folders or globs.
        settings: The server, and how to reach it.
        dry_run: Whether to leave the files as they are; `FileUpdate.format_diff` shows the edits.
        redact: Paths whose values are neither written nor shown.
        add: Whether to add tasks that the manifests do not declare, each to the last file of its
            project. ``project``, ``ids``, ``where`` and ``fields`` choose among them, as for
            `pull`.
        project: The only project whose tasks are added; None for all that the manifests declare.
        ids: The only tasks to add, such as ``"1-100,205"``.
        where: Conditions for tasks to add.
        fields: Paths to declare for added tasks.
        progress: Follows the work.

    Returns:
        The edited files, and what is left as declared, with the reasons.

    Raises:
        ManifestError: The manifests have problems, or ``where`` has.
        Refused: No manifest can take tasks to add, or there are none to choose from.
        ServerError: A request failed; the files are as they were.
        ValueError: There are no paths, or ``ids`` or a path is not valid.

    """
    files = _find_files(paths)
    options = AddOptions(
        project,
        ids=None if ids is None else _read_ids(ids),
        where=dict(where or {}),
        fields=tuple(map(parse_single_path, fields)),
    )
    with connect(settings) as connection:
        update = compare_files(
            files,
            settings,
            connection,
            redact=tuple(map(parse_single_path, redact)),
            add=options if add else None,
            progress=progress,
        )
    return update if dry_run else write_update(update)


def _find_files(paths: PathLike | Iterable[PathLike]) -> FoundFiles:
    given = [paths] if isinstance(paths, (str, Path)) else [*paths]
    if not given:
        raise ValueError("paths: expected at least one, found none")
    files = find_files([str(path) for path in given])
    check_files(files)
    return files


def _read_ids(ids: str | Iterable[int]) -> tuple[range, ...]:
    return parse_ids(ids if isinstance(ids, str) else ",".join(map(str, ids)))


def apply(  # noqa: PLR0913 - the work, and the listeners to it
    plan: Plan,
    settings: Settings,
    *,
    options: ApplyOptions = ApplyOptions(),  # noqa: B008 - it is frozen
    report: PathLike | None = None,
    on_outcome: OnOutcome | None = None,
    progress: ProgressListener = NULL_PROGRESS,
    stop: threading.Event | None = None,
) -> Report:
    """Apply a plan, with all checks of the command line.

    After a KeyboardInterrupt or an exception of a callback, running updates end, and no others
    start. The report says what was done in either case; apply the same plan again to continue.

    Args:
        plan: What `plan` or `read_plan` returned.
        settings: The server that the plan was made against, and how fast to change it.
        options: Which problems to accept, and how carefully to apply.
        report: File for the outcomes, as JSON lines; each is written before the same worker sends
            its next update. An earlier file of that name is kept under another name.
        on_outcome: Called for each task after its outcome is known and written, from one thread at
            a time. A later call for a task corrects an earlier one. Not called for tasks that were
            not started.
        progress: Follows the work.
        stop: When another thread sets it, the run stops within 0.2 s, as after an interrupt, and
            `apply` returns. `apply` never sets it: several runs may share it.

    Returns:
        The outcome of every task; ``is_good`` is true if all are as planned.

    Raises:
        Refused: The plan may not be applied; nothing was changed.
        ServerError: A request before the first change failed; nothing was changed.
        ApplyStopped: A callback raised, or the report file could not be completed.

    """
    with connect(settings) as connection:
        check_saved_plan(plan, connection, file="the plan")
        return apply_guarded(
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
    allow: Iterable[Entry] = (),
    deny: Iterable[Entry] = (),
    progress: ProgressListener = NULL_PROGRESS,
) -> Plan:
    """Plan what `revert` would do; the server is only read.

    Raises:
        SavedFileError: There are no reports, or they do not continue each other.
        Refused: A report is for another server.
        ServerError: A request failed.

    """
    history = _compose_history(reports)
    with connect(settings) as connection:
        allowances = Allowances.of(allow, deny).deny(settings.deny)
        return _plan_revert(history, connection, allow=allowances, progress=progress)


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
    """Undo the changes of runs; review the result of `plan_revert` first.

    Several reports are undone as one, in the order in which their runs began: each task returns to
    its values before the first run. Arguments and errors are those of `apply` and `plan_revert`.
    """
    history = _compose_history(reports)
    with connect(settings) as connection:
        allowances = options.allow.deny(settings.deny)
        inverse = _plan_revert(history, connection, allow=allowances, progress=progress)
        return apply_guarded(
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
    """Merge plans or reports into one: the shards of a run, or reports that continue each other.

    ``missing_shards`` of the result lists the shards of the run that no part covers.

    Raises:
        SavedFileError: The parts do not belong together, or there are none.
        TypeError: A part is neither a plan nor a report.

    """
    given: Sequence[Plan | Report] = [*parts]
    plans = [(f"plan {n}", part) for n, part in enumerate(given, 1) if isinstance(part, Plan)]
    reports = [(f"report {n}", part) for n, part in enumerate(given, 1) if isinstance(part, Report)]
    if not given:
        raise SavedFileError("nothing to merge", hint="pass at least one plan or report")
    if plans and reports:
        message = f"{plans[0][0]} and {reports[0][0]} cannot be merged"
        raise SavedFileError(message, hint="merge plans and reports separately")
    for part in given:
        if not isinstance(part, Plan | Report):
            kind = type(part).__name__
            raise TypeError(f"parts: expected plans or reports, found a value of type {kind}")
    return merge_plans(plans) if plans else merge_reports(reports, load_contract())


def render(
    found: Plan | Report | ManifestError,
    format: str = "text",  # noqa: A002 - as the option of the command line
    *,
    full: bool = False,
    color: bool = False,
) -> str:
    """Return a plan, a report or the problems of manifests as text in a format.

    Args:
        found: A plan, a report, or the error that `load` raised.
        format: A format of ``--format``, such as ``"text"`` or ``"json"``.
        full: Whether to list every task and whole values, in formats for people.
        color: Whether to colour text for a terminal.

    Raises:
        ValueError: ``format`` is not one of the formats.
        TypeError: ``found`` is of another type.

    """
    subject, what = _describe_subject(found)
    known = list_formats(subject)
    if format not in known:
        raise ValueError(f"format: expected {' or '.join(known)}, found {format!r}")
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
    """Save a plan, completely or not at all.

    Only the owner of the file can read it, because it holds the values of tasks.

    Raises:
        Refused: The file cannot be written, or it exists and is not a saved plan.

    """
    plan_file.write_plan(plan, Path(file))


def read_report(file: PathLike) -> Report:
    """Read the report of a run; if its end is missing, ``complete`` is false.

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
        raise SavedFileError("nothing to revert", hint="pass at least one report")
    named = [(f"report {number}", report) for number, report in enumerate(given, 1)]
    return compose_history(named)


def _plan_revert(
    history: RunHistory,
    connection: Connection,
    *,
    allow: Allowances,
    progress: ProgressListener,
) -> Plan:
    check_reports(history, connection)
    return build_revert_plan(history, connection, allow=allow, progress=progress)


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
    kind = type(found).__name__
    raise TypeError(
        f"found: expected a plan, a report or a ManifestError, found a value of type {kind}"
    )
