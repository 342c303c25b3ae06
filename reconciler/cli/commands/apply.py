"""``reconciler apply``."""

from __future__ import annotations

import os
from dataclasses import dataclass

import click

from reconciler.cli.completion_values import complete_paths
from reconciler.cli.inputs import find_inputs
from reconciler.cli.options import take_options
from reconciler.cli.plan_options import impact_option, shard_option, target_options
from reconciler.cli.review import ReviewOptions, review_and_apply, review_options
from reconciler.cli.server_access import connect_to_server, plan_inputs
from reconciler.engine.apply import check_report, check_saved_plan
from reconciler.engine.changed_since import build_since_request
from reconciler.engine.load import locate_saved_files
from reconciler.engine.policy import check_output
from reconciler.engine.redacted_errors import redact_errors
from reconciler.engine.saved_plan import read_plan
from reconciler.engine.settings.redaction_settings import read_redaction
from reconciler.engine.settings.run_settings import read_settings
from reconciler.engine.vocabulary import Redaction, Selector, Shard, Targets
from reconciler.errors import SettingsError


@dataclass(frozen=True, slots=True)
class ApplyCommandOptions:
    """The arguments and options of ``apply``."""

    paths: tuple[str, ...]
    shard: Shard | None
    target: tuple[Selector, ...]
    exclude: tuple[Selector, ...]
    since: str | None
    impact: bool
    review: ReviewOptions


@click.command("apply")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, shell_complete=complete_paths)
@shard_option
@target_options
@impact_option
@review_options
@take_options(ApplyCommandOptions)
def command(options: ApplyCommandOptions) -> int:
    """Show what would change on the server, ask, and change it.

    PATH is a manifest, a folder, a glob, - for standard input, or one plan saved by plan --out.
    A saved plan is applied as it is. A task whose values changed on the server since then is left
    alone: plan again to change it.

    Exit codes: 0 all tasks are as declared, 1 error or a blocked task (nothing was changed),
    3 partially applied (run it again to continue; after a saved plan with stale tasks, plan again),
    130 interrupted.

    \b
    Example:
      reconciler apply manifests/ --yes --report report.jsonl
      reconciler apply plan.json --report report.jsonl
    """
    paths, review = options.paths, options.review
    targets = Targets(options.target, options.exclude)
    with redact_errors(lambda: _read_redaction(options)):
        saved = read_plan(paths)
    files = locate_saved_files(paths) if saved else find_inputs(paths, review.console)
    settings = read_settings(files.places, review.overrides, os.environ)
    check_output(review.report, files.files, "report")
    review.outputs.check(files.files, review.report)
    check_report(review.report)
    with (
        review.outputs.writing_problems(review.console),
        redact_errors(lambda: settings.redaction),
        connect_to_server(settings, review.console) as connection,
    ):
        if saved:
            plan = saved
            _check_part(options.shard, targets, options.since)
            _check_impact(impact=options.impact)
            check_saved_plan(plan, connection, file=paths[0])
        else:
            plan = plan_inputs(
                files,
                connection,
                settings=settings,
                allow=review.build_allowances(settings),
                shard=options.shard,
                targets=targets,
                since=build_since_request(options.since, paths, files, os.environ),
                impact=options.impact,
                console=review.console,
            )
        return review_and_apply(
            plan,
            connection,
            settings=settings,
            options=review,
            manifests=() if saved else paths,
        )


def _read_redaction(options: ApplyCommandOptions) -> Redaction:
    """Read what is redacted, for an error of a saved plan."""
    overrides, places = options.review.overrides, locate_saved_files(options.paths).places
    return read_redaction(places, os.environ, options=overrides.redaction, env=overrides.env or "")


def _check_part(shard: Shard | None, targets: Targets, since: str | None) -> None:
    """Raise SettingsError if an option that chooses a part is used with a saved plan."""
    if targets or since is not None:
        option = "--target" if targets.include else "--exclude" if targets else "--since"
        message = f"{option} cannot be used with a saved plan, which already names its changes"
        raise SettingsError(
            message, hint=f"pass {option} to plan, and apply the plan that it saves"
        )
    if shard is not None:
        message = "--shard cannot be used with a saved plan, which already names its tasks"
        raise SettingsError(message, hint="pass --shard to plan, and apply the plan of each shard")


def _check_impact(*, impact: bool) -> None:
    """Raise SettingsError if annotations are to be read for a saved plan."""
    if impact:
        message = "--impact cannot be used with a saved plan, which shows what plan --impact found"
        raise SettingsError(message, hint="pass --impact to plan, and apply the plan that it saves")
