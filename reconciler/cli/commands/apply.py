"""``reconciler apply``."""

from __future__ import annotations

from contextlib import suppress

import click

from reconciler.artifacts.plan_file import check_output, check_server, read_plan
from reconciler.cli.apply_dialogue import ApplyChoices, apply_options, review_and_apply
from reconciler.cli.sharding import shard_option
from reconciler.contract.openapi import load_contract
from reconciler.core.model import Plan
from reconciler.core.shard import Shard
from reconciler.engine.connection import connect, plan_desired
from reconciler.engine.load import find_files, load_desired
from reconciler.engine.settings.run_settings import CliOverrides, read_settings
from reconciler.errors import Broken, NotFound, SettingsError
from reconciler.labelstudio.task_api import TaskApi
from reconciler.manifest.files import FoundFiles, find_place


@click.command("apply")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@shard_option
@apply_options
def command(
    *, paths: tuple[str, ...], shard: Shard | None, choices: ApplyChoices, given: CliOverrides
) -> int:
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
    console, allow = choices.console, choices.allow
    saved = read_plan(paths)
    files = FoundFiles([*paths], places={find_place(paths[0]): paths[0]})
    if saved is None:
        files = find_files(paths, console)
    settings = read_settings(files.places, given)
    check_output(choices.report, files.files, "report")
    with connect(settings, attributes, console) as api:
        if saved is None:
            desired = load_desired(
                files, attributes, shard, server=settings.server, console=console
            )
            plan = plan_desired(desired, api, attributes, allow=allow, shard=shard, console=console)
        else:
            plan = saved
            _check_saved(plan, shard, api, file=paths[0])
        return review_and_apply(
            plan,
            api,
            attributes,
            settings=settings,
            choices=choices,
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
