"""``reconciler apply``."""

from __future__ import annotations

from contextlib import suppress

import click

from reconciler.artifacts.plan_file import refuse_manifest, refuse_other_server, saved_plan
from reconciler.cli.apply_dialogue import Choices, apply_options, show_ask_and_carry_out
from reconciler.cli.sharding import shard_option
from reconciler.contract.openapi import load_contract
from reconciler.core.model import Plan
from reconciler.core.shard import Shard
from reconciler.engine.connection import connected, planned
from reconciler.engine.load import find_files, loaded
from reconciler.engine.settings.run_settings import Given, read_settings
from reconciler.errors import Broken, NotFound, SettingsError
from reconciler.labelstudio.task_api import TaskApi
from reconciler.manifest.files import FoundFiles, place_of


@click.command("apply")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@shard_option
@apply_options
def command(*, paths: tuple[str, ...], shard: Shard | None, choices: Choices, given: Given) -> int:
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
    talk, allow = choices.talk, choices.allow
    saved = saved_plan(paths)
    files = FoundFiles([*paths], places={place_of(paths[0]): paths[0]})
    if saved is None:
        files = find_files(paths, talk)
    settings = read_settings(files.places, given)
    refuse_manifest(choices.report, files.files, "report")
    with connected(settings, attributes, talk) as api:
        if saved is None:
            desired = loaded(files, attributes, shard, server=settings.server, talk=talk)
            plan = planned(desired, api, attributes, allow=allow, shard=shard, talk=talk)
        else:
            plan = saved
            _check_saved(plan, shard, api, file=paths[0])
        return show_ask_and_carry_out(
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
        said = "a saved plan is of the tasks that it was made for, and --shard cannot change that"
        raise SettingsError(said, hint="give --shard to plan, and apply the plan of each shard")
    refuse_other_server(plan.server, api.identity(), file)
    if plan.updates:
        # A server tells anybody its version: a token that it refuses is to show before the report.
        with suppress(NotFound, Broken):
            api.project_of(plan.updates[0].task)
