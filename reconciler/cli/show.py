"""``reconciler show``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from typing import Final

import click

from reconciler.apply.report import Report
from reconciler.apply.restoring import merged_report
from reconciler.cli.garbage import no_looking
from reconciler.cli.output import Talk, format_option, show, style_of_output, talk_options
from reconciler.cli.saved import read_saved
from reconciler.cli.showing import show_plan
from reconciler.errors import SavedFileError
from reconciler.manifest.file_names import STANDARD_INPUT
from reconciler.plan.merging import merged_plan
from reconciler.plan.model import Plan
from reconciler.plan.notation import counted_noun, visible
from reconciler.plan.shard import Shard, without_shards
from reconciler.render import json, text

_NAMED_MAX: Final = 6


@click.command("show")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@format_option
@click.option("--full", is_flag=True, help="List every task of a plan, and values in full.")
@talk_options
def command(*, files: tuple[str, ...], form: str, full: bool, quiet: bool, verbose: bool) -> None:
    """Show saved plans, or reports of apply.

    A FILE is what plan --format json printed or what apply --report wrote, or - for standard
    input. Several, as the shards of a run leave them, are shown as one.

    \b
    Example:
      reconciler show plan-*.json
    """
    talk = Talk(quiet, verbose)
    with no_looking():
        saved = _read(files)
        plans = [(name, found) for name, found in saved if isinstance(found, Plan)]
        reports = [(name, found) for name, found in saved if isinstance(found, Report)]
        if plans and reports:
            said = f"{plans[0][0]} is a plan, and {reports[0][0]} a report"
            raise SavedFileError(said, hint="show plans apart from reports")
        if plans:
            talk.detail(f"read {counted_noun(len(plans), 'plan')}")
            plan = merged_plan(plans)
            show_plan(plan, form, full=full, talk=talk)
            _say_missing(plan.shards)
        else:
            talk.detail(f"read {counted_noun(len(reports), 'report')}")
            _show_report(reports, form)


def _read(files: Sequence[str]) -> list[tuple[str, Plan | Report]]:
    seen: dict[str, str] = {}
    for file in files:
        place = file if file == STANDARD_INPUT else os.path.realpath(file)
        if place in seen:
            raise SavedFileError(f"{file} is given twice", hint="give each file once")
        seen[place] = file
    return [(file, read_saved(file)) for file in files]


def _show_report(reports: Sequence[tuple[str, Report]], form: str) -> None:
    report = merged_report(reports)
    if form == "json":
        show(json.render_report(report))
    else:
        style = style_of_output()
        show(text.render_report(report.outcomes, style=style, complete=report.complete))
    for name, one in reports:
        if not one.complete:
            _warn(f"{name} was cut off: what was done after its last line is not known; run plan")
    _say_missing(report.shards)


def _say_missing(shards: tuple[Shard, ...]) -> None:
    """Say what is not shown: a part must not be taken for the whole."""
    missing = list(without_shards(shards))
    if not missing:
        return
    named = list(map(str, islice(missing, _NAMED_MAX)))
    if len(missing) > _NAMED_MAX:
        named.append(f"{len(missing) - _NAMED_MAX:,} more")
    *first, last = named
    those = f"shards {', '.join(first)} and {last} are" if first else f"shard {last} is"
    _warn(f"{those} not among them")


def _warn(said: str) -> None:
    click.echo(visible(f"reconciler: {said}"), err=True)
