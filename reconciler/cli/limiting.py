"""``--max-changes``: how many tasks a run may change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from reconciler.cli.option_types import Parsed
from reconciler.core.limit import Limit, exceeded
from reconciler.core.model import Plan
from reconciler.errors import Refused

F = TypeVar("F", bound=Callable[..., Any])


def limit_option(command: F) -> F:
    """Add --max-changes."""
    return click.option(
        "--max-changes",
        envvar="RECONCILER_MAX_CHANGES",
        metavar="N|P%",
        type=Parsed("limit", Limit.parse),
        help="Tasks that may be changed, or the part of all.  [default: any number]",
    )(command)


def refuse_too_many(plan: Plan, limit: Limit | None) -> None:
    """Raise Refused for a plan that goes over the limit."""
    said = exceeded(plan, limit)
    if said:
        raise Refused(
            f"max-changes: nothing is changed: {said}",
            hint="is it meant? then give --max-changes a larger number, or 100%",
        )
