"""``--shard``: which part of the tasks a run is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from reconciler.plan.shard import Shard

F = TypeVar("F", bound=Callable[..., Any])


class ShardType(click.ParamType):  # type: ignore[type-arg]  # click 8.2 has none
    """``K/N`` on a command line or in the environment."""

    name = "shard"

    def convert(
        self, value: str | Shard, param: click.Parameter | None, ctx: click.Context | None
    ) -> Shard:
        """Read a shard; what is wrong is said as click says it of other options."""
        try:
            return value if isinstance(value, Shard) else Shard.parse(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


def shard_option(command: F) -> F:
    """Add --shard."""
    return click.option(
        "--shard",
        envvar="RECONCILER_SHARD",
        metavar="K/N",
        type=ShardType(),
        help="Only the tasks of the K-th of N parts.  [default: all tasks]",
    )(command)
