"""One update, sent until it is known what became of it, and never again on a guess."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from reconciler.core.decision import (
    GuardFacts,
    Patch,
    decide,
    judge_answer,
    make_outcome,
    mark_interrupted,
)
from reconciler.core.guards import list_names_to_read
from reconciler.core.model import TaskPlan
from reconciler.core.report import Outcome, TaskOutcome
from reconciler.errors import ServerError
from reconciler.executor.batches import FRESH_SECONDS
from reconciler.executor.ignored_attributes import IgnoredAttributes
from reconciler.executor.repair import Stored
from reconciler.labelstudio.bulk.task_reader import read_task
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
"""After which an update is merged anew in any case: a server slowed down, or the run was held.
One that a pause held up is merged anew after `FRESH_SECONDS`."""

_PERHAPS: Final = "; an update before that may have been stored: its answer was lost"


class UpdateSender:
    """Sends an update, reads the task where its answer proves nothing, and sends what is still due.

    Afterwards ``plan`` holds the changes that were sent last, ``to_settle`` tells whether an update
    was looked at, whatever came of it, and ``crowded`` whether the server had no room for one;
    ``stored`` is what the answer proved, None where it proved too little.
    ``may_begin`` waits until an update may be sent, ``turn`` until one more attempt may begin; both
    return False where none may be any more. ``fresh`` is for how many seconds what was read is good
    enough for an update that a pause held up.
    """

    def __init__(  # noqa: PLR0913 - what all updates of a run share
        self,
        api: TaskApi,
        facts: GuardFacts,
        may_begin: Callable[[], bool],
        *,
        turn: Callable[[], bool] = lambda: True,
        fresh: float = FRESH_SECONDS,
        ignored: IgnoredAttributes,
        stop: threading.Event,
    ) -> None:
        self._api = api
        self._facts = facts
        self._may_begin = may_begin
        self._ignored = ignored
        self._turn = turn
        self._fresh = fresh
        self._stop = stop
        self._attempts = Attempts(api.backoff, RequestKind.UPDATE)
        self._perhaps: TaskPlan | None = None
        self.plan: TaskPlan | None = None
        self.to_settle = False
        self.crowded = False
        self.stored: Stored | None = None

    def send(self, patch: Patch) -> TaskOutcome:
        """Return what became of the task; raises the ServerError that kept it from being known."""
        judged: Patch | TaskOutcome = patch
        while isinstance(judged, Patch):
            self.plan = self._perhaps or judged.plan
            judged = self._begun(judged) if self._may_begin() else self._stopped(self.plan)
        return self._told(judged)

    def _begun(self, patch: Patch) -> Patch | TaskOutcome:
        """Send what is fresh: it does not wait for its turn again, and so cannot age for ever."""
        judged = self._judged_again(patch.plan) if self._has_aged(patch) else patch
        if not isinstance(judged, Patch):
            return judged
        return self._stopped(judged.plan) if self._stop.is_set() else self._attempt(judged)

    def _stopped(self, plan: TaskPlan) -> TaskOutcome:
        if self.to_settle:
            return make_outcome(plan, Outcome.FAILED, "the run was stopped" + _PERHAPS)
        return mark_interrupted([plan])[0]

    def _attempt(self, patch: Patch) -> Patch | TaskOutcome:
        """Send once; returns what is to be sent next where that is not the end of it."""
        # Of one that may have been sent before it would not be so that it was not.
        if not self.to_settle and (futile := self._ignored.futile(patch.plan)):
            return futile
        try:
            answer = self._api.patch(patch.plan.task, patch.body)
        except ServerError as error:
            return self._after(error, patch)
        if self._api.capabilities.are_unknown:
            self._ignored.learn(patch.plan, answer)
        outcome = judge_answer(patch, answer, self._facts.attributes)
        self.to_settle = outcome.outcome is not Outcome.FAILED
        if outcome.outcome is Outcome.APPLIED and self._perhaps is None:
            self.stored = Stored.read(outcome.changes, answer)
        return outcome

    def _after(self, error: ServerError, patch: Patch) -> Patch | TaskOutcome:
        self.crowded |= is_crowded(error)
        if is_perhaps_stored(error):
            self.to_settle = True
            self._perhaps = self._perhaps or patch.plan
        if not self._attempts.wait_after(error):
            if self._stop.is_set() and not self.to_settle and is_transient(error):
                return self._stopped(patch.plan)
            # What is answered with an error is not believed either: the last look tells.
            self.to_settle |= not is_never_stored(error)
            raise error
        if not self._turn():
            return self._stopped(self._perhaps or patch.plan)
        return self._judged_again(patch.plan) if self.to_settle else patch

    def _has_aged(self, patch: Patch) -> bool:
        """Tell whether what an update is merged into is too old, by a pause or whatever else.

        Batches are made to be sent while they are fresh: without a pause somewhat more is let
        pass, as reading each task again takes as many requests as there are tasks.
        """
        backoff = self._api.backoff
        paused = backoff.paused_until > patch.read_at
        return backoff.now() - patch.read_at > (self._fresh if paused else AGED_SECONDS)

    def _judged_again(self, plan: TaskPlan) -> Patch | TaskOutcome:
        """Read the task, and judge it as at first: done, still to do, or changed by others."""
        plan = self._perhaps or plan
        names = list_names_to_read({"data", *(change.path[0] for change in plan.changes)})
        read_at = self._api.backoff.now()
        try:
            observed = read_task(self._api, plan.task, names, project=plan.project)
            judged = decide(plan, observed, self._facts)
        except ServerError as error:
            raise error.restate(error.message + self._doubt) from error
        if isinstance(judged, Patch):
            return replace(judged, read_at=read_at)
        return replace(judged, error=judged.error + self._doubt) if judged.error else judged

    @property
    def _doubt(self) -> str:
        """What is to be added to whatever is said of the task after an answer was lost."""
        return _PERHAPS if self._perhaps else ""

    def _told(self, outcome: TaskOutcome) -> TaskOutcome:
        """Tell of all changes that were sent, and of no others."""
        if self._perhaps is None:
            return outcome
        if outcome.outcome is Outcome.ALREADY:
            return make_outcome(self._perhaps, Outcome.APPLIED)
        return replace(outcome, changes=self._perhaps.changes)
