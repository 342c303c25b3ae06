"""How many tasks a run may change: a number, or a part of those that it looks at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from reconciler.core.model import Plan
from reconciler.core.notation import count_noun

_WRITTEN: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)(%?)")
_WHOLE: Final = 100


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` tasks, or that many per cent of them."""

    most: Fraction
    percent: bool

    @classmethod
    def parse(cls, text: str) -> Limit:
        """Read ``100`` or ``5%``; raises ValueError."""
        found = _WRITTEN.fullmatch(text.strip())
        if found:
            limit = cls(Fraction(found[1]), percent=bool(found[2]))
            if limit.most <= _WHOLE if limit.percent else limit.most.denominator == 1:
                return limit
        raise ValueError(f"{text!r} is neither a number of tasks, such as 100, nor a part, as 5%")

    def of(self, tasks: int) -> int:
        """Tell how many of so many tasks may be changed."""
        return int(tasks * self.most / _WHOLE) if self.percent else int(self.most)

    def __str__(self) -> str:
        return f"{float(self.most):g}%" if self.percent else f"{int(self.most):,}"


def describe_excess(plan: Plan, limit: Limit | None) -> str:
    """Say by how much a plan goes over a limit; nothing where it does not."""
    changed, tasks = len(plan.updates), plan.summary()["tasks"]
    if limit is None or changed <= limit.of(tasks):
        return ""
    at_most = f"{limit.of(tasks):,}, {limit} of them," if limit.percent else str(limit)
    return f"{count_noun(changed, 'task')} of {tasks:,} would be changed, and at most {at_most} may"
