"""``--shard``: which part of the tasks a run is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from reconciler.cli.option_types import ParsedType
from reconciler.core.shard import Shard

F = TypeVar("F", bound=Callable[..., Any])


def shard_option(command: F) -> F:
    """Add --shard."""
    return click.option(
        "--shard",
        envvar="RECONCILER_SHARD",
        metavar="K/N",
        type=ParsedType("shard", Shard.parse),
        help="Only the tasks of the K-th of N parts.  [default: all tasks]",
    )(command)
