"""How many tasks a run may change: a number, or a percentage of the tasks that it reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from reconciler.core.notation import count_noun
from reconciler.core.plan_model import Plan

_LIMIT: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)(%?)")
_WHOLE: Final = 100


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` tasks, or ``most`` per cent of the tasks."""

    most: Fraction
    percent: bool

    @classmethod
    def parse(cls, text: str) -> Limit:
        """Parse ``100`` or ``5%``; raises ValueError."""
        found = _LIMIT.fullmatch(text.strip())
        if found:
            limit = cls(Fraction(found[1]), percent=bool(found[2]))
            if limit.most <= _WHOLE if limit.percent else limit.most.denominator == 1:
                return limit
        raise ValueError(
            f"expected a number of tasks or a percentage, such as 100 or 5%, found {text!r}"
        )

    def of(self, tasks: int) -> int:
        """Return how many of ``tasks`` may be changed."""
        return int(tasks * self.most / _WHOLE) if self.percent else int(self.most)

    def __str__(self) -> str:
        return f"{float(self.most):g}%" if self.percent else f"{int(self.most):,}"


def describe_excess(plan: Plan, limit: Limit | None) -> str:
    """Say by how much a plan exceeds a limit; empty if it does not."""
    changed, tasks = len(plan.updates), plan.declared
    if limit is None or changed <= limit.of(tasks):
        return ""
    at_most = f"{limit} ({count_noun(limit.of(tasks), 'task')})" if limit.percent else str(limit)
    of_tasks = f"{changed:,} of {count_noun(tasks, 'task')}"
    return f"the plan would change {of_tasks}; the limit is {at_most}"
