"""Which stored changes another write undid by accident, as far as that can be told: pure.

Label Studio replaces `data` and `meta` whole, without conditions. A client that reads a task before
our update and writes its own key after it sets our paths back to what they were, and does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from reconciler.contract.attributes import Attributes
from reconciler.contract.date_time import parse_date_time
from reconciler.core.model import Change, TaskPlan
from reconciler.core.three_way import Verdict, judge_change
from reconciler.core.values import Side

UPDATED_AT: Final = "updated_at"
"""The attribute that every write moves. The answer to a PATCH and lists carry the same value."""

WITHIN: Final = timedelta(seconds=60)
"""How long after ours a write may still rest on what was read before it; a later one is meant."""

_WRITTEN_WHOLE: Final = frozenset({"data", "meta"})

ROUNDS: Final = 2
"""How often changes are applied again, at most: whoever keeps undoing them means it."""

PAUSE_SECONDS: Final = (1.0, 3.0)
"""The range from which the pause before a round is drawn: two runs that undid changes of each
other should not go on in step."""

LOOK_SECONDS: Final = 3.0
"""How long after a round its tasks are read: what others read before it is written by then."""


@dataclass(frozen=True, slots=True)
class StoredChanges:
    """What the answer to a PATCH proved: its changes, and when the task was written.

    The time is by the clock of the server.
    """

    changes: tuple[Change, ...]
    at: datetime

    @classmethod
    def read(cls, changes: tuple[Change, ...], answer: Mapping[str, Side]) -> Self | None:
        """Take the time from an answer; None where it does not tell."""
        at = get_updated_at(answer)
        return None if at is None else cls(changes, at)


def get_updated_at(attributes: Mapping[str, Side]) -> datetime | None:
    """Tell when a task was last written; None where its attributes do not tell."""
    value = attributes.get(UPDATED_AT)
    try:
        return parse_date_time(value) if isinstance(value, str) else None
    except ValueError:
        return None


def find_undone(
    task: TaskPlan, live: Mapping[str, Side], stored: StoredChanges, attributes: Attributes
) -> tuple[Change, ...]:
    """Give the changes that may be applied again; none where somebody may have meant to undo them.

    A path inside `data` or `meta` may have been set back along with the whole object; an attribute
    never is. A value that is neither before nor after, anywhere in the task, was set on purpose.
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
    """Tell whether a change lies inside an object that is only ever written whole."""
    return change.path[0] in _WRITTEN_WHOLE and len(change.path) > 1
