"""From the lines of a report back to what they say, and several reports as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from reconciler.apply.report import Outcome, Report, TaskOutcome, counted
from reconciler.errors import SavedFileError
from reconciler.plan.merging import Part, merged_shards
from reconciler.plan.restoring import restored_change, restored_server, restored_shards


def restored_report(
    first: Mapping[str, Any], tasks: Iterable[Mapping[str, Any]], last: Mapping[str, Any] | None
) -> Report:
    """Turn lines that are as the schema of reports says into the report that they are of.

    A later line for a task takes the place of an earlier one; without ``last`` the report was
    cut off. Raises SavedFileError where the counts of the last line are not those of the others.
    """
    latest = {outcome.task: outcome for outcome in map(_outcome, tasks)}
    outcomes = tuple(latest[task] for task in sorted(latest))
    if last is not None and last["summary"] != counted(outcomes):
        raise SavedFileError(
            "the counts of its last line are not those of the others: it was edited",
            hint="show the report as apply wrote it",
        )
    return Report(
        digests=(first["digest"],),
        server=restored_server(first["server"]),
        outcomes=outcomes,
        requests=None if last is None else int(last["requests"]),
        shards=restored_shards(first),
    )


def merged_report(reports: Sequence[tuple[str, Report]]) -> Report:
    """Put reports, each with the name of its file, together.

    Raises SavedFileError where they do not belong together. Two runs of one shard do not: which
    of them came later stands in neither.
    """
    if len(reports) == 1:
        return reports[0][1]
    parts = [Part(n, r.server, r.shards, [o.task for o in r.outcomes]) for n, r in reports]
    outcomes = chain.from_iterable(report.outcomes for _, report in reports)
    sent = [report.requests for _, report in reports if report.requests is not None]
    return Report(
        digests=tuple(chain.from_iterable(report.digests for _, report in reports)),
        server=parts[0].server,
        outcomes=tuple(sorted(outcomes, key=lambda outcome: outcome.task)),
        requests=sum(sent) if len(sent) == len(reports) else None,
        shards=merged_shards(parts),
    )


def _outcome(line: Mapping[str, Any]) -> TaskOutcome:
    return TaskOutcome(
        task=int(line["task"]),
        outcome=Outcome(line["outcome"]),
        changes=tuple(map(restored_change, line["changes"])),
        error=line.get("error", ""),
        accepted=line.get("accepted", False),
        repairs=int(line.get("repairs", 0)),
    )
