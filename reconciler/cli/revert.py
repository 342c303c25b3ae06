"""``reconciler revert``."""

from __future__ import annotations

import click

from reconciler.apply.reverting import changes_made
from reconciler.cli.applying import Choices, apply_options, show_ask_and_carry_out
from reconciler.cli.connecting import connected, timed
from reconciler.cli.saving import read_report, refuse_other_server
from reconciler.cli.settings import Given, read_settings
from reconciler.contract.openapi import load_contract
from reconciler.manifest.files import place_of
from reconciler.server.planning import make_revert_plan


@click.command("revert")
@click.argument("file", metavar="REPORT")
@apply_options
def command(*, file: str, choices: Choices, given: Given) -> int:
    """Undo what an apply changed: show what would change, ask, and change it.

    REPORT is what apply --report wrote. Tasks that were edited since on a path that would be
    undone are in the way; --allow edited-since leaves them alone, and undoes the others.

    \b
    Example:
      reconciler revert report.jsonl --report reverted.jsonl
    """
    attributes = load_contract()
    report = read_report(file)
    settings = read_settings({place_of(file): file}, given)
    if not report.complete:
        choices.talk.note(f"{file} was cut off: what was under way then is not in it")
    with connected(settings, attributes, choices.talk) as api:
        refuse_other_server(report.server, api.identity(), file)
        made, allow = changes_made(report), choices.allow
        plan = timed(
            lambda watch: make_revert_plan(made, api, attributes, allow=allow, watch=watch),
            choices.talk,
        )
        return show_ask_and_carry_out(plan, api, attributes, settings=settings, choices=choices)
