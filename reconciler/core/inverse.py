"""The inverse of changes that were made, for tasks that were not edited since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.contract.attributes import Attributes
from reconciler.core.composition import Made
from reconciler.core.model import Change, Found, Observed, TaskKey
from reconciler.core.notation import format_paths
from reconciler.core.paths import are_nested, get_value
from reconciler.core.plan_model import Status, TaskPlan
from reconciler.core.planner import get_project, plan_unread
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.three_way import Verdict, judge_change
from reconciler.core.values import UNREADABLE, Side, is_same


def plan_inverse(
    task: int,
    made: Sequence[Made],
    observed: Observed,
    attributes: Attributes,
    *,
    key: TaskKey | None = None,
) -> TaskPlan | None:
    """Plan the inverse of the changes ``made`` to one task; None if there is nothing to undo.

    If a path was edited since, the whole task is left alone: undoing only the other paths would
    create a state that never existed. ``key`` is what named the task in the report: the plan has
    it, unless the task is known to have another one now, or to get one.
    """
    planned = _plan_inverse(task, made, observed, attributes)
    if planned is None or key is None or not _may_name(key, made, observed):
        return planned
    return replace(planned, key=key)


def _may_name(key: TaskKey, made: Sequence[Made], observed: Observed) -> bool:
    """Tell whether a key names a task before and after the inverse, as far as that is known."""
    if not isinstance(observed, Found):
        return True
    is_there = is_same(get_value(observed.attributes, key.path), key.value)
    return is_there and not any(are_nested(one.path, key.path) for one in made)


def _plan_inverse(
    task: int, made: Sequence[Made], observed: Observed, attributes: Attributes
) -> TaskPlan | None:
    source = made[0].source
    if not isinstance(observed, Found):
        return plan_unread(task, None, source, observed)
    lost = [one for one in made if one.before is UNREADABLE]
    if lost:
        project = get_project(observed.attributes)
        return TaskPlan(task, project, Status.BLOCKED, source, (), (_make_lost_problem(lost),))
    live = observed.attributes
    judged = [_judge_inverse(one, live, attributes) for one in made]
    edited = [change for change, verdict in judged if verdict is Verdict.STALE]
    due = tuple(change for change, verdict in judged if verdict is Verdict.DO)
    project = get_project(live)
    if edited:
        return TaskPlan(task, project, Status.BLOCKED, source, (), (_make_edited_problem(edited),))
    return TaskPlan(task, project, Status.UPDATE, source, due) if due else None


def _judge_inverse(
    made: Made, live: Mapping[str, Side], attributes: Attributes
) -> tuple[Change, Verdict]:
    """Build and judge the inverse; of the values that may be live, start from the one that is."""
    inverse = [Change(made.path, after, made.before, made.source) for after in made.afters]
    judged = [(change, judge_change(change, live, attributes)) for change in inverse]
    return next((one for one in judged if one[1] is not Verdict.STALE), judged[0])


def _make_lost_problem(made: Sequence[Made]) -> TaskProblem:
    return TaskProblem(
        Kind.UNREADABLE,
        f"cannot restore {format_paths(one.path for one in made)}: the server could not read it "
        "before the apply replaced it",
        "pass --allow unreadable to leave the task out",
    )


def _make_edited_problem(changes: Sequence[Change]) -> TaskProblem:
    return TaskProblem(
        Kind.EDITED_SINCE,
        f"edited since the apply: {format_paths(one.path for one in changes)}",
        "pass --allow edited-since to leave the task out, or set the values in a manifest: revert "
        "does not undo later edits",
    )
