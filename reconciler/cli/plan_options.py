"""The options of commands that make or apply a plan."""

from __future__ import annotations

import click

from reconciler.cli.completion_values import complete_selectors, ignore_context
from reconciler.cli.environment_option import SettingOption, SingleOption, env_option, take_single
from reconciler.cli.option_types import CountInRange, ParsedType, PositiveNumber
from reconciler.cli.options import Command, add_options, fold_options, full_option
from reconciler.cli.redaction_option import REDACT_OPTIONS
from reconciler.engine.settings.run_settings import CliOverrides
from reconciler.engine.vocabulary import (
    ALLOWABLE,
    Allowance,
    Kind,
    Limit,
    Selector,
    Shard,
    parse_allowance,
    parse_denial,
)

_ALLOWABLE = [kind.value for kind in Kind if kind in ALLOWABLE]
_KINDS = ", ".join(_ALLOWABLE)


def _complete_kinds(incomplete: str) -> list[str]:
    return [kind for kind in _ALLOWABLE if kind.startswith(incomplete)]


def _parse_allow(text: str) -> Allowance:
    return parse_allowance(text, "--allow")


def _parse_deny(text: str) -> Allowance:
    return parse_denial(text, "--deny")


shard_option = click.option(
    "--shard",
    cls=SettingOption,
    envvar="RECONCILER_SHARD",
    metavar="K/N",
    type=ParsedType("shard", Shard.parse),
    help="Process only the K-th of N parts of the tasks.  [default: all tasks]",
)


allow_option = click.option(
    "--allow",
    multiple=True,
    metavar="KIND[:PATH]",
    type=ParsedType("kind", _parse_allow),
    shell_complete=ignore_context(_complete_kinds),
    help="Accept this problem, or only that of changes at this path: leave the task out (missing, "
    "ambiguous, unreadable, other-project, edited-since) or, in a new plan, change it anyway (the "
    f"others). Can be passed more than once. The kinds are {_KINDS}.",
)


_deny_option = click.option(
    "--deny",
    multiple=True,
    metavar="KIND[:PATH]",
    type=ParsedType("kind", _parse_deny),
    shell_complete=ignore_context(_complete_kinds),
    help="Forbid to accept this problem, whatever --allow, manifests or a saved plan say; adds to "
    "RECONCILER_DENY (separated by commas).",
)


def target_options(command: Command) -> Command:
    """Add --target, --exclude and --since, as ``target``, ``exclude`` and ``since``."""
    selector = ParsedType("selector", Selector.parse)
    return add_options(
        click.option(
            "--target",
            multiple=True,
            metavar="S",
            type=selector,
            shell_complete=ignore_context(complete_selectors),
            help="Look only at this: an id, a range such as 100-200, key:VALUE, rule:NAME, "
            "path:data.text or file:GLOB. Several of one sort add up, different sorts must all "
            "fit.  [default: everything]",
        ),
        click.option(
            "--exclude",
            multiple=True,
            metavar="S",
            type=selector,
            shell_complete=ignore_context(complete_selectors),
            help="Do not look at this, written as for --target; it wins over --target.",
        ),
        click.option(
            "--since",
            metavar="REV",
            help="Look only at what the files declare differently than at this git revision, such "
            "as origin/main; origin/main... is where HEAD left it.  [default: everything]",
        ),
    )(command)


impact_option = click.option(
    "--impact",
    is_flag=True,
    help="Read the annotations of tasks whose labelled data would change, and count those that "
    "would no longer fit.",
)


_max_changes_option = click.option(
    "--max-changes",
    cls=SettingOption,
    envvar="RECONCILER_MAX_CHANGES",
    metavar="N|P%",
    type=ParsedType("limit", Limit.parse),
    help="Refuse to change more than N tasks, or P% of them.  [default: any number]",
)


_SERVER_OPTIONS = (
    env_option,
    click.option(
        "--url",
        cls=SingleOption,
        multiple=True,
        callback=take_single,
        envvar="LABEL_STUDIO_URL",
        metavar="URL",
        help="Address of the server.",
    ),
    click.option(
        "--timeout",
        cls=SettingOption,
        envvar="RECONCILER_TIMEOUT",
        type=PositiveNumber("seconds, above 0, such as 30"),
        help="Seconds to wait for a response.  [default: 120]",
    ),
    click.option(
        "--allow-plain-http",
        cls=SettingOption,
        is_flag=True,
        default=None,
        envvar="RECONCILER_ALLOW_PLAIN_HTTP",
        help="Allow sending the token to another host without encryption.",
    ),
)


_PACE_OPTIONS = (
    click.option(
        "--concurrency",
        cls=SettingOption,
        envvar="RECONCILER_CONCURRENCY",
        type=CountInRange(64),
        help="Most updates to run at once; fewer if more would not be faster.  [default: 8]",
    ),
    click.option(
        "--rps",
        cls=SettingOption,
        envvar="RECONCILER_RPS",
        type=PositiveNumber("updates per second, above 0, such as 10"),
        help="Most updates to start per second, evenly spaced.  [default: any number]",
    ),
)


def planning_options(command: Command) -> Command:
    """Add the options for making a plan; settings are passed as ``overrides``."""
    add = add_options(
        *(allow_option, _deny_option, _max_changes_option, full_option),
        *REDACT_OPTIONS,
        *_SERVER_OPTIONS,
    )
    return add(fold_options(CliOverrides, "overrides")(command))


def applying_options(command: Command) -> Command:
    """Add the options for making and applying a plan; settings are passed as ``overrides``."""
    accept = (allow_option, _deny_option)
    shown = (full_option, *REDACT_OPTIONS)
    add = add_options(*_PACE_OPTIONS, *accept, _max_changes_option, *shown, *_SERVER_OPTIONS)
    return add(fold_options(CliOverrides, "overrides")(command))


def server_options(command: Command) -> Command:
    """Add the options that say how to reach a server, passed as ``overrides``."""
    return add_options(*_SERVER_OPTIONS)(fold_options(CliOverrides, "overrides")(command))


def checking_options(command: Command) -> Command:
    """Add the options of checks of a server, which show values; passed as ``overrides``."""
    add = add_options(*REDACT_OPTIONS, *_SERVER_OPTIONS)
    return add(fold_options(CliOverrides, "overrides")(command))
