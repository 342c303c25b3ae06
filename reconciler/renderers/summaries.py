"""A plan, a report, problems or a checkup in one line."""

from __future__ import annotations

from reconciler.core.finding import Checkup, Level
from reconciler.core.notation import count_noun
from reconciler.core.plan_model import Plan, Status
from reconciler.core.report import Report
from reconciler.core.results import Judged
from reconciler.core.validation_document import Validation
from reconciler.core.values import ABSENT
from reconciler.renderers.wording import describe_declared


def has_no_changes(plan: Plan) -> bool:
    """Tell whether all tasks are as declared."""
    return plan.summary()["tasks"] == plan.unchanged


def summarize(found: Judged) -> str:
    """Count what was found: the tasks of each status or outcome, the problems, or the checks."""
    match found:
        case Plan():
            return _summarize_plan(found)
        case Report():
            command = (found.command or "several runs").capitalize()
            return f"{command}: {found.describe()}."
        case Validation():
            return _summarize_validation(found)
    return _summarize_checkup(found)


def _summarize_plan(plan: Plan) -> str:
    counts = plan.summary()
    if has_no_changes(plan):
        return f"No changes: {count_noun(counts['tasks'], 'task')} as declared."
    updates = count_noun(counts[Status.UPDATE], "task")
    changes = _count_changes(plan)
    parts = [f"{updates} to update ({changes})" if changes else "nothing to update"]
    rest = (Status.UNCHANGED, Status.MISSING, Status.UNREADABLE, Status.BLOCKED)
    parts += [f"{counts[status]:,} {status.value}" for status in rest if counts[status]]
    return f"Plan: {', '.join(parts)}."


def _summarize_validation(validation: Validation) -> str:
    if validation.problems:
        return f"{count_noun(len(validation.problems), 'problem')} in the manifests."
    if validation.tasks is None:
        return "No problems in the manifests."
    return f"Valid: {describe_declared(validation.tasks, validation.rules)} declared."


def _summarize_checkup(checkup: Checkup) -> str:
    """Say whether an apply would work, and count what was found."""
    return f"{'Ready' if checkup.is_ready else 'Not ready'}: {count_findings(checkup)}."


def count_findings(checkup: Checkup) -> str:
    """Write ``1 problem, 2 notes``, or ``no problems``."""
    levels = ((Level.PROBLEM, "problem"), (Level.WARNING, "warning"), (Level.NOTE, "note"))
    counted = [count_noun(n, noun) for level, noun in levels if (n := checkup.count(level))]
    return ", ".join(counted) or "no problems"


def _count_changes(plan: Plan) -> str:
    """Write ``3 changes, including 1 removal``, or nothing if there are none."""
    changes = [change for task in plan.updates for change in task.changes]
    removals = sum(change.after is ABSENT for change in changes)
    if not removals:
        return count_noun(len(changes), "change") if changes else ""
    if removals == len(changes):
        return count_noun(removals, "removal")
    return f"{count_noun(len(changes), 'change')}, including {count_noun(removals, 'removal')}"
