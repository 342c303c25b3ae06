"""The reports of consecutive runs as one report, or as the changes of all together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Final, TypeAlias

from reconciler.contract.attributes import Attributes
from reconciler.core.composition import Composed, Gap, Made, compose
from reconciler.core.difference import are_equal
from reconciler.core.merge import Part, join_shards, make_other_server_error
from reconciler.core.model import Change, TaskKey
from reconciler.core.notation import format_path, format_value, shorten
from reconciler.core.plan_model import have_same_tasks
from reconciler.core.redaction import RedactionSettings
from reconciler.core.report import Outcome, Report, TaskOutcome
from reconciler.errors import SavedFileError

NamedReport: TypeAlias = tuple[str, Report]
"""The name of a file, and the report in it."""

_GAP_HINT: Final = (
    "another client changed it in between, or a report is missing: add the missing report, or "
    "pass the reports one at a time, the latest first"
)


def order_reports(reports: Sequence[NamedReport]) -> list[NamedReport]:
    """Sort reports by the start of their runs; keep the given order if a report lacks it."""
    return list(reports) if _list_untimed(reports) else sorted(reports, key=_get_start)


def find_untimed(reports: Sequence[NamedReport]) -> list[str]:
    """Name the reports without a start time, if the order of the reports matters."""
    tasks = [task for _, report in reports for task in {o.task for o in report.outcomes}]
    return _list_untimed(reports) if len(tasks) > len(set(tasks)) else []


def _list_untimed(reports: Sequence[NamedReport]) -> list[str]:
    return [name for name, report in reports if not _get_start((name, report))]


def _get_start(named: NamedReport) -> str:
    return named[1].runs[0].started


def compose_changes(
    reports: Sequence[NamedReport], attributes: Attributes
) -> Mapping[int, Sequence[Made]]:
    """Compose, by task, what all runs together changed or may have changed.

    Raises SavedFileError if a change does not begin where the earlier ones ended.
    """
    made: dict[int, Composed] = {}
    ordered = order_reports(reports)
    for number, (_, report) in enumerate(ordered):
        for outcome in report.outcomes:
            if not outcome.may_have_changed:
                continue
            composed = compose(
                made.get(outcome.task, {}),
                outcome.changes,
                stored=outcome.outcome is Outcome.APPLIED,
                attributes=attributes,
            )
            if isinstance(composed, Gap):
                raise _make_gap_error(outcome.task, composed, ordered[: number + 1])
            made[outcome.task] = composed
    kept = (
        (task, tuple(one for one in composed.values() if not one.is_nothing))
        for task, composed in made.items()
    )
    return {task: composed for task, composed in kept if composed}


def find_keys(reports: Sequence[NamedReport]) -> Mapping[int, TaskKey]:
    """Return the keys that named tasks, by id; of several runs, the last one's."""
    return {
        outcome.task: outcome.key
        for _, report in order_reports(reports)
        for outcome in report.outcomes
        if outcome.key is not None
    }


def _make_gap_error(task: int, gap: Gap, ordered: Sequence[NamedReport]) -> SavedFileError:
    """Name the two reports that are not consecutive; the last of ``ordered`` found the gap."""
    *before, (later, _) = ordered
    earlier = next(
        (name for name, report in reversed(before) if _has_touched(report, task, gap)), ""
    )
    if not earlier:
        return SavedFileError(
            f"{later}: task {task}, {format_path(gap.path)}: two changes contradict each other",
            hint="apply does not write such a report: pass an unedited one",
            discreet=f"{later}: task {task}: two changes contradict each other",
        )
    left = " or ".join(shorten(format_value(value)) for value in gap.left)
    found = shorten(format_value(gap.found))
    return SavedFileError(
        f"{earlier} and {later} are not consecutive: task {task}, {format_path(gap.path)}: "
        f"{earlier} left {left}, but {later} found {found}",
        hint=_GAP_HINT,
        discreet=f"{earlier} and {later} are not consecutive: in task {task}, {later} found "
        f"another value than {earlier} left",
    )


def _has_touched(report: Report, task: int, gap: Gap) -> bool:
    """Tell whether a run changed the path of the gap, or a path around or inside it."""
    return any(
        all(one == other for one, other in zip(change.path, gap.path, strict=False))
        for outcome in report.outcomes
        if outcome.task == task and outcome.may_have_changed
        for change in outcome.changes
    )


def merge_reports(reports: Sequence[NamedReport], attributes: Attributes) -> Report:
    """Merge reports: of the shards of a run, of consecutive runs, or both.

    Raises SavedFileError if they do not belong together.
    """
    if len(reports) == 1:
        return reports[0][1]
    ordered = order_reports(reports)
    parts = [Part(n, r.server, r.shards, [o.task for o in r.outcomes]) for n, r in ordered]
    first = parts[0]
    for part in parts[1:]:
        # A server may be updated between two runs.
        if not have_same_tasks(part.server, first.server):
            raise make_other_server_error(first, part)
        first = first if first.server.environment else part
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
        hidden=reduce(RedactionSettings.join, (report.hidden for _, report in reports)),
    )


def _join_outcomes(
    outcomes: Sequence[TaskOutcome], made: Sequence[Made], attributes: Attributes
) -> Iterator[TaskOutcome]:
    """Yield the outcome that changed a task, if any, then the last one if it adds anything."""
    last = outcomes[-1]
    changing = [outcome for outcome in outcomes if outcome.may_have_changed]
    if not changing:
        yield last
        return
    done = replace(changing[-1], changes=tuple(one.change for one in made))
    if last.outcome is Outcome.ALREADY and _is_shown(last, done.changes, attributes):
        done = replace(done, outcome=Outcome.APPLIED, error="")
    yield done
    if last is not changing[-1] and not (last.outcome is Outcome.ALREADY and done.is_good):
        yield last


def _is_shown(already: TaskOutcome, changes: Iterable[Change], attributes: Attributes) -> bool:
    """Tell whether an outcome ``already`` proves that earlier changes were stored."""
    seen = {change.path: change.after for change in already.changes}
    return all(
        change.path in seen and are_equal(change.path, seen[change.path], change.after, attributes)
        for change in changes
    )


def describe_given_order(reports: Sequence[NamedReport]) -> str:
    """Say that reports are used in the given order, if that matters."""
    names = find_untimed(reports)
    if not names:
        return ""
    some = "does not say when its run" if len(names) == 1 else "do not say when their runs"
    return f"{', '.join(names)} {some} began: reports are used in the order in which you pass them"
