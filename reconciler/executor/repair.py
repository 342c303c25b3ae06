"""Finding stored changes that another write undid by accident; without I/O.

Label Studio replaces `data` and `meta` as a whole, unconditionally. A client that reads a task
before our update and writes its own key afterwards resets our paths without noticing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from reconciler.contract.attributes import Attributes
from reconciler.contract.date_time import parse_date_time
from reconciler.core.model import Change
from reconciler.core.plan_model import TaskPlan
from reconciler.core.three_way import Verdict, judge_change
from reconciler.core.values import Side

UPDATED_AT: Final = "updated_at"
"""The attribute that every write changes. Lists and the response to a PATCH show the same value."""

WITHIN: Final = timedelta(seconds=60)
"""How long after our update a write may be based on older values; later ones count as intended."""

_WRITTEN_WHOLE: Final = frozenset({"data", "meta"})

ROUNDS: Final = 2
"""How often changes are applied again, at most: a client that keeps undoing them intends it."""

PAUSE_SECONDS: Final = (1.0, 3.0)
"""The range from which the pause before a round is drawn: two runs that undid each other's
changes must not repeat this at the same moment."""

LOOK_SECONDS: Final = 3.0
"""How long after a round its tasks are read again: clients that read them before the round have
written by then."""


@dataclass(frozen=True, slots=True)
class StoredChanges:
    """What the response to a PATCH proved: its changes, and when the server wrote the task.

    The time is by the clock of the server.
    """

    changes: tuple[Change, ...]
    at: datetime

    @classmethod
    def read(cls, changes: tuple[Change, ...], answer: Mapping[str, Side]) -> Self | None:
        """Take the time from a response; None if the response does not show it."""
        at = get_updated_at(answer)
        return None if at is None else cls(changes, at)


def get_updated_at(attributes: Mapping[str, Side]) -> datetime | None:
    """Return when a task was last written; None if its attributes do not show it."""
    value = attributes.get(UPDATED_AT)
    try:
        return parse_date_time(value) if isinstance(value, str) else None
    except ValueError:
        return None


def find_undone(
    task: TaskPlan, live: Mapping[str, Side], stored: StoredChanges, attributes: Attributes
) -> tuple[Change, ...]:
    """Return the changes to apply again; none if they may have been undone on purpose.

    Only a path inside `data` or `meta` can be reset by accident, along with the whole object. If
    any path of the task has a third value, neither before nor after, the write was on purpose.
    """
    at = get_updated_at(live)
    if at is None or abs(at - stored.at) > WITHIN:
        return ()
    if any(judge_change(change, live, attributes) is Verdict.STALE for change in task.changes):
        return ()
    return tuple(
        change
        for change in stored.changes
        if is_inside(change) and judge_change(change, live, attributes) is Verdict.DO
    )


def is_inside(change: Change) -> bool:
    """Tell whether a change is inside an object that clients can only write as a whole."""
    return change.path[0] in _WRITTEN_WHOLE and len(change.path) > 1
