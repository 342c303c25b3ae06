"""What apply and revert have in common: a plan is shown, asked about, and carried out."""

from __future__ import annotations

import functools
import json
import sys
import termios
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from reconciler.artifacts.report_file import ReportFile
from reconciler.artifacts.report_writer import ReportWriter
from reconciler.cli.console import Console, choose_style, print_outcome, verbosity_options
from reconciler.cli.exit_codes import DONE, INTERRUPTED, PARTLY
from reconciler.cli.limiting import check_limit
from reconciler.cli.option_types import OUTPUT_FILE
from reconciler.cli.progress_bar import ProgressBar
from reconciler.cli.showing import show_plan
from reconciler.cli.signals import SIGNALS
from reconciler.contract.attributes import Attributes
from reconciler.core.digest import compute_digest
from reconciler.core.model import Kind, Plan
from reconciler.core.notation import count_noun, escape_invisible
from reconciler.core.report import Run
from reconciler.core.values import Json
from reconciler.engine.commit import find_commit
from reconciler.engine.connection import describe_blockers, plan_options
from reconciler.engine.interruption import run_until_stopped
from reconciler.engine.settings.run_settings import CliOverrides, Settings, server_options
from reconciler.errors import Refused
from reconciler.executor.apply_options import ApplyOptions
from reconciler.executor.execution import execute
from reconciler.labelstudio.task_api import TaskApi
from reconciler.render import text

_OPTIONS = (
    click.option("-y", "--yes", is_flag=True, help="Do not ask."),
    click.option(
        "--report",
        type=OUTPUT_FILE,
        help="Write what was done, as JSON lines, as it happens.",
    ),
    click.option(
        "--expect-digest",
        metavar="DIGEST",
        help="Do nothing unless this is the digest of the plan.",
    ),
    click.option(
        "--canary",
        type=click.IntRange(min=1),
        metavar="N",
        help="Change N tasks first; go on only if they hold when they are read again.",
    ),
    click.option(
        "--careful",
        is_flag=True,
        help="Read each task just before its update: twice the requests, and what others write to "
        "the same task meanwhile is overwritten only within one round trip.",
    ),
    click.option(
        "--concurrency",
        envvar="RECONCILER_CONCURRENCY",
        type=click.IntRange(1, 64),
        help="Updates under way at once, at most; adapts to the server below it.  [default: 8]",
    ),
    click.option(
        "--rps",
        envvar="RECONCILER_RPS",
        type=click.FloatRange(min=0, min_open=True),
        help="Updates begun a second, at most; evenly spaced.  [default: any number]",
    ),
    plan_options,
    server_options,
    verbosity_options,
)

_STOPPING = "reconciler: stopping; waiting for the updates under way"


@dataclass(frozen=True, slots=True)
class ApplyChoices:
    """What was chosen of the options that are about carrying a plan out."""

    yes: bool
    report: Path | None
    expect_digest: str | None
    canary: int | None
    careful: bool
    allow: frozenset[Kind]
    full: bool
    console: Console


def apply_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options of everything that changes a server.

    The command gets them as ``choices``, and those of the server as ``given``.
    """

    @functools.wraps(command)
    def chosen(  # noqa: PLR0913 - one parameter an option
        *,
        yes: bool,
        report: Path | None,
        expect_digest: str | None,
        canary: int | None,
        careful: bool,
        allowed: tuple[str, ...],
        full: bool,
        quiet: bool,
        verbose: bool,
        **others: Any,  # noqa: ANN401 - those of the command, and of the server
    ) -> int:
        given = CliOverrides(
            **{field.name: others.pop(field.name) for field in fields(CliOverrides)}
        )
        allow = frozenset(map(Kind, allowed))
        console = Console(quiet, verbose)
        choices = ApplyChoices(yes, report, expect_digest, canary, careful, allow, full, console)
        return command(**others, choices=choices, given=given)

    wrapped: Callable[..., int] = chosen
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def review_and_apply(
    plan: Plan,
    api: TaskApi,
    attributes: Attributes,
    *,
    settings: Settings,
    choices: ApplyChoices,
    manifests: Sequence[str] = (),
) -> int:
    """Show a plan, ask, carry it out, and return the exit code; raises Refused before that.

    ``manifests`` are the files and folders that the plan was made from, if it was.
    """
    show_plan(plan, full=choices.full, console=choices.console)
    _check_blockers(plan, choices.allow)
    check_limit(plan, settings.max_changes)
    _check_digest(plan, choices.expect_digest)
    if plan.updates and not choices.yes:
        _confirm(plan)
    progress = ProgressBar(choices.console)
    options = ApplyOptions(
        choices.allow,
        settings.concurrency,
        settings.rps,
        canary=choices.canary or 0,
        careful=choices.careful,
        progress=progress,
    )
    report = _Destination(choices.report, manifests)
    return _apply(plan, api, attributes, options=options, progress=progress, report=report)


def _check_blockers(plan: Plan, allow: frozenset[Kind]) -> None:
    message = describe_blockers(plan, allow)
    if message:
        raise Refused(f"nothing is changed: {message[0]}", hint=f"see above; {message[1]}")


def _check_digest(plan: Plan, expected: str | None) -> None:
    if expected is None or expected == (found := compute_digest(plan)):
        return
    raise Refused(
        f"nothing is changed: this plan is {found}, and {escape_invisible(expected)} was expected",
        hint="look at what it would change now, and expect the digest that it has",
    )


def _confirm(plan: Plan) -> None:
    if not sys.stdin.isatty():
        raise Refused(
            "nothing is changed: there is no terminal to ask on",
            hint="add --yes where the plan has been looked at before",
        )
    # What was typed before the plan was shown is no answer to it.
    termios.tcflush(sys.stdin, termios.TCIFLUSH)
    try:
        if click.confirm(f"Change {count_noun(len(plan.updates), 'task')}?", err=True):
            return
    except click.Abort as error:
        if not isinstance(error.__context__, EOFError):
            raise
        click.echo(err=True)
        raise Refused("nothing is changed: no answer was given") from error
    raise Refused("nothing is changed: the answer was no")


@dataclass(frozen=True, slots=True)
class _Destination:
    """Where the report goes, if anywhere, and which manifests it is about."""

    file: Path | None
    manifests: Sequence[str]


def _describe_run(plan: Plan, command: str, api: TaskApi, manifests: Sequence[str]) -> Run:
    """Say what a report is about, and ask for what that takes: only reports tell it."""
    return Run(
        compute_digest(plan),
        shards=plan.shards,
        command=command,
        user=api.user(),
        commit=find_commit(manifests),
    )


def _apply(
    plan: Plan,
    api: TaskApi,
    attributes: Attributes,
    *,
    options: ApplyOptions,
    progress: ProgressBar,
    report: _Destination,
) -> int:
    command = str(click.get_current_context().info_name)
    # Asked before the report is there, which could count as a change beside the commit, and while
    # a signal still ends the run at once.
    run = _describe_run(plan, command, api, report.manifests) if report.file else None
    with ExitStack() as stack:
        stack.enter_context(SIGNALS.record_only())
        file = stack.enter_context(ReportFile(report.file)) if report.file else None
        reporting = ReportWriter(file, options.stop)
        if run:
            reporting.open(run, plan.server)
        with progress:
            outcomes = run_until_stopped(
                lambda: execute(plan, api, attributes, options=options, record=reporting.record),
                options.stop,
                is_signalled=lambda: SIGNALS.stopped,
                on_stop=lambda: progress.say(_STOPPING),
            )
        reporting.close(outcomes, api.requests)
        # Still where a signal interrupts nothing: this may be the only record of what was done.
        if plan.updates:
            print_outcome(text.render_outcomes(outcomes, style=choose_style(), command=command))
        if file and file.kept:
            click.echo(
                f"The earlier report is kept as {escape_invisible(str(file.kept))}.", err=True
            )
        if reporting.lost:
            why = f"stopped: {reporting.lost.message}"
            message = f"{why}; run it again with another --report, and it goes on"
            click.echo(f"reconciler: {escape_invisible(message)}", err=True)
            _print_unwritten(reporting.unwritten)
    if SIGNALS.stopped:
        return INTERRUPTED
    good = all(outcome.is_good for outcome in outcomes)
    return DONE if good and not reporting.lost else PARTLY


def _print_unwritten(lines: Sequence[Mapping[str, Json]]) -> None:
    """Give to standard error what the report could not take: put behind it, they make it whole."""
    click.echo("These lines are missing at the end of the report:", err=True)
    for line in lines:
        click.echo(json.dumps(line, separators=(",", ":")), err=True)
