"""Learning from updates which attributes a server ignores, if it does not say so itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import TypeAlias

from reconciler.contract.attributes import Attributes
from reconciler.contract.honoured_attributes import ALWAYS_HONOURED
from reconciler.core.decision import make_outcome
from reconciler.core.model import Found, Observed
from reconciler.core.plan_model import TaskPlan
from reconciler.core.report import Outcome, TaskOutcome
from reconciler.core.three_way import Verdict, judge_change
from reconciler.core.values import Json, Side
from reconciler.errors import ServerError

Look: TypeAlias = Callable[[TaskPlan, Collection[str]], Observed]
"""Reads some attributes of one task again; raises ServerError."""


class IgnoredAttributes:
    """Attributes that the server accepted with 200 but did not store, and which task showed it.

    Safe to use from several threads. A response that lacks an attribute proves nothing, because
    what it shows depends on the role: the task is then read, once for each attribute.
    """

    def __init__(self, look: Look, attributes: Attributes) -> None:
        self._look = look
        self._attributes = attributes
        self._judged: set[str] = set()
        self._shown_by: dict[str, int] = {}
        self._lock = threading.Lock()

    def judge(self, task: TaskPlan) -> TaskOutcome | None:
        """Return the outcome of a task whose changes would all be ignored, or else None."""
        names = dict.fromkeys(change.path[0] for change in task.changes)
        with self._lock:
            if not names or names.keys() - self._shown_by.keys():
                return None
            shown = ", ".join(f"{name} (seen on task {self._shown_by[name]})" for name in names)
        return make_outcome(
            task, Outcome.NOT_HONOURED, f"not sent: the server does not store {shown}"
        )

    def learn(self, task: TaskPlan, answer: Mapping[str, Json]) -> None:
        """Learn from the response to a PATCH which attributes of the task were not stored."""
        changed = {change.path[0] for change in task.changes} - ALWAYS_HONOURED
        with self._lock:
            doubtful = changed - self._judged
            self._judged |= doubtful
        live: dict[str, Side] = dict(answer)
        unshown = doubtful - answer.keys()
        if unshown:
            # The update itself succeeded: failing to read the task must not change that.
            with suppress(ServerError):
                observed = self._look(task, unshown)
                live |= observed.attributes if isinstance(observed, Found) else {}
        # DO means that the old value is still there: not stored, and no other client wrote.
        ignored = {
            change.path[0]
            for change in task.changes
            if change.path[0] in doubtful
            and judge_change(change, live, self._attributes) is Verdict.DO
        }
        with self._lock:
            self._shown_by |= dict.fromkeys(ignored, task.task)
