"""Making a plan against a server: read, compare, fetch the facts that guards need."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from reconciler.core.allowances import NOTHING_ALLOWED, Allowances
from reconciler.core.guards import GuardFacts, list_names_to_read
from reconciler.core.model import (
    DesiredTasks,
    Observed,
    Plan,
    ReadBatch,
    Status,
    TaskPlan,
)
from reconciler.core.planner import apply_guards, plan_task
from reconciler.core.rule import Rule
from reconciler.core.shard import Shard
from reconciler.core.target import EVERYTHING, Targets, TargetTally, describe_unmatched
from reconciler.engine.connection import Connection
from reconciler.errors import NoSuchProject, Refused
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
    allow: Allowances = NOTHING_ALLOWED,
    targets: Targets = EVERYTHING,
    progress: ProgressListener = NULL_PROGRESS,
) -> Plan:
    """Plan ``desired``, all tasks or those of a ``shard`` and ``targets``; only reads.

    Tasks are compared as they are read; nothing is kept of those that do not differ. Raises
    ServerError, and Refused if a target matches nothing.
    """
    tally, ids = TargetTally(targets), desired.group_by_project()

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
            wanted=targets.select(ids),
            names=desired.names(),
            count=len(desired),
            allow=allow,
            tally=tally,
            progress=progress,
        )
    except NoSuchProject as error:
        source = desired.source_of_project(error.project)
        raise NoSuchProject(error.project, error.detail, source=source) from error
    # Another shard may hold what a target is about.
    if shard is not None:
        return replace(plan, shards=(shard,))
    check_targets(tally, desired)
    return plan


def check_targets(tally: TargetTally, desired: DesiredTasks, rules: Sequence[Rule] = ()) -> None:
    """Raise Refused if a target fits no declared task and no rule."""
    ids = desired.group_by_project().values()
    unmatched = tally.list_unmatched(desired, ids, rules=rules)
    if unmatched:
        raise Refused(
            f"nothing was changed: {describe_unmatched(unmatched, tally.targets)}",
            hint="correct it; names of files are those that the plan prints",
        )


def plan_tasks(  # noqa: PLR0913 - what differs between a plan and a revert
    find_differing: FindDiffering,
    connection: Connection,
    *,
    wanted: Mapping[int | None, Sequence[int]],
    names: Collection[str],
    count: int,
    allow: Allowances,
    tally: TargetTally,
    progress: ProgressListener,
) -> Plan:
    """Read the wanted tasks, plan those that differ, and apply the guards to them.

    ``count`` is how many are declared, those that ``wanted`` leaves out included.
    """
    api, facts = connection.api, GuardFacts(connection.attributes)
    api.backoff.progress = progress
    server = api.identity()
    looked_at = sum(map(len, wanted.values()))
    progress.begin("reading and comparing", looked_at)
    plans: list[TaskPlan] = []
    for batch in read_tasks(api, wanted, list_names_to_read(names), progress=progress):
        for planned, observed in tally.narrow(find_differing(batch)):
            facts = fetch_guard_facts(facts, planned, observed, api=api, progress=progress)
            plans.append(apply_guards(planned, observed, facts=facts, allow=allow))
        progress.advance(len(batch))
    plans.sort(key=lambda planned: planned.task)
    differing = sum(planned.status is not Status.UNCHANGED for planned in plans)
    return Plan(
        server,
        tuple(plans),
        unchanged=looked_at - tally.tasks - differing,
        requests=api.requests,
        targets=tally.targets,
        tasks_left_out=count - looked_at + tally.tasks,
        changes_left_out=tally.changes,
    )
