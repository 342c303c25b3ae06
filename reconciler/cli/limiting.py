"""``--max-changes``: how many tasks a run may change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from reconciler.errors import Refused
from reconciler.plan.limit import Limit, exceeded
from reconciler.plan.model import Plan

F = TypeVar("F", bound=Callable[..., Any])


class LimitType(click.ParamType):  # type: ignore[type-arg]  # click 8.2 has none
    """``N`` or ``P%`` on a command line or in the environment."""

    name = "limit"

    def convert(
        self, value: str | Limit, param: click.Parameter | None, ctx: click.Context | None
    ) -> Limit:
        """Read a limit; what is wrong is said as click says it of other options."""
        try:
            return value if isinstance(value, Limit) else Limit.parse(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


def limit_option(command: F) -> F:
    """Add --max-changes."""
    return click.option(
        "--max-changes",
        envvar="RECONCILER_MAX_CHANGES",
        metavar="N|P%",
        type=LimitType(),
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
