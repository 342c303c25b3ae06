"""``reconciler apply``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from reconciler.cli.applying import Choices, apply_options, show_ask_and_carry_out
from reconciler.cli.connecting import connected, planned
from reconciler.cli.loading import loaded
from reconciler.cli.saving import refuse_manifest, refuse_other_server, saved_plan
from reconciler.cli.settings import Given, read_settings
from reconciler.cli.sharding import shard_option
from reconciler.contract.attributes import Attributes
from reconciler.contract.openapi import load_contract
from reconciler.errors import SettingsError
from reconciler.plan.model import Plan
from reconciler.plan.shard import Shard
from reconciler.server.reading import read_task
from reconciler.server.task_api import TaskApi


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
    settings = read_settings(paths, given)
    refuse_manifest(choices.report, paths, "report")
    with connected(settings, attributes) as api:
        saved = _saved(paths, shard, api)
        plan = saved or _from_manifests(paths, shard, api, attributes, choices=choices)
        return show_ask_and_carry_out(
            plan,
            api,
            attributes,
            settings=settings,
            choices=choices,
            manifests=() if saved else paths,
        )


def _saved(paths: Sequence[str], shard: Shard | None, api: TaskApi) -> Plan | None:
    """Take the plan as it was saved, for the server that it was made for."""
    plan = saved_plan(paths)
    if plan is None:
        return None
    if shard is not None:
        said = "a saved plan is of the tasks that it was made for, and --shard cannot change that"
        raise SettingsError(said, hint="give --shard to plan, and apply the plan of each shard")
    refuse_other_server(plan.server, api.identity(), paths[0])
    if plan.updates:
        # A server tells anybody its version: a token that it refuses is to show before the report.
        read_task(api, plan.updates[0].task, ["id"])
    return plan


def _from_manifests(
    paths: Sequence[str],
    shard: Shard | None,
    api: TaskApi,
    attributes: Attributes,
    *,
    choices: Choices,
) -> Plan:
    """Read manifests, all of them before anything is asked of the server."""
    talk, allow = choices.talk, choices.allow
    desired = loaded(paths, attributes, shard, talk=talk)
    return planned(desired, api, attributes, allow=allow, shard=shard, talk=talk)
