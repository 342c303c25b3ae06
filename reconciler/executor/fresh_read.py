"""Reading tasks again just before they are changed, and deciding by their current values."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from reconciler.contract.attributes import Attributes
from reconciler.contract.body_validator import BodyValidator
from reconciler.core.allowances import NOTHING_ALLOWED, Allowances
from reconciler.core.decision import Patch, decide
from reconciler.core.guards import GuardFacts, list_names_to_read, list_projects_to_classify
from reconciler.core.model import Found, Observed
from reconciler.core.plan_model import TaskPlan
from reconciler.core.report import TaskOutcome
from reconciler.labelstudio.bulk.task_reader import read_tasks
from reconciler.labelstudio.guard_facts import (
    fetch_ignored_attributes,
    fetch_project_settings,
    fetch_used_paths,
)
from reconciler.labelstudio.task_api import TaskApi
from reconciler.progress import NULL_PROGRESS, ProgressListener


@dataclass(frozen=True, slots=True)
class FreshRead:
    """The current values of some tasks, and the facts that guards need for their changes.

    ``at`` is when reading began, in seconds of the clock that measures pauses.
    """

    at: float
    observed: Mapping[int, Observed]
    facts: GuardFacts


class FreshReader:
    """Reads tasks and decides on them, from any number of threads.

    It begins without facts about the server: settings may have changed since the plan was made.
    Each fact is fetched once, by the first thread that needs it; other threads wait.
    """

    def __init__(
        self,
        api: TaskApi,
        attributes: Attributes,
        *,
        allow: Allowances = NOTHING_ALLOWED,
        progress: ProgressListener = NULL_PROGRESS,
    ) -> None:
        self._api = api
        self._progress = progress
        self._allow = allow
        self._validator = BodyValidator(attributes)
        self._facts = GuardFacts(attributes)
        self._fetching = threading.Lock()

    @property
    def facts(self) -> GuardFacts:
        """The facts that have been fetched so far."""
        return self._facts

    def read(self, tasks: Sequence[TaskPlan], *, also: Collection[str] = ()) -> FreshRead:
        """Read the attributes that ``tasks`` change, and fetch the facts that guards need.

        ``also`` names further attributes to read. Raises ServerError.
        """
        at = self._api.backoff.now()
        with self._fetching:
            self._facts = fetch_project_settings(self._facts, tasks, api=self._api)
        observed = self._observe(tasks, also)
        found = [task for task in tasks if isinstance(observed[task.task], Found)]
        with self._fetching:
            self._facts = facts = fetch_ignored_attributes(
                self._facts, found, api=self._api, progress=self._progress
            )
        return FreshRead(at, observed, facts)

    def decide(self, task: TaskPlan, fresh: FreshRead) -> Patch | TaskOutcome:
        """Decide what to send for a task that was read."""
        facts, observed = self._classify(task, fresh), fresh.observed[task.task]
        decided = decide(task, observed, facts=facts, allow=self._allow, validator=self._validator)
        return replace(decided, read_at=fresh.at) if isinstance(decided, Patch) else decided

    def _classify(self, task: TaskPlan, fresh: FreshRead) -> GuardFacts:
        """Fetch the label config that says which annotated data a task changes, if it does.

        Only here, as tasks are also read without deciding on them.
        """
        facts = fresh.facts
        if not list_projects_to_classify([task], fresh.observed) - facts.projects.keys():
            return facts
        api, progress = self._api, self._progress
        with self._fetching:
            self._facts = fetch_used_paths(
                self._facts, [task], fresh.observed, api=api, progress=progress
            )
            return self._facts

    def _observe(self, tasks: Sequence[TaskPlan], also: Collection[str]) -> dict[int, Observed]:
        names = list_names_to_read(set().union(*(task.names() for task in tasks)))
        wanted: dict[int | None, list[int]] = {}
        for task in sorted(tasks, key=lambda task: task.task):
            wanted.setdefault(task.project, []).append(task.task)
        return dict(chain.from_iterable(read_tasks(self._api, wanted, {*names, *also})))
