"""Fetching the facts that guards need about a server, each once and only when it matters.

Facts are immutable: each function returns new facts, with what it fetched added.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from reconciler.contract.honoured_attributes import mark_ignored
from reconciler.core.guards import (
    GuardFacts,
    list_projects_to_ask,
    list_projects_to_classify,
    list_projects_to_warn_of,
    may_be_ignored,
)
from reconciler.core.model import Observed
from reconciler.core.plan_model import TaskPlan
from reconciler.errors import ServerError
from reconciler.labelstudio.task_api import TaskApi
from reconciler.progress import ProgressListener


def fetch_guard_facts(
    facts: GuardFacts,
    task: TaskPlan,
    observed: Observed,
    *,
    api: TaskApi,
    progress: ProgressListener,
) -> GuardFacts:
    """Fetch what guards and warnings need for a planned task. Raises ServerError."""
    facts = fetch_project_settings(facts, [task], api=api)
    facts = fetch_used_paths(facts, [task], {task.task: observed}, api=api, progress=progress)
    facts = _fetch_settings_to_warn(facts, task, api=api, progress=progress)
    return fetch_ignored_attributes(facts, [task], api=api, progress=progress)


def fetch_project_settings(
    facts: GuardFacts, tasks: Iterable[TaskPlan], *, api: TaskApi
) -> GuardFacts:
    """Fetch the project settings that guards need for ``tasks``. Raises ServerError."""
    for project in sorted(list_projects_to_ask(tasks) - facts.projects.keys()):
        facts = _fetch_settings(facts, project, api=api)
    return facts


def fetch_ignored_attributes(
    facts: GuardFacts, tasks: Iterable[TaskPlan], *, api: TaskApi, progress: ProgressListener
) -> GuardFacts:
    """Ask which attributes the server ignores, if ``tasks`` may change such an attribute.

    Raises nothing: if the server does not say, no attribute is marked.
    """
    if facts.tells_ignored is not None:
        return facts
    doubtful = next((task.task for task in tasks if may_be_ignored(task.changes)), None)
    if doubtful is None:
        return facts
    honoured = api.capabilities.ask(doubtful, progress)
    if honoured is None:
        return replace(facts, tells_ignored=False)
    marked = mark_ignored(facts.attributes, honoured)
    return replace(facts, attributes=marked, tells_ignored=True)


def fetch_used_paths(
    facts: GuardFacts,
    tasks: Iterable[TaskPlan],
    observed: Mapping[int, Observed],
    *,
    api: TaskApi,
    progress: ProgressListener,
) -> GuardFacts:
    """Fetch the label configs that say which annotated data ``tasks`` change.

    Raises nothing: if the server does not show one, it may use all data.
    """
    projects = list_projects_to_classify(tasks, observed)
    loss = "the plan takes all of its annotated data for data that annotators saw"
    return _fetch_if_shown(facts, projects, api=api, progress=progress, loss=loss)


def _fetch_settings_to_warn(
    facts: GuardFacts, task: TaskPlan, *, api: TaskApi, progress: ProgressListener
) -> GuardFacts:
    """Fetch the settings that only warnings need; a failure does not stop the plan."""
    projects = list_projects_to_warn_of([task])
    loss = "the plan cannot warn if the server resets overlap in this project"
    return _fetch_if_shown(facts, projects, api=api, progress=progress, loss=loss)


def _fetch_if_shown(
    facts: GuardFacts,
    projects: Collection[int],
    *,
    api: TaskApi,
    progress: ProgressListener,
    loss: str,
) -> GuardFacts:
    """Fetch settings that the run can do without; ``loss`` says what it then lacks."""
    for project in sorted({*projects} - facts.projects.keys() - facts.unshown):
        try:
            facts = _fetch_settings(facts, project, api=api)
        except ServerError as error:
            facts = replace(facts, unshown=facts.unshown | {project})
            progress.detail(
                f"cannot read the settings of project {project} ({error.message}); {loss}"
            )
    return facts


def _fetch_settings(facts: GuardFacts, project: int, *, api: TaskApi) -> GuardFacts:
    settings = api.project_settings(project)
    return replace(facts, projects={**facts.projects, project: settings})
