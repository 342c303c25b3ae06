"""Making a plan against a server: read, compare, fetch the facts that guards need."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from reconciler.core.guards import GuardFacts, list_names_to_read
from reconciler.core.model import (
    DesiredTasks,
    Kind,
    Observed,
    Plan,
    ReadBatch,
    Status,
    TaskPlan,
)
from reconciler.core.planner import apply_guards, plan_task
from reconciler.core.shard import Shard
from reconciler.engine.connection import Connection
from reconciler.errors import NoSuchProject
from reconciler.labelstudio.bulk.task_reader import read_tasks
from reconciler.labelstudio.guard_facts import fetch_guard_facts
from reconciler.progress import NULL_PROGRESS, ProgressListener

FindDiffering: TypeAlias = Callable[[ReadBatch], Iterator[tuple[TaskPlan, Observed]]]
"""Compares the tasks of one batch with their live values, and yields those that differ."""


def build_plan(
    desired: DesiredTasks,
    connection: Connection,
    *,
    shard: Shard | None = None,
    allow: frozenset[Kind] = frozenset(),
    progress: ProgressListener = NULL_PROGRESS,
) -> Plan:
    """Plan ``desired``, all tasks or those of a ``shard``; only reads. Raises ServerError.

    Tasks are compared as they are read; nothing is kept of those that do not differ.
    """

    def find_differing(batch: ReadBatch) -> Iterator[tuple[TaskPlan, Observed]]:
        maybe = {task: batch.found[task] for task in desired.filter_differing(batch.found)}
        for task, observed in ReadBatch(maybe, batch.others):
            planned = plan_task(desired[task], observed, connection.attributes)
            if planned is not None:
                yield planned, observed

    try:
        plan = plan_tasks(
            find_differing,
            connection,
            wanted=desired.group_by_project(),
            names=desired.names(),
            count=len(desired),
            allow=allow,
            progress=progress,
        )
    except NoSuchProject as error:
        source = desired.source_of_project(error.project)
        raise NoSuchProject(error.project, error.detail, source=source) from error
    return plan if shard is None else replace(plan, shards=(shard,))


def plan_tasks(  # noqa: PLR0913 - what differs between a plan and a revert
    find_differing: FindDiffering,
    connection: Connection,
    *,
    wanted: Mapping[int | None, Sequence[int]],
    names: Collection[str],
    count: int,
    allow: frozenset[Kind],
    progress: ProgressListener,
) -> Plan:
    """Read the wanted tasks, plan those that differ, and apply the guards to them."""
    api, facts = connection.api, GuardFacts(connection.attributes)
    api.backoff.progress = progress
    server = connection.identify()
    progress.begin("reading and comparing", count)
    plans: list[TaskPlan] = []
    for batch in read_tasks(api, wanted, list_names_to_read(names), progress=progress):
        for planned, observed in find_differing(batch):
            facts = fetch_guard_facts(facts, planned, api=api, progress=progress)
            plans.append(apply_guards(planned, observed, facts=facts, allow=allow))
        progress.advance(len(batch))
    plans.sort(key=lambda planned: planned.task)
    differing = sum(planned.status is not Status.UNCHANGED for planned in plans)
    return Plan(server, tuple(plans), count - differing, api.requests)
