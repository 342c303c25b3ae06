"""The options that commands share, and how a command gets them: as one frozen dataclass."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import click

from reconciler.cli.console import Console
from reconciler.cli.option_types import ParsedType
from reconciler.core.limit import Limit
from reconciler.core.model import NEVER, WARNINGS, Kind
from reconciler.core.shard import Shard
from reconciler.engine.settings.run_settings import CliOverrides
from reconciler.render.registry import list_formats

Command = Callable[..., Any]
T = TypeVar("T")
R = TypeVar("R")

_KINDS = [kind.value for kind in Kind if kind not in WARNINGS | NEVER]


def take_options(kind: type[T]) -> Callable[[Callable[[T], R]], Callable[..., R]]:
    """Give a command all of its options as one ``kind``, a dataclass with a field for each."""

    def decorate(command: Callable[[T], R]) -> Callable[..., R]:
        @functools.wraps(command)
        def call(**values: Any) -> R:  # noqa: ANN401 - as click read them
            return command(kind(**values))

        return call

    return decorate


def fold_options(kind: type[Any], name: str) -> Callable[[Command], Command]:
    """Give a command the options that are fields of ``kind`` as one, under a ``name``."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def call(**values: Any) -> Any:  # noqa: ANN401 - as click read them
            known = [field.name for field in fields(kind) if field.name in values]
            values[name] = kind(**{key: values.pop(key) for key in known})
            return command(**values)

        return call

    return decorate


def add_options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Add options in the order in which --help shows them."""
    return lambda command: functools.reduce(lambda c, add: add(c), reversed(options), command)


def verbosity_options(command: Command) -> Command:
    """Add --quiet and --verbose, as ``console``."""
    return add_options(
        click.option("-q", "--quiet", is_flag=True, help="Only results and errors."),
        click.option("-v", "--verbose", is_flag=True, help="Say how it is done, too."),
    )(fold_options(Console, "console")(command))


def format_option(subject: type) -> Callable[[Command], Command]:
    """Add --format, with the formats that render a subject."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(list_formats(subject)),
        default="text",
        show_default=True,
        help="How to write it.",
    )


full_option = click.option("--full", is_flag=True, help="List every task, and values in full.")

shard_option = click.option(
    "--shard",
    envvar="RECONCILER_SHARD",
    metavar="K/N",
    type=ParsedType("shard", Shard.parse),
    help="Only the tasks of the K-th of N parts.  [default: all tasks]",
)

allow_option = click.option(
    "--allow",
    multiple=True,
    type=click.Choice(_KINDS),
    callback=lambda _context, _option, given: frozenset(map(Kind, given)),
    help="Accept tasks with this problem. May be given more than once.",
)

_limit_option = click.option(
    "--max-changes",
    envvar="RECONCILER_MAX_CHANGES",
    metavar="N|P%",
    type=ParsedType("limit", Limit.parse),
    help="Tasks that may be changed, or the part of all.  [default: any number]",
)

_SERVER_OPTIONS = (
    click.option("--url", envvar="LABEL_STUDIO_URL", metavar="URL", help="Address of the server."),
    click.option(
        "--timeout",
        envvar="RECONCILER_TIMEOUT",
        type=click.FloatRange(min=0, min_open=True),
        help="Seconds to wait for an answer.  [default: 120]",
    ),
    click.option(
        "--allow-plain-http",
        is_flag=True,
        envvar="RECONCILER_ALLOW_PLAIN_HTTP",
        help="Send the token to another host without encryption.",
    ),
)

_PACE_OPTIONS = (
    click.option(
        "--concurrency",
        envvar="RECONCILER_CONCURRENCY",
        type=click.IntRange(1, 64),
        help="Updates under way at once, at most; adapts to the server below it.  [default: 8]",
    ),
    click.option(
        "--rps",
        envvar="RECONCILER_RPS",
        type=click.FloatRange(min=0, min_open=True),
        help="Updates begun a second, at most; evenly spaced.  [default: any number]",
    ),
)


def planning_options(command: Command) -> Command:
    """Add what making and showing a plan takes; settings come as ``overrides``."""
    add = add_options(allow_option, _limit_option, full_option, *_SERVER_OPTIONS)
    return add(fold_options(CliOverrides, "overrides")(command))


def applying_options(command: Command) -> Command:
    """Add what making and carrying out a plan takes; settings come as ``overrides``."""
    add = add_options(*_PACE_OPTIONS, allow_option, _limit_option, full_option, *_SERVER_OPTIONS)
    return add(fold_options(CliOverrides, "overrides")(command))
