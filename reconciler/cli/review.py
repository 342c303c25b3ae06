"""What apply and revert have in common: a plan is shown, asked about, and carried out."""

from __future__ import annotations

import os
import sys
import termios
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from reconciler.cli.collaborators import get_collaborators
from reconciler.cli.console import Console, choose_style, print_outcome
from reconciler.cli.exit_codes import DONE, INTERRUPTED, PARTLY
from reconciler.cli.option_types import OUTPUT_FILE
from reconciler.cli.options import add_options, fold_options, verbosity_options
from reconciler.cli.plan_options import applying_options
from reconciler.cli.printer import print_subject
from reconciler.cli.progress_bar import ProgressBar
from reconciler.cli.signals import SIGNALS
from reconciler.engine.apply import (
    ApplyOptions,
    ApplyResult,
    apply_plan,
    build_execution_options,
    build_policy,
    describe_run,
)
from reconciler.engine.connection import Connection
from reconciler.engine.interruption import run_until_stopped
from reconciler.engine.policy import ApprovedPlan, approve
from reconciler.engine.settings.run_settings import CliOverrides, Settings
from reconciler.engine.vocabulary import Kind, Plan
from reconciler.errors import Refused
from reconciler.renderers.registry import Subject
from reconciler.renderers.text import render_outcomes
from reconciler.renderers.wording import count_noun, escape_invisible

_STOPPING: Final = "reconciler: stopping; waiting for the updates under way"


@dataclass(frozen=True, slots=True)
class ReviewOptions:
    """The options of everything that changes a server."""

    yes: bool
    report: Path | None
    expect_digest: str | None
    canary: int | None
    careful: bool
    allow: frozenset[Kind]
    full: bool
    overrides: CliOverrides
    console: Console


def review_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of everything that changes a server, as ``review``."""
    add = add_options(
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
            help="Read each task just before its update: twice the requests, and what others write "
            "to the same task meanwhile is overwritten only within one round trip.",
        ),
        applying_options,
        verbosity_options,
    )
    return add(fold_options(ReviewOptions, "review")(command))


def review_and_apply(
    plan: Plan,
    connection: Connection,
    *,
    settings: Settings,
    options: ReviewOptions,
    manifests: Sequence[str] = (),
) -> int:
    """Show a plan, ask, carry it out, and return the exit code; raises Refused before that.

    ``manifests`` are the files and folders that the plan was made from, if it was.
    """
    print_subject(Subject.PLAN, plan, full=options.full, console=options.console)
    approved = approve(plan, build_policy(settings, _build_options(options)))
    if plan.updates and not options.yes:
        _confirm(plan)
    return _apply(approved, connection, settings=settings, options=options, manifests=manifests)


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


def _apply(
    approved: ApprovedPlan,
    connection: Connection,
    *,
    settings: Settings,
    options: ReviewOptions,
    manifests: Sequence[str],
) -> int:
    plan, command = approved.plan, str(click.get_current_context().info_name)
    # Asked before the report is there, which could count as a change beside the commit, and while
    # a signal still ends the run at once.
    run = None
    if options.report:
        run = describe_run(
            plan, connection, command=command, manifests=manifests, environment=os.environ
        )
    progress = ProgressBar(options.console)
    execution = build_execution_options(settings, _build_options(options), progress=progress)
    apply = get_collaborators().apply_plan or apply_plan
    # Until all is printed: that may be the only record of what was done.
    with SIGNALS.record_only():
        with progress:
            applied = run_until_stopped(
                lambda: apply(
                    approved, connection, options=execution, report=options.report, run=run
                ),
                execution.stop,
                is_signalled=lambda: SIGNALS.stopped,
                on_stop=lambda: progress.announce(_STOPPING),
            )
        _print_applied(applied, plan, command)
    if SIGNALS.stopped:
        return INTERRUPTED
    return DONE if applied.is_good else PARTLY


def _build_options(options: ReviewOptions) -> ApplyOptions:
    return ApplyOptions(
        allow=options.allow,
        expected_digest=options.expect_digest,
        canary=options.canary or 0,
        careful=options.careful,
    )


def _print_applied(applied: ApplyResult, plan: Plan, command: str) -> None:
    if plan.updates:
        print_outcome(render_outcomes(applied.outcomes, style=choose_style(), command=command))
    if applied.kept:
        kept = escape_invisible(str(applied.kept))
        click.echo(f"The earlier report is kept as {kept}.", err=True)
    if applied.lost:
        why = f"stopped: {applied.lost.message}"
        message = f"{why}; run it again with another --report, and it goes on"
        click.echo(f"reconciler: {escape_invisible(message)}", err=True)
        _print_unwritten(applied.unwritten)


def _print_unwritten(lines: Sequence[str]) -> None:
    """Give to standard error what the report could not take: put behind it, they make it whole."""
    click.echo("These lines are missing at the end of the report:", err=True)
    for line in lines:
        click.echo(line, err=True)
