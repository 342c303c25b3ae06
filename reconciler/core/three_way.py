"""What to do about a change when the server may have moved since it was planned."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from reconciler.contract.attributes import Attributes
from reconciler.core.difference import equal
from reconciler.core.edit import value_at
from reconciler.core.model import Change
from reconciler.core.values import Side


class Verdict(StrEnum):
    """DO: live is still as planned. ALREADY: live is as declared. STALE: it is neither."""

    DO = "do"
    ALREADY = "already"
    STALE = "stale"


def verdict(change: Change, live: Mapping[str, Side], attributes: Attributes) -> Verdict:
    """Compare live with both ends of a change.

    An attribute that the answer does not carry proves nothing, not even an absent path.
    """
    if change.path[0] not in live:
        return Verdict.STALE
    now = value_at(live, change.path)
    if equal(change.path, now, change.after, attributes):
        return Verdict.ALREADY
    parent = value_at(live, change.path[:-1]) if len(change.path) > 1 else {}
    if isinstance(parent, dict) and equal(change.path, now, change.before, attributes):
        return Verdict.DO
    return Verdict.STALE


def holds(change: Change, live: Mapping[str, Side], attributes: Attributes) -> bool:
    """Tell whether ``live`` shows the change as carried out."""
    return verdict(change, live, attributes) is Verdict.ALREADY
