"""``reconciler show``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import click

from reconciler.cli.completion_values import complete_paths
from reconciler.cli.console import Console
from reconciler.cli.exit_codes import DONE, ERROR
from reconciler.cli.garbage_collection import pause_gc
from reconciler.cli.options import format_option, full_option, take_options, verbosity_options
from reconciler.cli.printer import print_subject
from reconciler.engine.show import merge_saved_files, read_saved_files
from reconciler.engine.unknowns import Unknowns
from reconciler.engine.vocabulary import Shard
from reconciler.renderers.registry import Subject
from reconciler.renderers.wording import count_noun, escape_invisible

_NAMED_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """The arguments and options of ``show``."""

    files: tuple[str, ...]
    form: str
    full: bool
    console: Console


@click.command("show")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, shell_complete=complete_paths)
@format_option(Subject.PLAN, Subject.REPORT)
@full_option
@verbosity_options
@take_options(ShowOptions)
def command(options: ShowOptions) -> int:
    """Show saved plans, or reports: what was changed, when, by whom and from which commit.

    FILE is a plan saved by plan --out or printed by plan --format json, a report written by apply
    --report, or - for standard input. Several files are shown as one: the shards of a run, or the
    reports of consecutive runs. Exits with 1 if a shard is missing.

    \b
    Example:
      reconciler show plan-*.json
      reconciler show report.jsonl
    """
    console, form, full = options.console, options.form, options.full
    with pause_gc():
        saved = read_saved_files(options.files)
        subject = Subject.PLAN if saved.plans else Subject.REPORT
        count = len(saved.plans or saved.reports)
        console.detail(f"read {count_noun(count, subject)}")
        merged = merge_saved_files(saved)
        print_subject(subject, merged.found, form, full=full, console=console)
        _print_unknowns(merged.unknowns)
        return _check_missing(merged.missing)


def _print_unknowns(unknowns: Unknowns) -> None:
    if unknowns.order:
        _warn(unknowns.order)
    for name in unknowns.cut_off:
        _warn(
            f"{name} is incomplete: what was done after its last line is unknown; run plan to see"
        )


def _check_missing(missing: Sequence[Shard]) -> int:
    """Print which shards are missing, and fail: a part must not be taken for the whole."""
    if not missing:
        return DONE
    named = [str(shard) for shard in missing[:_NAMED_MAX]]
    if len(missing) > _NAMED_MAX:
        named.append(f"{len(missing) - _NAMED_MAX:,} more")
    *first, last = named
    those = f"shards {', '.join(first)} and {last} are" if first else f"shard {last} is"
    _warn(f"{those} missing, so this is incomplete (pass the files of all shards)")
    return ERROR


def _warn(message: str) -> None:
    click.echo(escape_invisible(f"reconciler: {message}"), err=True)
