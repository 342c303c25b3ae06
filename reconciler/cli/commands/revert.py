"""``reconciler revert``."""

from __future__ import annotations

import os
from dataclasses import dataclass

import click

from reconciler.cli.completion_values import complete_paths
from reconciler.cli.console import Console
from reconciler.cli.options import take_options
from reconciler.cli.review import ReviewOptions, review_and_apply, review_options
from reconciler.cli.server_access import connect_to_server, make_plan
from reconciler.engine.apply import check_report
from reconciler.engine.load import locate_saved_files
from reconciler.engine.redacted_errors import redact_errors
from reconciler.engine.revert import build_revert_plan, check_reports, read_history
from reconciler.engine.settings.redaction_settings import read_redaction
from reconciler.engine.settings.run_settings import read_settings
from reconciler.engine.unknowns import Unknowns, find_unknowns


@dataclass(frozen=True, slots=True)
class RevertOptions:
    """The arguments and options of ``revert``."""

    files: tuple[str, ...]
    review: ReviewOptions


@click.command("revert")
@click.argument(
    "files", metavar="REPORT...", nargs=-1, required=True, shell_complete=complete_paths
)
@review_options
@take_options(RevertOptions)
def command(options: RevertOptions) -> int:
    """Undo what an apply changed: show what would change, ask, and change it.

    REPORT is a file written by apply --report. Several reports are undone together: each task
    gets the values it had before the first run. Each run must have begun with the values that the
    one before left.

    If a value that would be undone was edited since, the task blocks the revert; --allow
    edited-since leaves such tasks alone and reverts the others.

    Exit codes: see apply --help.

    \b
    Example:
      reconciler revert report.jsonl --report reverted.jsonl
    """
    review = options.review
    places, given = locate_saved_files(options.files).places, review.overrides
    with redact_errors(
        lambda: read_redaction(places, os.environ, options=given.redaction, env=given.env or "")
    ):
        history = read_history(options.files)
    settings = read_settings(places, review.overrides, os.environ)
    allow = review.build_allowances(settings)
    check_report(review.report)
    review.outputs.check(options.files, review.report)
    _print_unknowns(find_unknowns(history.reports), review.console)
    with (
        redact_errors(lambda: settings.redaction),
        connect_to_server(settings, review.console) as connection,
    ):
        check_reports(history, connection)
        plan = make_plan(
            lambda progress: build_revert_plan(history, connection, allow=allow, progress=progress),
            review.console,
        )
        return review_and_apply(plan, connection, settings=settings, options=review)


def _print_unknowns(unknowns: Unknowns, console: Console) -> None:
    for name in unknowns.cut_off:
        console.note(f"{name} is incomplete: updates running when it was cut off may be missing")
    if unknowns.order:
        console.note(unknowns.order)
