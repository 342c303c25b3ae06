"""``reconciler apply``."""

from __future__ import annotations

import os
from dataclasses import dataclass

import click

from reconciler.cli.inputs import find_inputs
from reconciler.cli.options import take_options
from reconciler.cli.plan_options import shard_option
from reconciler.cli.review import ReviewOptions, review_and_apply, review_options
from reconciler.cli.server_access import connect_to_server, plan_inputs
from reconciler.engine.apply import check_saved_plan
from reconciler.engine.load import locate_saved_files
from reconciler.engine.policy import check_output
from reconciler.engine.saved_plan import read_plan
from reconciler.engine.settings.run_settings import read_settings
from reconciler.engine.vocabulary import Shard
from reconciler.errors import SettingsError


@dataclass(frozen=True, slots=True)
class ApplyCommandOptions:
    """The arguments and options of ``apply``."""

    paths: tuple[str, ...]
    shard: Shard | None
    review: ReviewOptions


@click.command("apply")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@shard_option
@review_options
@take_options(ApplyCommandOptions)
def command(options: ApplyCommandOptions) -> int:
    """Show what would change on the server, ask, and change it.

    A PATH is a manifest, a folder of manifests, or one plan that plan --out saved: then just
    that is carried out, but for what has changed on the server since.

    Exits with 3 where some tasks are not as declared afterwards; running it again goes on.

    \b
    Example:
      reconciler apply manifests/ --yes --report report.jsonl
      reconciler apply plan.json --report report.jsonl
    """
    paths, review = options.paths, options.review
    saved = read_plan(paths)
    files = locate_saved_files(paths) if saved else find_inputs(paths, review.console)
    settings = read_settings(files.places, review.overrides, os.environ)
    check_output(review.report, files.files, "report")
    with connect_to_server(settings, review.console) as connection:
        if saved:
            plan = saved
            _check_shard(options.shard)
            check_saved_plan(plan, connection, file=paths[0])
        else:
            plan = plan_inputs(
                files,
                connection,
                settings=settings,
                allow=review.allow,
                shard=options.shard,
                console=review.console,
            )
        return review_and_apply(
            plan,
            connection,
            settings=settings,
            options=review,
            manifests=() if saved else paths,
        )


def _check_shard(shard: Shard | None) -> None:
    """Raise SettingsError for a shard of a saved plan."""
    if shard is not None:
        message = (
            "a saved plan is of the tasks that it was made for, and --shard cannot change that"
        )
        raise SettingsError(message, hint="give --shard to plan, and apply the plan of each shard")
