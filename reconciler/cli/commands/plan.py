"""``reconciler plan``."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.artifacts.plan_file import check_output, save_plan
from reconciler.cli.console import Console, format_option, verbosity_options
from reconciler.cli.exit_codes import CHANGES, DONE, ERROR
from reconciler.cli.limiting import check_limit
from reconciler.cli.option_types import OUTPUT_FILE
from reconciler.cli.sharding import shard_option
from reconciler.cli.showing import show_plan
from reconciler.contract.openapi import load_contract
from reconciler.core.limit import Limit
from reconciler.core.model import Kind, Plan
from reconciler.core.shard import Shard
from reconciler.engine.connection import connect, describe_blockers, plan_desired, plan_options
from reconciler.engine.load import find_files, load_desired
from reconciler.engine.settings.run_settings import (
    OF_PLAN,
    CliOverrides,
    read_settings,
    server_options,
)


@click.command("plan")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@format_option
@click.option(
    "--out",
    type=OUTPUT_FILE,
    help="Save the plan, for apply to carry out just that.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there are changes.")
@shard_option
@plan_options
@server_options
@verbosity_options
def command(  # noqa: PLR0913 - one parameter an option
    *,
    paths: tuple[str, ...],
    form: str,
    out: Path | None,
    detailed_exitcode: bool,
    allowed: tuple[str, ...],
    full: bool,
    max_changes: Limit | None,
    shard: Shard | None,
    url: str | None,
    timeout: float | None,
    allow_plain_http: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Show what would change on the server; only reads.

    Exits with 1 where a task is missing, unreadable or blocked, after showing all;
    --allow accepts that.

    \b
    Example:
      reconciler plan manifests/ --out plan.json
    """
    attributes = load_contract()
    console = Console(quiet, verbose)
    given = CliOverrides(url, timeout, max_changes=max_changes, allow_plain_http=allow_plain_http)
    files = find_files(paths, console)
    settings = read_settings(files.places, given, keys=OF_PLAN)
    check_output(out, files.files, "plan")
    allow = frozenset(map(Kind, allowed))
    with connect(settings, attributes, console) as api:
        desired = load_desired(files, attributes, shard, server=settings.server, console=console)
        plan = plan_desired(desired, api, attributes, allow=allow, shard=shard, console=console)
    try:
        show_plan(plan, form, full=full, console=console)
    finally:
        # Who stopped reading what is shown may still want the file.
        if out:
            save_plan(plan, out, console=console)
    check_limit(plan, settings.max_changes)
    if message := describe_blockers(plan, allow):
        console.note("reconciler: {} ({})".format(*message))
    return _exit_code(plan, allow, detailed=detailed_exitcode)


def _exit_code(plan: Plan, allow: frozenset[Kind], *, detailed: bool) -> int:
    if plan.unaccepted(allow):
        return ERROR
    return CHANGES if detailed and plan.updates else DONE
