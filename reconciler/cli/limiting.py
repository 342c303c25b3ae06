"""``--max-changes``: how many tasks a run may change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from reconciler.cli.option_types import ParsedType
from reconciler.core.limit import Limit, describe_excess
from reconciler.core.model import Plan
from reconciler.errors import Refused

F = TypeVar("F", bound=Callable[..., Any])


def limit_option(command: F) -> F:
    """Add --max-changes."""
    return click.option(
        "--max-changes",
        envvar="RECONCILER_MAX_CHANGES",
        metavar="N|P%",
        type=ParsedType("limit", Limit.parse),
        help="Tasks that may be changed, or the part of all.  [default: any number]",
    )(command)


def check_limit(plan: Plan, limit: Limit | None) -> None:
    """Raise Refused for a plan that goes over the limit."""
    message = describe_excess(plan, limit)
    if message:
        raise Refused(
            f"max-changes: nothing is changed: {message}",
            hint="is it meant? then give --max-changes a larger number, or 100%",
        )
