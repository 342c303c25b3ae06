"""What runs may have changed, out of their reports: one after the other, as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from reconciler.contract.attributes import Attributes
from reconciler.core.composition import Composed, Gap, Made, compose
from reconciler.core.notation import format_path, format_value, shorten
from reconciler.core.report import Outcome, Report
from reconciler.errors import SavedFileError

NamedReport: TypeAlias = tuple[str, Report]
"""A report, after the name of its file."""

_APART: Final = (
    "somebody else changed it in between, or a report is missing: add the missing one, or "
    "give the reports one at a time, the latest first"
)


def order_reports(reports: Sequence[NamedReport]) -> list[NamedReport]:
    """Put reports in the order in which their runs began; as given where some do not say it."""
    return list(reports) if _list_untimed(reports) else sorted(reports, key=_get_start)


def find_untimed(reports: Sequence[NamedReport]) -> list[str]:
    """Name the reports that do not say when they began, where the order decides what they say."""
    tasks = [task for _, report in reports for task in {o.task for o in report.outcomes}]
    return _list_untimed(reports) if len(tasks) > len(set(tasks)) else []


def _list_untimed(reports: Sequence[NamedReport]) -> list[str]:
    return [name for name, report in reports if not _get_start((name, report))]


def _get_start(named: NamedReport) -> str:
    return named[1].runs[0].started


def compose_changes(
    reports: Sequence[NamedReport], attributes: Attributes
) -> Mapping[int, Sequence[Made]]:
    """Give by task what runs changed, or may have changed, from before the first to the last.

    Raises SavedFileError where a change does not begin with what the ones before it left.
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


def _make_gap_error(task: int, gap: Gap, ordered: Sequence[NamedReport]) -> SavedFileError:
    """Say which two reports do not follow each other; the last one is that which found the gap."""
    *before, (later, _) = ordered
    earlier = next((name for name, report in reversed(before) if _touches(report, task, gap)), "")
    if not earlier:
        return SavedFileError(
            f"{later}: task {task}, {format_path(gap.path)}: two of its changes do not fit each "
            "other",
            hint="no apply writes such a report: it was edited",
        )
    left = " or ".join(shorten(format_value(value)) for value in gap.left)
    found = shorten(format_value(gap.found))
    return SavedFileError(
        f"{earlier} and {later} do not follow each other: task {task}, {format_path(gap.path)}: "
        f"{earlier} left {left}, and {later} found {found}",
        hint=_APART,
    )


def _touches(report: Report, task: int, gap: Gap) -> bool:
    """Tell whether a run changed that path of that task, or one around it, or inside of it."""
    return any(
        all(one == other for one, other in zip(change.path, gap.path, strict=False))
        for outcome in report.outcomes
        if outcome.task == task and outcome.may_have_changed
        for change in outcome.changes
    )
