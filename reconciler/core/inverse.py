"""The inverse of changes that were made, where nobody went on from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.contract.attributes import Attributes
from reconciler.core.composition import Made
from reconciler.core.model import Change, Found, Kind, Observed, Status, TaskPlan, TaskProblem
from reconciler.core.notation import format_paths
from reconciler.core.planner import get_project, plan_unread
from reconciler.core.three_way import Verdict, judge_change
from reconciler.core.values import UNREADABLE, Side


def plan_inverse(
    task: int, made: Sequence[Made], observed: Observed, attributes: Attributes
) -> TaskPlan | None:
    """Plan the inverse of what was ``made`` of one task; None where nothing is left of it.

    A path that has been edited since belongs to whoever did so: its task is left alone, as part
    of an earlier state and part of a later one would be a state that never was.
    """
    source = made[0].source
    if not isinstance(observed, Found):
        return plan_unread(task, None, source, observed)
    lost = [one for one in made if one.before is UNREADABLE]
    if lost:
        project = get_project(observed.attributes)
        return TaskPlan(task, project, Status.BLOCKED, source, (), (_make_lost_problem(lost),))
    live = observed.attributes
    judged = [_judge_inverse(one, live, attributes) for one in made]
    edited = [change for change, message in judged if message is Verdict.STALE]
    due = tuple(change for change, message in judged if message is Verdict.DO)
    project = get_project(live)
    if edited:
        return TaskPlan(task, project, Status.BLOCKED, source, (), (_make_edited_problem(edited),))
    return TaskPlan(task, project, Status.UPDATE, source, due) if due else None


def _judge_inverse(
    made: Made, live: Mapping[str, Side], attributes: Attributes
) -> tuple[Change, Verdict]:
    """Go back from that value of those that may be there which is there."""
    inverse = [Change(made.path, after, made.before, made.source) for after in made.afters]
    judged = [(change, judge_change(change, live, attributes)) for change in inverse]
    return next((one for one in judged if one[1] is not Verdict.STALE), judged[0])


def _make_lost_problem(made: Sequence[Made]) -> TaskProblem:
    return TaskProblem(
        Kind.UNREADABLE,
        f"{format_paths(one.path for one in made)} could not be read before that apply replaced it",
        "what it was cannot be restored; leave the task out with --allow unreadable",
    )


def _make_edited_problem(changes: Sequence[Change]) -> TaskProblem:
    return TaskProblem(
        Kind.EDITED_SINCE,
        f"edited since that apply: {format_paths(one.path for one in changes)}",
        "what was written later is not undone; set it by a manifest, or by hand",
    )
