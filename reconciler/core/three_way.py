"""Comparing a planned change with the live value, which may have changed since the plan."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from reconciler.contract.attributes import Attributes
from reconciler.core.difference import are_equal
from reconciler.core.model import Change
from reconciler.core.paths import get_value
from reconciler.core.values import Side


class Verdict(StrEnum):
    """DO: the live value is still ``before``. ALREADY: it is ``after``. STALE: it is neither."""

    DO = "do"
    ALREADY = "already"
    STALE = "stale"


def judge_change(change: Change, live: Mapping[str, Side], attributes: Attributes) -> Verdict:
    """Compare the live value with both sides of a change.

    If ``live`` lacks the attribute, nothing is proved, not even that the path is absent.
    """
    if change.path[0] not in live:
        return Verdict.STALE
    now = get_value(live, change.path)
    if are_equal(change.path, now, change.after, attributes):
        return Verdict.ALREADY
    parent = get_value(live, change.path[:-1]) if len(change.path) > 1 else {}
    if isinstance(parent, dict) and are_equal(change.path, now, change.before, attributes):
        return Verdict.DO
    return Verdict.STALE


def is_applied(change: Change, live: Mapping[str, Side], attributes: Attributes) -> bool:
    """Tell whether ``live`` has the value after the change."""
    return judge_change(change, live, attributes) is Verdict.ALREADY
