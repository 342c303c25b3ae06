"""Making a plan against a server: read, compare, fetch the facts that guards need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from reconciler.core.allowances import NOTHING_ALLOWED, Allowances
from reconciler.core.comparison import Comparison
from reconciler.core.guards import GuardFacts, list_names_to_read
from reconciler.core.locked_server import ServerFacts
from reconciler.core.model import DesiredTasks, KeyGroup, Observed, ReadBatch, TaskKey
from reconciler.core.plan_model import Plan, Status, TaskPlan
from reconciler.core.planner import apply_guards, block_ambiguous
from reconciler.core.shard import Shard
from reconciler.core.target import EVERYTHING, Targets, TargetTally, describe_unmatched
from reconciler.engine.connection import Connection
from reconciler.engine.impact import add_impact
from reconciler.errors import NoSuchProject, Refused
from reconciler.labelstudio.bulk.key_filter import KEYS_MAX, can_filter
from reconciler.labelstudio.bulk.task_reader import (
    read_keyed_tasks,
    read_tasks,
    read_whole_project,
)
from reconciler.labelstudio.guard_facts import fetch_guard_facts
from reconciler.labelstudio.task_api import TaskApi
from reconciler.progress import NULL_PROGRESS, ProgressListener

ComparedBatch: TypeAlias = tuple[int, Iterator[tuple[TaskPlan, Observed]]]
"""How many tasks a response shows, and those that differ, each with what was observed."""

FactsListener: TypeAlias = Callable[[ServerFacts], object]
"""Receives what a plan has read of the server besides tasks."""


def ignore_facts(_facts: ServerFacts) -> None:
    """Ignore what a plan has read of the server."""


def build_plan(  # noqa: PLR0913 - what to look at, and the listeners to it
    desired: DesiredTasks,
    connection: Connection,
    *,
    shard: Shard | None = None,
    allow: Allowances = NOTHING_ALLOWED,
    targets: Targets = EVERYTHING,
    impact: bool = False,
    on_facts: FactsListener = ignore_facts,
    progress: ProgressListener = NULL_PROGRESS,
) -> Plan:
    """Plan ``desired``, all tasks or those of a ``shard`` and ``targets``; only reads.

    Tasks are compared as they are read; nothing is kept of those that do not differ. With
    ``impact``, the annotations of tasks whose labelled data changes are read, too. ``on_facts``
    receives what was read of the server besides tasks. Raises ServerError, Refused if a target
    matches nothing, and ManifestError if a task turns out to be declared in conflicting ways, by
    its id and its key.
    """
    comparison = Comparison(desired, connection.attributes, shard=shard)
    reading = _Reading(connection.api, desired, comparison, shard, targets, progress)
    tally = TargetTally(targets)
    known: list[ServerFacts] = []
    try:
        plan = plan_batches(
            reading.read_all(tally),
            connection,
            count=len(desired),
            total=None if comparison.ruled_projects else len(desired),
            allow=allow,
            on_facts=known.append,
            progress=progress,
        )
    except NoSuchProject as error:
        source = desired.source_of_project(error.project)
        raise NoSuchProject(error.project, error.detail, source=source) from error
    # Another shard may hold what a target is about.
    unresolved = tuple(tally.narrow_keys(comparison.list_unresolved()))
    if shard is None:
        _check_targets(tally, desired)
    plan = _complete(plan, comparison, tally, allow)
    for facts in known:
        on_facts(facts)
        if impact:
            plan = add_impact(plan, connection.api, facts.projects, progress=progress)
    return replace(
        plan,
        shards=() if shard is None else (shard,),
        unresolved=tuple(replace(key, problem=allow.judge(key.problem)) for key in unresolved),
    )


def _check_targets(tally: TargetTally, desired: DesiredTasks) -> None:
    """Raise Refused if a target fits no declared task and no rule."""
    if unmatched := tally.list_unmatched(desired):
        raise Refused(
            f"nothing was changed: {describe_unmatched(unmatched, tally.targets)}",
            hint="correct it; names of files are those that the plan prints",
            discreet="nothing was changed: no declared task or rule fits one of the targets",
        )


def plan_batches(  # noqa: PLR0913 - as above
    batches: Iterable[ComparedBatch],
    connection: Connection,
    *,
    count: int,
    total: int | None,
    allow: Allowances,
    on_facts: FactsListener = ignore_facts,
    progress: ProgressListener,
) -> Plan:
    """Apply the guards to the tasks that differ, response by response.

    ``count`` is how many tasks are expected; those that no batch yields are unchanged. ``total`` is
    how many will be read; None if that is not known, as rules look at whole projects.
    """
    api, facts = connection.api, GuardFacts(connection.attributes)
    api.backoff.progress = progress
    server = connection.identify()
    progress.begin("reading and comparing", total)
    plans: list[TaskPlan] = []
    for size, differing in batches:
        for planned, observed in differing:
            facts = fetch_guard_facts(facts, planned, observed, api=api, progress=progress)
            plans.append(apply_guards(planned, observed, facts=facts, allow=allow))
        progress.advance(size)
    on_facts(ServerFacts(server, api.capabilities.known, facts.projects))
    plans.sort(key=lambda planned: planned.task)
    return Plan(server, tuple(plans), count - _count_differing(plans), api.requests)


def _complete(plan: Plan, comparison: Comparison, tally: TargetTally, allow: Allowances) -> Plan:
    """Add what is known only after all tasks were read: rules, and what was left out."""
    ambiguous = comparison.list_ambiguous_tasks()
    tasks = tuple(
        block_ambiguous(task, allow) if task.task in ambiguous else task for task in plan.tasks
    )
    left_out = len(tally.tasks)
    return replace(
        plan,
        tasks=tasks,
        unchanged=comparison.looked_at - left_out - _count_differing(tasks),
        rules=comparison.summarize_rules(),
        targets=tally.targets,
        tasks_left_out=comparison.left_out + left_out + tally.keys,
        changes_left_out=tally.changes,
    )


def _count_differing(plans: Iterable[TaskPlan]) -> int:
    return sum(planned.status is not Status.UNCHANGED for planned in plans)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads what a plan needs: whole projects for rules, tasks by their keys, the others by id."""

    api: TaskApi
    desired: DesiredTasks
    comparison: Comparison
    shard: Shard | None
    targets: Targets
    progress: ProgressListener

    def read_all(self, tally: TargetTally) -> Iterator[ComparedBatch]:
        comparison = self.comparison
        for project in sorted(comparison.ruled_projects | comparison.keyed_projects):
            ruled = project in comparison.ruled_projects
            batches = self._read_project(project) if ruled else self._read_keys(project)
            for batch in batches:
                yield len(batch), tally.narrow(comparison.compare(batch, project))
                if tally.seeks_ids:
                    found = batch.found
                    # A rule looks at every task of its project.
                    tally.match_ids(found if ruled else self.desired.find_keys(project, found))
        pending = {
            project: [task for task in ids if self._is_pending(task)]
            for project, ids in self.desired.group_by_project().items()
        }
        wanted = self.targets.select(pending)
        comparison.left_out += sum(map(len, pending.values())) - sum(map(len, wanted.values()))
        for batch in read_tasks(self.api, wanted, self._names, progress=self.progress):
            yield len(batch), tally.narrow(comparison.compare(batch))

    @property
    def _names(self) -> set[str]:
        return list_names_to_read(self.desired.names())

    def _is_pending(self, task: int) -> bool:
        in_shard = self.shard is None or self.shard.holds(task)
        return in_shard and task not in self.comparison.done

    def _read_project(self, project: int) -> Iterator[ReadBatch]:
        return read_whole_project(self.api, project, self._names, progress=self.progress)

    def _read_keys(self, project: int) -> Iterator[ReadBatch]:
        """Find keys by filters if that costs less; the pages of the project show the others."""
        for group, keys in self._list_sought_keys(project):
            if len(keys) <= KEYS_MAX and can_filter(group.path, keys):
                texts = [str(key) for key in keys]
                yield from read_keyed_tasks(
                    self.api, project, (group.path[1], texts), self._names, progress=self.progress
                )
        if self._list_sought_keys(project):
            yield from self._read_project(project)

    def _list_sought_keys(self, project: int) -> list[tuple[KeyGroup, list[str | int]]]:
        """List the keys whose tasks are looked at, and that no task has shown yet."""
        pending = self.comparison.list_pending_keys(project)
        if self.targets.since is None:
            return pending
        sought = (
            (group, [k for k in keys if self.targets.seeks_key(project, TaskKey(group.path, k))])
            for group, keys in pending
        )
        return [(group, keys) for group, keys in sought if keys]
