"""``reconciler apply``."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

import click

from reconciler.artifacts.plan_file import read_plan
from reconciler.cli.inputs import find_inputs
from reconciler.cli.options import take_options
from reconciler.cli.plan_options import shard_option
from reconciler.cli.review import ReviewOptions, review_and_apply, review_options
from reconciler.cli.server_access import connect_to_server, plan_inputs
from reconciler.contract.openapi import load_contract
from reconciler.core.model import Plan
from reconciler.core.shard import Shard
from reconciler.engine.policy import check_output, check_server
from reconciler.engine.settings.run_settings import read_settings
from reconciler.errors import Broken, NotFound, SettingsError
from reconciler.labelstudio.task_api import TaskApi
from reconciler.manifest.files import FoundFiles, find_place


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
    attributes = load_contract()
    paths, review = options.paths, options.review
    saved = read_plan(paths)
    files = FoundFiles([*paths], places={find_place(paths[0]): paths[0]})
    if saved is None:
        files = find_inputs(paths, review.console)
    settings = read_settings(files.places, review.overrides, os.environ)
    check_output(review.report, files.files, "report")
    with connect_to_server(settings, attributes, review.console) as api:
        if saved is None:
            plan = plan_inputs(
                files,
                api,
                attributes,
                settings=settings,
                allow=review.allow,
                shard=options.shard,
                console=review.console,
            )
        else:
            plan = saved
            _check_saved(plan, options.shard, api, file=paths[0])
        return review_and_apply(
            plan,
            api,
            attributes,
            settings=settings,
            options=review,
            manifests=() if saved else paths,
        )


def _check_saved(plan: Plan, shard: Shard | None, api: TaskApi, *, file: str) -> None:
    """Hold a saved plan to the server and the options that it is to be carried out with."""
    if shard is not None:
        message = (
            "a saved plan is of the tasks that it was made for, and --shard cannot change that"
        )
        raise SettingsError(message, hint="give --shard to plan, and apply the plan of each shard")
    check_server(plan.server, api.identity(), file)
    if plan.updates:
        # A server tells anybody its version: a token that it refuses is to show before the report.
        with suppress(NotFound, Broken):
            api.project_of(plan.updates[0].task)
