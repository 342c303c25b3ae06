"""Reading tasks afresh when they are about to be changed, and what judging them takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import chain
from threading import Lock

from reconciler.contract.attributes import Attributes
from reconciler.contract.body_validator import BodyValidator
from reconciler.core.decision import GuardFacts
from reconciler.core.guards import list_names_to_read, may_be_ignored
from reconciler.core.model import Found, Kind, Observed, ProjectSettings, TaskPlan
from reconciler.core.planner import list_projects_to_ask
from reconciler.labelstudio.bulk.task_reader import read_tasks
from reconciler.labelstudio.task_api import TaskApi
from reconciler.progress import ProgressListener


class FreshReader:
    """Reads batches of tasks, from any thread; ``facts`` hold what the last of them took."""

    def __init__(
        self,
        api: TaskApi,
        attributes: Attributes,
        allow: frozenset[Kind],
        progress: ProgressListener,
    ) -> None:
        self._api = api
        self._progress = progress
        self._projects: dict[int, ProjectSettings] = {}
        self._asking = Lock()
        self.facts = GuardFacts(attributes, BodyValidator(attributes), allow, self._projects)

    def read(self, tasks: Sequence[TaskPlan], *, also: Collection[str] = ()) -> dict[int, Observed]:
        """Read what the changes of ``tasks`` touch, and ask what guards must know of them.

        ``also`` names further attributes to read. Raises ServerError.
        """
        with self._asking:
            for project in sorted(list_projects_to_ask(tasks) - self._projects.keys()):
                self._projects[project] = self._api.project_settings(project)
        names = list_names_to_read({change.path[0] for task in tasks for change in task.changes})
        wanted: dict[int | None, list[int]] = {}
        for task in sorted(tasks, key=lambda task: task.task):
            wanted.setdefault(task.project, []).append(task.task)
        observed = dict(chain.from_iterable(read_tasks(self._api, wanted, {*names, *also})))
        with self._asking:
            self._ask(task for task in tasks if isinstance(observed[task.task], Found))
        return observed

    def _ask(self, found: Iterable[TaskPlan]) -> None:
        """Ask what the server honours, where a change may be one that it ignores."""
        doubtful = next((task.task for task in found if may_be_ignored(task.changes)), None)
        if doubtful is not None:
            honoured = self._api.capabilities.attributes(doubtful, self._progress)
            self.facts = replace(self.facts, attributes=honoured)
