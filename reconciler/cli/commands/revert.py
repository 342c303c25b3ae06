"""``reconciler revert``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from reconciler.artifacts.plan_file import read_reports, refuse_other_server
from reconciler.cli.apply_dialogue import Choices, apply_options, show_ask_and_carry_out
from reconciler.cli.console import Talk
from reconciler.cli.showing import order_as_given
from reconciler.contract.openapi import load_contract
from reconciler.core.report_history import NamedReport, changes_made
from reconciler.engine.connection import connected, timed
from reconciler.engine.plan import make_revert_plan
from reconciler.engine.settings.run_settings import Given, read_settings
from reconciler.manifest.files import place_of


@click.command("revert")
@click.argument("files", metavar="REPORT...", nargs=-1, required=True)
@apply_options
def command(*, files: tuple[str, ...], choices: Choices, given: Given) -> int:
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
    made, allow = changes_made(reports, attributes), choices.allow
    settings = read_settings({place_of(file): file for file in files}, given)
    _say_what_is_not_known(reports, choices.talk)
    with connected(settings, attributes, choices.talk) as api:
        identity = api.identity()
        for name, report in reports:
            refuse_other_server(report.server, identity, name)
        plan = timed(
            lambda watch: make_revert_plan(made, api, attributes, allow=allow, watch=watch),
            choices.talk,
        )
        return show_ask_and_carry_out(plan, api, attributes, settings=settings, choices=choices)


def _say_what_is_not_known(reports: Sequence[NamedReport], talk: Talk) -> None:
    for name, report in reports:
        if not report.complete:
            talk.note(f"{name} was cut off: what was under way then is not in it")
    said = order_as_given(reports)
    if said:
        talk.note(said)
