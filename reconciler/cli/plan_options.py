"""The options of commands that make or apply a plan."""

from __future__ import annotations

import click
from click.core import ParameterSource

from reconciler.cli.option_types import ParsedType
from reconciler.cli.options import Command, add_options, fold_options, full_option
from reconciler.engine.settings.run_settings import CliOverrides
from reconciler.engine.vocabulary import ALLOWABLE, Kind, Limit, Shard


class _SettingOption(click.Option):
    """An option with a variable; an error names whichever of the two had the value."""

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Return the name that an error gives for the value."""
        source = ctx.get_parameter_source(self.name) if ctx and self.name else None
        if source is ParameterSource.ENVIRONMENT and isinstance(self.envvar, str):
            return self.envvar
        return super().get_error_hint(ctx)


_KINDS = [kind.value for kind in Kind if kind in ALLOWABLE]


shard_option = click.option(
    "--shard",
    cls=_SettingOption,
    envvar="RECONCILER_SHARD",
    metavar="K/N",
    type=ParsedType("shard", Shard.parse),
    help="Process only the K-th of N parts of the tasks.  [default: all tasks]",
)


allow_option = click.option(
    "--allow",
    multiple=True,
    type=click.Choice(_KINDS),
    callback=lambda _context, _option, given: frozenset(map(Kind, given)),
    help="Accept this problem: leave the task out (missing, unreadable, other-project, "
    "edited-since) or, in a new plan, change it anyway (the others). Can be passed more than once.",
)


_limit_option = click.option(
    "--max-changes",
    cls=_SettingOption,
    envvar="RECONCILER_MAX_CHANGES",
    metavar="N|P%",
    type=ParsedType("limit", Limit.parse),
    help="Refuse to change more than N tasks, or P% of them.  [default: any number]",
)


_SERVER_OPTIONS = (
    click.option(
        "--url",
        cls=_SettingOption,
        envvar="LABEL_STUDIO_URL",
        metavar="URL",
        help="Address of the server.",
    ),
    click.option(
        "--timeout",
        cls=_SettingOption,
        envvar="RECONCILER_TIMEOUT",
        type=click.FloatRange(min=0, min_open=True),
        help="Seconds to wait for a response.  [default: 120]",
    ),
    click.option(
        "--allow-plain-http",
        cls=_SettingOption,
        is_flag=True,
        envvar="RECONCILER_ALLOW_PLAIN_HTTP",
        help="Allow sending the token to another host without encryption.",
    ),
)


_PACE_OPTIONS = (
    click.option(
        "--concurrency",
        cls=_SettingOption,
        envvar="RECONCILER_CONCURRENCY",
        type=click.IntRange(1, 64),
        help="Most updates to run at once; fewer if more would not be faster.  [default: 8]",
    ),
    click.option(
        "--rps",
        cls=_SettingOption,
        envvar="RECONCILER_RPS",
        type=click.FloatRange(min=0, min_open=True),
        help="Most updates to start per second, evenly spaced.  [default: any number]",
    ),
)


def planning_options(command: Command) -> Command:
    """Add the options for making a plan; settings are passed as ``overrides``."""
    add = add_options(allow_option, _limit_option, full_option, *_SERVER_OPTIONS)
    return add(fold_options(CliOverrides, "overrides")(command))


def applying_options(command: Command) -> Command:
    """Add the options for making and applying a plan; settings are passed as ``overrides``."""
    add = add_options(*_PACE_OPTIONS, allow_option, _limit_option, full_option, *_SERVER_OPTIONS)
    return add(fold_options(CliOverrides, "overrides")(command))
