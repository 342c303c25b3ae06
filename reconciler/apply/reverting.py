"""What an apply may have changed, out of its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from reconciler.apply.report import Outcome, Report
from reconciler.plan.model import Change

_MAY_HAVE_CHANGED: Final = frozenset({Outcome.APPLIED, Outcome.NOT_HONOURED, Outcome.FAILED})
"""A PATCH was sent, or may have been: the live values tell how much of it was stored."""


def changes_made(report: Report) -> Mapping[int, Sequence[Change]]:
    """Give by task the changes that an apply made, or sent without knowing what became of them."""
    return {
        outcome.task: outcome.changes
        for outcome in report.outcomes
        if outcome.outcome in _MAY_HAVE_CHANGED and outcome.changes
    }
