"""From the lines of a report back to what they say, and several reports as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.contract.attributes import Attributes
from reconciler.core.composition import Made
from reconciler.core.difference import are_equal
from reconciler.core.ids import parse_ranges
from reconciler.core.merge import Part, join_shards, make_other_server_error
from reconciler.core.model import Change, User
from reconciler.core.plan_restoring import restore_change, restore_server, restore_shards
from reconciler.core.report import Commit, Outcome, Report, Run, TaskOutcome, count_outcomes
from reconciler.core.report_history import NamedReport, compose_changes, order_reports
from reconciler.errors import SavedFileError


def restore_report(
    first: Mapping[str, Any], lines: Iterable[Mapping[str, Any]], last: Mapping[str, Any] | None
) -> Report:
    """Turn lines that are as the schema of reports says into the report that they are of.

    A later line for a task takes the place of an earlier one; without ``last`` the report was
    cut off. Raises SavedFileError where the counts of the last line are not those of the others.
    """
    latest = {outcome.task: outcome for line in lines for outcome in _restore_outcomes(line)}
    outcomes = tuple(latest[task] for task in sorted(latest))
    if last is not None and last["summary"] != count_outcomes(outcomes):
        raise SavedFileError(
            "the counts of its last line are not those of the others: it was edited",
            hint="show the report as apply wrote it",
        )
    run = _restore_run(first, last)
    return Report(restore_server(first["server"]), (run,), outcomes, run.shards)


def _restore_run(first: Mapping[str, Any], last: Mapping[str, Any] | None) -> Run:
    user, commit = first.get("user"), first.get("commit")
    return Run(
        digest=first["digest"],
        requests=None if last is None else int(last["requests"]),
        shards=restore_shards(first),
        command=first.get("command", "apply"),
        started=first.get("started", ""),
        ended="" if last is None else last.get("ended", ""),
        user=None if user is None else User(int(user["id"]), user["email"]),
        commit=None if commit is None else Commit(commit["id"], commit.get("dirty", False)),
    )


def merge_reports(reports: Sequence[NamedReport], attributes: Attributes) -> Report:
    """Put reports together: shards of a run, runs that go on from each other, or both.

    Raises SavedFileError where they do not belong together.
    """
    if len(reports) == 1:
        return reports[0][1]
    ordered = order_reports(reports)
    parts = [Part(n, r.server, r.shards, [o.task for o in r.outcomes]) for n, r in ordered]
    for part in parts[1:]:
        # A server may be updated between two runs.
        if (part.server.url, part.server.edition) != (parts[0].server.url, parts[0].server.edition):
            raise make_other_server_error(parts[0], part)
    shards = join_shards(parts)
    made = compose_changes(ordered, attributes)
    by_task: dict[int, list[TaskOutcome]] = {}
    for _, report in ordered:
        for outcome in report.outcomes:
            by_task.setdefault(outcome.task, []).append(outcome)
    return Report(
        server=parts[-1].server,
        runs=tuple(run for _, report in ordered for run in report.runs),
        outcomes=tuple(
            outcome
            for task in sorted(by_task)
            for outcome in _join_outcomes(by_task[task], made.get(task, ()), attributes)
        ),
        shards=shards,
    )


def _join_outcomes(
    outcomes: Sequence[TaskOutcome], made: Sequence[Made], attributes: Attributes
) -> Iterator[TaskOutcome]:
    """Say what became of a task in the end, and what was changed where that is something else."""
    last = outcomes[-1]
    changing = [outcome for outcome in outcomes if outcome.may_have_changed]
    if not changing:
        yield last
        return
    done = replace(changing[-1], changes=tuple(one.change for one in made))
    if last.outcome is Outcome.ALREADY and _shows(last, done.changes, attributes):
        done = replace(done, outcome=Outcome.APPLIED, error="")
    yield done
    if last is not changing[-1] and not (last.outcome is Outcome.ALREADY and done.is_good):
        yield last


def _shows(already: TaskOutcome, changes: Iterable[Change], attributes: Attributes) -> bool:
    """Tell whether a task that was as declared later on shows that changes were made."""
    seen = {change.path: change.after for change in already.changes}
    return all(
        change.path in seen and are_equal(change.path, seen[change.path], change.after, attributes)
        for change in changes
    )


def _restore_outcomes(line: Mapping[str, Any]) -> Iterator[TaskOutcome]:
    if "not_started" not in line:
        yield _restore_outcome(line)
        return
    written = line["not_started"]
    try:
        for task in parse_ranges(written["tasks"], int(written["count"])):
            yield TaskOutcome(task, Outcome.INTERRUPTED, (), line["error"])
    except ValueError as error:
        raise SavedFileError(f"not_started: {error}: it was edited") from error


def _restore_outcome(line: Mapping[str, Any]) -> TaskOutcome:
    return TaskOutcome(
        task=int(line["task"]),
        outcome=Outcome(line["outcome"]),
        changes=tuple(map(restore_change, line["changes"])),
        error=line.get("error", ""),
        accepted=line.get("accepted", False),
        repairs=int(line.get("repairs", 0)),
        time=line.get("time", ""),
    )
