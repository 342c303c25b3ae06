"""``reconciler revert``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from reconciler.artifacts.plan_file import check_server, read_reports
from reconciler.cli.apply_dialogue import ApplyChoices, apply_options, review_and_apply
from reconciler.cli.console import Console
from reconciler.cli.showing import describe_given_order
from reconciler.contract.openapi import load_contract
from reconciler.core.report_history import NamedReport, compose_changes
from reconciler.engine.connection import connect, measure
from reconciler.engine.plan import build_revert_plan
from reconciler.engine.settings.run_settings import CliOverrides, read_settings
from reconciler.manifest.files import find_place


@click.command("revert")
@click.argument("files", metavar="REPORT...", nargs=-1, required=True)
@apply_options
def command(*, files: tuple[str, ...], choices: ApplyChoices, given: CliOverrides) -> int:
    """Undo what an apply changed: show what would change, ask, and change it.

    A REPORT is what apply --report wrote. Several are undone as one, in the order in which their
    runs began: each task goes back to what it was before the first. Each run must have found what
    the ones before it left.

    Tasks that were edited since on a path that would be undone are in the way; --allow
    edited-since leaves them alone, and undoes the others.

    \b
    Example:
      reconciler revert report.jsonl --report reverted.jsonl
    """
    attributes = load_contract()
    reports = read_reports(files)
    made, allow = compose_changes(reports, attributes), choices.allow
    settings = read_settings({find_place(file): file for file in files}, given)
    _say_what_is_not_known(reports, choices.console)
    with connect(settings, attributes, choices.console) as api:
        identity = api.identity()
        for name, report in reports:
            check_server(report.server, identity, name)
        plan = measure(
            lambda progress: build_revert_plan(
                made, api, attributes, allow=allow, progress=progress
            ),
            choices.console,
        )
        return review_and_apply(plan, api, attributes, settings=settings, choices=choices)


def _say_what_is_not_known(reports: Sequence[NamedReport], console: Console) -> None:
    for name, report in reports:
        if not report.complete:
            console.note(f"{name} was cut off: what was under way then is not in it")
    message = describe_given_order(reports)
    if message:
        console.note(message)
