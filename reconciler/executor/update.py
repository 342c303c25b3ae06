"""One update, tried until its outcome is known.

If an attempt may have been stored, the task is read before the next one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.decision import Patch, judge_answer, make_outcome, mark_interrupted
from reconciler.core.plan_model import TaskPlan
from reconciler.core.report import Outcome, TaskOutcome
from reconciler.errors import ServerError
from reconciler.executor.batches import FRESH_SECONDS
from reconciler.executor.fresh_read import FreshReader
from reconciler.executor.ignored_attributes import IgnoredAttributes
from reconciler.executor.repair import StoredChanges
from reconciler.labelstudio.retry import (
    Attempts,
    RequestKind,
    is_crowded,
    is_never_stored,
    is_perhaps_stored,
    is_transient,
)
from reconciler.labelstudio.task_api import TaskApi

AGED_SECONDS: Final = 3 * FRESH_SECONDS
"""Age at which an update is always merged again: the server slowed down, or the run was paused.
After a pause between attempts, an update is merged again at the age of `FRESH_SECONDS`."""

_DOUBT: Final = "; an earlier update of the task may have been stored: its response was lost"


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """The result of one update. ``outcome`` holds exactly the changes that were sent.

    ``error`` is the failure after which no further attempt was made, if any. ``to_settle`` is true
    if the server may have processed the update, so that the task must be read again; ``crowded``
    is true if the server had no room for it. ``stored`` is what the response proved to be stored,
    None if it does not prove enough.
    """

    outcome: TaskOutcome
    error: ServerError | None = None
    to_settle: bool = False
    crowded: bool = False
    stored: StoredChanges | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSender:
    """Sends updates, from any number of threads.

    ``may_begin`` waits until an update may be sent, ``turn`` until another attempt may begin; both
    return False after a stop. ``fresh`` is how old, in seconds, the values that were read may be
    when an update is sent after a pause.
    """

    api: TaskApi
    reader: FreshReader
    ignored: IgnoredAttributes
    stop: threading.Event
    may_begin: Callable[[], bool]
    turn: Callable[[], bool] = lambda: True
    fresh: float = FRESH_SECONDS

    def send(self, patch: Patch) -> UpdateResult:
        """Send an update; if its response is lost, read the task and send what is still due."""
        return _Update(self, patch).send()


class _Update:
    """One update in progress, used only by the thread that sends it.

    Each step returns the patch to send next, or the outcome of the task.
    """

    def __init__(self, sender: UpdateSender, patch: Patch) -> None:
        self._sender = sender
        self._patch = patch
        self._attempts = Attempts(sender.api.backoff, RequestKind.UPDATE)
        self._perhaps_stored: TaskPlan | None = None
        self._error: ServerError | None = None
        self._to_settle = False
        self._crowded = False
        self._stored: StoredChanges | None = None

    def send(self) -> UpdateResult:
        step: Patch | TaskOutcome = self._patch
        while isinstance(step, Patch):
            step = self._begin(step) if self._sender.may_begin() else self._stop(step.plan)
        return UpdateResult(
            self._name_changes(step), self._error, self._to_settle, self._crowded, self._stored
        )

    def _begin(self, patch: Patch) -> Patch | TaskOutcome:
        """Send the patch, after reading the task again if the patch is too old.

        After that, there is no wait for a turn, so the patch cannot become too old again.
        """
        step = self._read_again(patch.plan) if self._has_aged(patch) else patch
        if not isinstance(step, Patch):
            return step
        return self._stop(step.plan) if self._sender.stop.is_set() else self._attempt(step)

    def _stop(self, plan: TaskPlan) -> TaskOutcome:
        if self._to_settle:
            return make_outcome(plan, Outcome.FAILED, "the run was stopped" + _DOUBT)
        return mark_interrupted([plan])[0]

    def _attempt(self, patch: Patch) -> Patch | TaskOutcome:
        """Send once."""
        # An update that may already have been sent cannot be reported as not sent.
        if not self._to_settle and (futile := self._sender.ignored.judge(patch.plan)):
            return futile
        try:
            answer = self._sender.api.patch(patch.plan.task, patch.body)
        except ServerError as error:
            return self._go_on_after(error, patch)
        facts = self._sender.reader.facts
        if facts.tells_ignored is False:
            self._sender.ignored.learn(patch.plan, answer)
        outcome = judge_answer(patch, answer, facts.attributes)
        self._to_settle = outcome.outcome is not Outcome.FAILED
        if outcome.outcome is Outcome.APPLIED and self._perhaps_stored is None:
            self._stored = StoredChanges.read(outcome.changes, answer)
        return outcome

    def _go_on_after(self, error: ServerError, patch: Patch) -> Patch | TaskOutcome:
        self._crowded |= is_crowded(error)
        if is_perhaps_stored(error):
            self._to_settle = True
            self._perhaps_stored = self._perhaps_stored or patch.plan
        if not self._attempts.wait_after(error):
            if self._sender.stop.is_set() and not self._to_settle and is_transient(error):
                return self._stop(patch.plan)
            # An error response does not prove that nothing was stored: the verification settles it.
            self._to_settle |= not is_never_stored(error)
            return self._fail(error, patch.plan)
        if not self._sender.turn():
            return self._stop(patch.plan)
        return self._read_again(patch.plan) if self._to_settle else patch

    def _fail(self, error: ServerError, plan: TaskPlan, doubt: str = "") -> TaskOutcome:
        self._error = error
        hint = f" ({error.hint})" if error.hint else ""
        return make_outcome(plan, Outcome.FAILED, error.message + doubt + hint)

    def _has_aged(self, patch: Patch) -> bool:
        """Tell whether the values that an update was merged into are too old.

        Batches are sized to be sent while they are fresh. Without a pause a higher age is allowed,
        because reading each task again costs one request for each task.
        """
        backoff = self._sender.api.backoff
        paused = backoff.paused_until > patch.read_at
        return backoff.now() - patch.read_at > (self._sender.fresh if paused else AGED_SECONDS)

    def _read_again(self, plan: TaskPlan) -> Patch | TaskOutcome:
        """Read the task and decide again: done, still to do, or changed by another client."""
        plan = self._perhaps_stored or plan
        try:
            step = self._sender.reader.decide(plan, self._sender.reader.read([plan]))
        except ServerError as error:
            return self._fail(error, plan, self._doubt)
        if isinstance(step, Patch) or not step.error:
            return step
        return replace(step, error=step.error + self._doubt)

    @property
    def _doubt(self) -> str:
        """What to add to the error of the task after a response was lost."""
        return _DOUBT if self._perhaps_stored else ""

    def _name_changes(self, outcome: TaskOutcome) -> TaskOutcome:
        """Return the outcome with exactly the changes that were sent."""
        if self._perhaps_stored is None:
            return outcome
        if outcome.outcome is Outcome.ALREADY:
            return make_outcome(self._perhaps_stored, Outcome.APPLIED)
        return replace(outcome, changes=self._perhaps_stored.changes)
