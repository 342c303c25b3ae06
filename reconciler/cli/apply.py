"""``reconciler apply``."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import click

from reconciler.apply.carrying import carry_out
from reconciler.apply.orders import Orders
from reconciler.apply.report import first_line
from reconciler.apply.report_file import ReportFile
from reconciler.cli.connecting import connected, plan_options, planned
from reconciler.cli.exit_codes import DONE, INTERRUPTED, PARTLY
from reconciler.cli.loading import loaded
from reconciler.cli.output import Talk, show, show_done, style_of_output, talk_options
from reconciler.cli.progress import Progress
from reconciler.cli.reporting import Reporting
from reconciler.cli.settings import read_settings, server_options
from reconciler.cli.sharding import shard_option
from reconciler.cli.stopping import Stopping
from reconciler.contract.attributes import Attributes
from reconciler.contract.openapi import load_contract
from reconciler.errors import Refused
from reconciler.manifest.files import STANDARD_INPUT, find_manifests
from reconciler.plan.digest import digest
from reconciler.plan.model import NEVER, WARNINGS, Kind, Plan
from reconciler.plan.notation import counted_noun, visible
from reconciler.plan.shard import Shard
from reconciler.render import text
from reconciler.server.task_api import TaskApi


@click.command("apply")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what was done, as JSON lines, as it happens.",
)
@click.option(
    "--concurrency",
    envvar="RECONCILER_CONCURRENCY",
    type=click.IntRange(1, 64),
    help="Updates under way at once, at most; adapts to the server below it.  [default: 8]",
)
@click.option(
    "--rps",
    envvar="RECONCILER_RPS",
    type=click.FloatRange(min=0, min_open=True),
    help="Updates begun a second, at most; evenly spaced.  [default: any number]",
)
@shard_option
@plan_options
@server_options
@talk_options
def command(  # noqa: PLR0913 - one parameter an option
    *,
    paths: tuple[str, ...],
    yes: bool,
    report: Path | None,
    concurrency: int | None,
    rps: float | None,
    allowed: tuple[str, ...],
    full: bool,
    shard: Shard | None,
    url: str | None,
    timeout: float | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Show what would change on the server, ask, and change it.

    Exits with 3 where some tasks are not as declared afterwards; running it again goes on.

    \b
    Example:
      reconciler apply manifests/ --yes --report report.jsonl
    """
    attributes = load_contract()
    talk = Talk(quiet, verbose)
    settings = read_settings(paths, url=url, timeout=timeout, concurrency=concurrency, rps=rps)
    desired = loaded(paths, attributes, shard, talk=talk)
    _refuse_manifest_as_report(report, paths)
    allow = frozenset(map(Kind, allowed))
    with connected(settings, attributes) as api:
        plan = planned(desired, api, attributes, allow=allow, shard=shard, talk=talk)
        show(text.render_plan(plan, style=style_of_output(), full=full))
        _refuse_if_in_the_way(plan, allow)
        if plan.updates and not yes:
            _ask(plan)
        with Progress(talk) as progress:
            orders = Orders(allow, settings.concurrency, settings.rps, watch=progress)
            return _carry_out(plan, api, attributes, orders=orders, report=report)


def _refuse_manifest_as_report(report: Path | None, paths: tuple[str, ...]) -> None:
    if report is None or not report.exists():
        return
    files, _ = find_manifests(paths)
    if any(report.samefile(file) for file in files if file != STANDARD_INPUT):
        raise Refused(
            f"nothing is changed: {report} is a manifest, and would give way to the report",
            hint="name another file with --report",
        )


def _refuse_if_in_the_way(plan: Plan, allow: frozenset[Kind]) -> None:
    in_the_way = plan.unaccepted(allow)
    if in_the_way:
        kinds = {p.kind for task in in_the_way for p in task.problems} - allow - WARNINGS - NEVER
        options = " ".join(f"--allow {kind.value}" for kind in sorted(kinds))
        tasks = counted_noun(len(in_the_way), "task")
        raise Refused(
            f"nothing is changed: {tasks} cannot be brought to what is declared",
            hint=f"see above; mend the manifests{options and f', or accept it with {options}'}",
        )


def _ask(plan: Plan) -> None:
    if not sys.stdin.isatty():
        raise Refused(
            "nothing is changed: there is no terminal to ask on",
            hint="add --yes where the plan has been looked at before",
        )
    if not click.confirm(f"Change {counted_noun(len(plan.updates), 'task')}?", err=True):
        raise Refused("nothing is changed: the answer was no")


def _carry_out(
    plan: Plan, api: TaskApi, attributes: Attributes, *, orders: Orders, report: Path | None
) -> int:
    with ExitStack() as stack:
        file = stack.enter_context(ReportFile(report)) if report else None
        if file:
            file.write(first_line(digest(plan), plan.server, plan.shards))
        reporting = Reporting(file, orders.stop)
        stopping = stack.enter_context(Stopping(orders.stop))
        outcomes = carry_out(plan, api, attributes, orders=orders, record=reporting.record)
        reporting.close(outcomes, api.requests)
    if plan.updates:
        show_done(text.render_report(outcomes, style=style_of_output()))
    if file and file.kept:
        click.echo(f"The earlier report is kept as {visible(str(file.kept))}.", err=True)
    if reporting.lost:
        why = f"stopped: {reporting.lost.message}"
        said = f"{why}; run it again with another --report, and it goes on"
        click.echo(f"reconciler: {visible(said)}", err=True)
    if stopping.signalled:
        return INTERRUPTED
    good = all(outcome.is_good for outcome in outcomes)
    return DONE if good and not reporting.lost else PARTLY
