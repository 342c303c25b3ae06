"""Undoing runs: reports in, the inverse plan out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.artifacts.report_file import read_reports
from reconciler.contract.openapi import load_contract
from reconciler.core.allowances import NOTHING_ALLOWED, Allowances
from reconciler.core.composition import Made
from reconciler.core.guards import list_names_to_read
from reconciler.core.inverse import plan_inverse
from reconciler.core.model import Observed, ReadBatch, TaskKey
from reconciler.core.plan_model import Plan, TaskPlan
from reconciler.core.report_history import NamedReport, compose_changes, find_keys
from reconciler.engine.connection import Connection
from reconciler.engine.plan import plan_batches
from reconciler.engine.policy import check_server
from reconciler.labelstudio.bulk.task_reader import read_tasks
from reconciler.progress import NULL_PROGRESS, ProgressListener


@dataclass(frozen=True, slots=True)
class RunHistory:
    """The ``reports`` of some runs, and what all of them together ``made`` of each task.

    ``keys`` are those that named tasks, by id.
    """

    reports: Sequence[NamedReport]
    made: Mapping[int, Sequence[Made]]
    keys: Mapping[int, TaskKey] = field(default_factory=dict)


def read_history(files: Sequence[str]) -> RunHistory:
    """Read the reports to undo; raises SavedFileError."""
    return compose_history(read_reports(files))


def compose_history(reports: Sequence[NamedReport]) -> RunHistory:
    """Compose what runs made of each task; raises SavedFileError if they do not fit together."""
    return RunHistory(reports, compose_changes(reports, load_contract()), find_keys(reports))


def build_revert_plan(
    history: RunHistory,
    connection: Connection,
    *,
    allow: Allowances = NOTHING_ALLOWED,
    progress: ProgressListener = NULL_PROGRESS,
) -> Plan:
    """Plan the inverse of the changes; only reads. Raises ServerError."""
    made, keys, attributes = history.made, history.keys, connection.attributes

    def find_differing(batch: ReadBatch) -> Iterator[tuple[TaskPlan, Observed]]:
        for task, observed in batch:
            planned = plan_inverse(task, made[task], observed, attributes, key=keys.get(task))
            if planned is not None:
                yield planned, observed

    names = list_names_to_read({one.path[0] for composed in made.values() for one in composed})
    names |= {key.path[0] for task, key in keys.items() if task in made}
    read = read_tasks(connection.api, {None: sorted(made)}, names, progress=progress)
    batches = ((len(batch), find_differing(batch)) for batch in read)
    count = len(made)
    return plan_batches(
        batches, connection, count=count, total=count, allow=allow, progress=progress
    )


def check_reports(history: RunHistory, connection: Connection) -> None:
    """Raise Refused if a report is for another server."""
    identity = connection.identify()
    for name, report in history.reports:
        check_server(report.server, identity, name)
