"""``reconciler show``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import click

from reconciler.artifacts.saved_file import read_all_saved
from reconciler.cli.console import Console
from reconciler.cli.exit_codes import DONE, ERROR
from reconciler.cli.garbage_collection import pause_gc
from reconciler.cli.options import format_option, full_option, take_options, verbosity_options
from reconciler.cli.printer import print_subject
from reconciler.contract.openapi import load_contract
from reconciler.core.merge import merge_plans
from reconciler.core.model import Plan
from reconciler.core.notation import count_noun, escape_invisible
from reconciler.core.report import Report
from reconciler.core.report_history import NamedReport, describe_given_order, merge_reports
from reconciler.core.shard import Shard, find_missing_shards
from reconciler.errors import SavedFileError
from reconciler.renderers.registry import Subject

_NAMED_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """The arguments and options of ``show``."""

    files: tuple[str, ...]
    form: str
    full: bool
    console: Console


@click.command("show")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@format_option(Subject.PLAN, Subject.REPORT)
@full_option
@verbosity_options
@take_options(ShowOptions)
def command(options: ShowOptions) -> int:
    """Show saved plans, or reports: what was changed, when, by whom and from which commit.

    A FILE is what plan --format json printed or what apply --report wrote, or - for standard
    input. Several are shown as one: the shards of a run, and reports of runs that went on from
    each other. Exits with 1 where a shard is missing.

    \b
    Example:
      reconciler show plan-*.json
      reconciler show report.jsonl
    """
    console, form, full = options.console, options.form, options.full
    with pause_gc():
        saved = read_all_saved(options.files)
        plans = [(name, found) for name, found in saved if isinstance(found, Plan)]
        reports = [(name, found) for name, found in saved if isinstance(found, Report)]
        if plans and reports:
            message = f"{plans[0][0]} is a plan, and {reports[0][0]} a report"
            raise SavedFileError(message, hint="show plans apart from reports")
        if plans:
            console.detail(f"read {count_noun(len(plans), 'plan')}")
            plan = merge_plans(plans)
            print_subject(Subject.PLAN, plan, form, full=full, console=console)
            return _check_missing(plan.shards)
        console.detail(f"read {count_noun(len(reports), 'report')}")
        report = merge_reports(reports, load_contract())
        print_subject(Subject.REPORT, report, form, full=full, console=console)
        _print_unknown(reports)
        return _check_missing(report.shards)


def _print_unknown(reports: Sequence[NamedReport]) -> None:
    message = describe_given_order(reports)
    if message:
        _warn(message)
    for name, one in reports:
        if not one.complete:
            _warn(f"{name} was cut off: what was done after its last line is not known; run plan")


def _check_missing(shards: tuple[Shard, ...]) -> int:
    """Say which shards are not shown, and fail: a part must not be taken for the whole."""
    missing = list(find_missing_shards(shards))
    if not missing:
        return DONE
    named = list(map(str, islice(missing, _NAMED_MAX)))
    if len(missing) > _NAMED_MAX:
        named.append(f"{len(missing) - _NAMED_MAX:,} more")
    *first, last = named
    those = f"shards {', '.join(first)} and {last} are" if first else f"shard {last} is"
    _warn(f"{those} missing: this is not the whole (give the files of all shards)")
    return ERROR


def _warn(message: str) -> None:
    click.echo(escape_invisible(f"reconciler: {message}"), err=True)
