"""The part that apply and revert share: show a plan, ask, and apply it."""

from __future__ import annotations

import os
import sys
import tempfile
import termios
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import click

from reconciler.cli.collaborators import get_collaborators
from reconciler.cli.console import Console, abandon_output, choose_style, print_outcome
from reconciler.cli.exit_codes import DONE, INTERRUPTED, PARTLY
from reconciler.cli.option_types import OUTPUT_FILE
from reconciler.cli.options import add_options, fold_options, verbosity_options
from reconciler.cli.outputs import Outputs, output_options
from reconciler.cli.plan_options import applying_options
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
from reconciler.engine.vocabulary import (
    Allowance,
    Allowances,
    Plan,
    Report,
    mark_plan,
    redact_outcomes,
    redact_plan,
    redact_report,
)
from reconciler.errors import Refused
from reconciler.renderers.registry import Subject, can_render, render
from reconciler.renderers.render_options import RenderOptions
from reconciler.renderers.text import render_outcomes
from reconciler.renderers.wording import count_noun, describe_accepted, escape_invisible

_STOPPING: Final = "reconciler: stopping; waiting for the updates in progress"


@dataclass(frozen=True, slots=True)
class ReviewOptions:
    """The options of commands that change a server."""

    yes: bool
    report: Path | None
    expect_digest: str | None
    canary: int | None
    careful: bool
    allow: tuple[Allowance, ...]
    deny: tuple[Allowance, ...]
    full: bool
    outputs: Outputs
    overrides: CliOverrides
    console: Console

    def build_allowances(self, settings: Settings) -> Allowances:
        """Combine what the options and the environment allow and deny."""
        return Allowances(self.allow, (*self.deny, *settings.deny))


def review_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of commands that change a server, as ``review``."""
    add = add_options(
        click.option("-y", "--yes", is_flag=True, help="Apply without asking."),
        click.option(
            "--report",
            type=OUTPUT_FILE,
            help="Record each change as it is made, for show and revert (JSON lines).",
        ),
        click.option(
            "--expect-digest",
            metavar="DIGEST",
            help="Change nothing unless the plan has this digest.",
        ),
        click.option(
            "--canary",
            type=click.IntRange(min=1),
            metavar="N",
            help="Change N tasks first, read them again, and continue only if they are as planned.",
        ),
        click.option(
            "--careful",
            is_flag=True,
            help="Read each task right before its update: twice the requests, but a simultaneous "
            "change by another client can be overwritten only within one round trip.",
        ),
        output_options(Subject.PLAN, Subject.REPORT),
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
    """Show a plan, ask, apply it, and return the exit code; raises Refused if it may not be.

    ``manifests`` are the files and folders that the plan was made from, if any.
    """
    plan = mark_plan(plan, options.build_allowances(settings))
    shown = redact_plan(plan, settings.redaction, settings.digest_key)
    _show(shown, options)
    try:
        approved = approve(plan, build_policy(settings, _build_options(options)))
        if plan.updates and not options.yes:
            _confirm(shown)
    except Refused:
        _write_outputs(options, Subject.PLAN, shown)
        raise
    return _apply(approved, connection, settings=settings, options=options, manifests=manifests)


def _show(plan: Plan, options: ReviewOptions) -> None:
    """Show the plan as text: on standard error if another format goes to standard output."""
    shown = Outputs()
    if options.outputs.printed == shown.printed:
        shown.write(Subject.PLAN, plan, full=options.full, console=options.console)
    elif not options.console.quiet:
        written = render(Subject.PLAN, plan, shown.printed, RenderOptions(full=options.full))
        click.echo(written, nl=False, err=True)


def _write_outputs(options: ReviewOptions, subject: Subject, found: Plan | Report) -> None:
    """Write what the options ask for; as text, the terminal shows it already."""
    options.outputs.write(
        subject, found, full=options.full, text_is_shown=True, console=options.console
    )


def _confirm(plan: Plan) -> None:
    if not sys.stdin.isatty():
        raise Refused(
            "nothing was changed: standard input is not a terminal, so the command cannot ask",
            hint="if you have reviewed the plan, pass --yes",
        )
    # Discard what was typed before the plan was shown: it is not an answer.
    termios.tcflush(sys.stdin, termios.TCIFLUSH)
    try:
        if click.confirm(_format_question(plan), err=True):
            return
    except click.Abort as error:
        if not isinstance(error.__context__, EOFError):
            raise
        click.echo(err=True)
        raise Refused("nothing was changed: you gave no answer") from error
    raise Refused("nothing was changed: your answer was no")


def _format_question(plan: Plan) -> str:
    """Ask with what matters most: how many tasks, on which server, and what is allowed."""
    allowed = describe_accepted(plan)
    server = plan.server
    where = f"in environment {server.environment}, on" if server.environment else "on"
    question = f"Change {count_noun(len(plan.updates), 'task')} {where} {server.url}"
    return escape_invisible(f"{question}{allowed and f', allowing {allowed}'}?")


def _apply(
    approved: ApprovedPlan,
    connection: Connection,
    *,
    settings: Settings,
    options: ReviewOptions,
    manifests: Sequence[str],
) -> int:
    plan, command = approved.plan, str(click.get_current_context().info_name)
    # Before the report exists, which could count as an uncommitted change, and while a signal still
    # ends the run at once.
    run = None
    if options.report or options.outputs.formats:
        run = describe_run(
            plan, connection, command=command, manifests=manifests, environment=os.environ
        )
    progress = ProgressBar(options.console)
    execution = build_execution_options(settings, _build_options(options), progress=progress)
    apply = get_collaborators().apply_plan or apply_plan
    # Until all is printed: the output may be the only record of what was done.
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
        _print_applied(applied, plan, command, options, settings)
    if SIGNALS.stopped:
        return INTERRUPTED
    return DONE if applied.is_good else PARTLY


def _build_options(options: ReviewOptions) -> ApplyOptions:
    return ApplyOptions(
        allow=options.allow,
        deny=options.deny,
        expected_digest=options.expect_digest,
        canary=options.canary or 0,
        careful=options.careful,
    )


def _print_applied(
    applied: ApplyResult,
    plan: Plan,
    command: str,
    options: ReviewOptions,
    settings: Settings,
) -> None:
    redaction = settings.redaction
    if plan.updates and options.outputs.printed == Outputs().printed:
        outcomes = redact_outcomes(applied.outcomes, redaction)
        written = render_outcomes(
            outcomes, style=choose_style(), command=command, full=options.full
        )
        print_outcome(written)
    report = redact_report(applied.report, redaction, settings.digest_key)
    _write_done(report, redact_plan(plan, redaction, settings.digest_key), options)
    if applied.kept:
        kept = escape_invisible(str(applied.kept))
        click.echo(f"The earlier report is kept as {kept}.", err=True)
    if applied.lost:
        why = f"stopped: {applied.lost.message}"
        message = f"{why}; run it again with another --report to continue"
        click.echo(f"reconciler: {escape_invisible(message)}", err=True)
        if redaction:
            _save_unwritten(applied.unwritten)
        else:
            _print_unwritten(applied.unwritten)


def _save_unwritten(lines: Sequence[str]) -> None:
    """Save the lines that could not be written to the report, as they hold redacted values."""
    try:
        descriptor, name = tempfile.mkstemp(prefix="reconciler-report-", suffix=".jsonl")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        message = f"The lines that could not be written are in {name}; append them to the report"
    except OSError as error:
        reason = error.strerror or str(error)
        message = (
            f"{count_noun(len(lines), 'line')} could not be written, and are not shown, as they "
            f"may hold redacted values: {reason}"
        )
    click.echo(escape_invisible(f"{message}."), err=True)


def _write_done(report: Report, plan: Plan, options: ReviewOptions) -> None:
    """Write what was done, and for formats that only show plans, the plan; both as to be shown.

    A failure does not make the run a failure: its changes are made.
    """
    try:
        _write_outputs(options, Subject.REPORT, report)
        plans = [one for one in options.outputs.formats if not can_render(Subject.REPORT, one.form)]
        if plans:
            _write_outputs(replace(options, outputs=Outputs(tuple(plans))), Subject.PLAN, plan)
    except Refused as error:
        click.echo(f"reconciler: {escape_invisible(str(error))}", err=True)
    except OSError:
        abandon_output()


def _print_unwritten(lines: Sequence[str]) -> None:
    """Print the lines that could not be written to the report; appended, they complete it."""
    click.echo(
        "These lines could not be written; append them to the report to complete it:", err=True
    )
    for line in lines:
        click.echo(line, err=True)
