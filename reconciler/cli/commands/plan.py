"""``reconciler plan``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.cli.completion_values import complete_paths
from reconciler.cli.console import Console
from reconciler.cli.exit_codes import CHANGES, DONE, ERROR
from reconciler.cli.inputs import find_inputs
from reconciler.cli.option_types import OUTPUT_FILE
from reconciler.cli.options import take_options, verbosity_options
from reconciler.cli.outputs import Outputs, output_options
from reconciler.cli.plan_options import (
    impact_option,
    planning_options,
    shard_option,
    target_options,
)
from reconciler.cli.progress_bar import ProgressBar
from reconciler.cli.server_access import connect_to_server, plan_inputs
from reconciler.engine.changed_since import build_since_request
from reconciler.engine.policy import check_limit, check_output, find_blockers, find_folder_around
from reconciler.engine.redacted_errors import redact_errors
from reconciler.engine.settings.run_settings import OF_PLAN, CliOverrides, read_settings
from reconciler.engine.vocabulary import (
    Allowance,
    Allowances,
    Plan,
    Selector,
    Shard,
    Targets,
    redact_plan,
)
from reconciler.renderers.registry import Subject


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """The arguments and options of ``plan``."""

    paths: tuple[str, ...]
    outputs: Outputs
    out: Path | None
    detailed_exitcode: bool
    shard: Shard | None
    target: tuple[Selector, ...]
    exclude: tuple[Selector, ...]
    since: str | None
    impact: bool
    allow: tuple[Allowance, ...]
    deny: tuple[Allowance, ...]
    full: bool
    overrides: CliOverrides
    console: Console


@click.command("plan")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, shell_complete=complete_paths)
@output_options(Subject.PLAN)
@click.option(
    "--out", type=OUTPUT_FILE, help="Save the plan; apply FILE then makes exactly these changes."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes.")
@shard_option
@target_options
@impact_option
@planning_options
@verbosity_options
@take_options(PlanOptions)
def command(options: PlanOptions) -> int:
    """Show what would change on the server, and change nothing.

    PATH is a manifest, a folder, a glob, or - for standard input.

    Exit codes: 0 success, 1 error, or a task is missing, unreadable or blocked (--allow accepts
    these), 2 there are changes (only with --detailed-exitcode), 130 interrupted.

    \b
    Example:
      reconciler plan manifests/ --out plan.json
      reconciler plan manifests/ --format markdown=plan.md --format sarif=plan.sarif
      reconciler plan manifests/ --impact
    """
    console = options.console
    files = find_inputs(options.paths, console)
    settings = read_settings(files.places, options.overrides, os.environ, keys=OF_PLAN)
    allow = Allowances(options.allow, (*options.deny, *settings.deny))
    check_output(options.out, files.files, "plan")
    options.outputs.check(files.files, options.out)
    with (
        options.outputs.writing_problems(console),
        redact_errors(lambda: settings.redaction),
        connect_to_server(settings, console) as connection,
    ):
        plan = plan_inputs(
            files,
            connection,
            settings=settings,
            allow=allow,
            shard=options.shard,
            targets=Targets(options.target, options.exclude),
            since=build_since_request(options.since, options.paths, files, os.environ),
            impact=options.impact,
            console=console,
        )
    try:
        shown = redact_plan(plan, settings.redaction, settings.digest_key)
        options.outputs.write(Subject.PLAN, shown, full=options.full, console=console)
    finally:
        # The file is wanted even if the reader of standard output has gone away.
        if options.out:
            _save(plan, options.out, options.paths, console)
    check_limit(plan, settings.max_changes)
    if blockers := find_blockers(plan, allow):
        console.note(f"reconciler: {blockers.message} ({blockers.hint})")
        return ERROR
    return CHANGES if options.detailed_exitcode and plan.updates else DONE


def _save(plan: Plan, file: Path, paths: tuple[str, ...], console: Console) -> None:
    from reconciler.engine.saved_plan import write_plan  # noqa: PLC0415 - not for every plan

    with ProgressBar(console) as progress:
        write_plan(plan, file, progress=progress)
    if folder := find_folder_around(file, paths):
        console.note(
            f"reconciler: warning: {file} is in {folder}, and the next run of it would read the "
            "plan as a manifest (move it, and pass a file elsewhere to --out)"
        )
