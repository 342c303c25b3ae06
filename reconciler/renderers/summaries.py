"""A plan, a report, problems or a checkup in one line."""

from __future__ import annotations

from reconciler.core.finding import Checkup, Level
from reconciler.core.notation import count_noun
from reconciler.core.plan_model import Plan, Status
from reconciler.core.report import Report
from reconciler.core.validation_document import Validation
from reconciler.core.values import ABSENT
from reconciler.renderers.wording import describe_declared


def has_no_changes(plan: Plan) -> bool:
    """Tell whether all tasks are as declared."""
    return plan.summary()["tasks"] == plan.unchanged


def summarize_plan(plan: Plan) -> str:
    """Count the tasks to update, the changes, and the tasks of each other status."""
    counts = plan.summary()
    if has_no_changes(plan):
        return f"No changes: {count_noun(counts['tasks'], 'task')} as declared."
    updates = count_noun(counts[Status.UPDATE], "task")
    changes = _count_changes(plan)
    parts = [f"{updates} to update ({changes})" if changes else "nothing to update"]
    rest = (Status.UNCHANGED, Status.MISSING, Status.UNREADABLE, Status.BLOCKED)
    parts += [f"{counts[status]:,} {status.value}" for status in rest if counts[status]]
    return f"Plan: {', '.join(parts)}."


def summarize_report(report: Report) -> str:
    """Count the tasks by outcome, after the command that ran."""
    command = (report.command or "several runs").capitalize()
    return f"{command}: {report.describe()}."


def summarize_validation(validation: Validation) -> str:
    """Count the problems, or what is declared."""
    if validation.problems:
        return f"{count_noun(len(validation.problems), 'problem')} in the manifests."
    if validation.tasks is None:
        return "No problems in the manifests."
    return f"Valid: {describe_declared(validation.tasks, validation.rules)} declared."


def summarize_checkup(checkup: Checkup) -> str:
    """Say whether an apply would work, and count what was found."""
    levels = ((Level.PROBLEM, "problem"), (Level.WARNING, "warning"), (Level.NOTE, "note"))
    counted = [count_noun(n, noun) for level, noun in levels if (n := checkup.count(level))]
    found = ", ".join(counted) or "no problems"
    return f"Ready: {found}." if checkup.is_ready else f"Not ready: {found}."


def _count_changes(plan: Plan) -> str:
    """Write ``3 changes, including 1 removal``, or nothing if there are none."""
    changes = [change for task in plan.updates for change in task.changes]
    removals = sum(change.after is ABSENT for change in changes)
    if not removals:
        return count_noun(len(changes), "change") if changes else ""
    if removals == len(changes):
        return count_noun(removals, "removal")
    return f"{count_noun(len(changes), 'change')}, including {count_noun(removals, 'removal')}"
