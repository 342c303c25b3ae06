"""``reconciler show``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import click

from reconciler.cli.completion_values import complete_paths
from reconciler.cli.console import Console
from reconciler.cli.exit_codes import DONE, ERROR
from reconciler.cli.garbage_collection import pause_gc
from reconciler.cli.options import full_option, take_options, verbosity_options
from reconciler.cli.outputs import Outputs, check_subject, output_options
from reconciler.cli.redaction_option import redaction_options
from reconciler.engine.load import locate_saved_files
from reconciler.engine.redacted_errors import redact_errors
from reconciler.engine.settings.redaction_settings import read_digest_key, read_redaction
from reconciler.engine.show import merge_saved_files, read_saved_files
from reconciler.engine.unknowns import Unknowns
from reconciler.engine.vocabulary import Plan, Redaction, Shard, redact_plan, redact_report
from reconciler.renderers.registry import Subject
from reconciler.renderers.wording import count_noun, escape_invisible

_NAMED_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """The arguments and options of ``show``."""

    files: tuple[str, ...]
    outputs: Outputs
    full: bool
    redaction: Redaction
    console: Console


@click.command("show")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, shell_complete=complete_paths)
@output_options(Subject.PLAN, Subject.REPORT)
@full_option
@redaction_options
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
    console, outputs = options.console, options.outputs
    places = locate_saved_files(options.files).places
    redaction = read_redaction(places, os.environ, options=options.redaction)
    key = read_digest_key(os.environ)
    with pause_gc(), redact_errors(lambda: redaction):
        outputs.check(options.files)
        saved = read_saved_files(options.files)
        subject = Subject.PLAN if saved.plans else Subject.REPORT
        check_subject(outputs, subject)
        count = len(saved.plans or saved.reports)
        console.detail(f"read {count_noun(count, subject)}")
        merged = merge_saved_files(saved)
        found = merged.found
        if isinstance(found, Plan):
            found = redact_plan(found, redaction, key)
        else:
            found = redact_report(found, redaction, key)
        outputs.write(subject, found, full=options.full, console=console)
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
