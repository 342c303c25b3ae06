"""The inverse of changes that were made, where nobody went on from there."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.contract.attributes import Attributes
from reconciler.plan.model import Change, Found, Kind, Observed, Status, TaskPlan, TaskProblem
from reconciler.plan.notation import path_text
from reconciler.plan.planner import project_shown, unseen
from reconciler.plan.three_way import Verdict, verdict
from reconciler.plan.values import UNREADABLE


def revert_task(
    task: int, made: Sequence[Change], observed: Observed, attributes: Attributes
) -> TaskPlan | None:
    """Plan the inverse of the changes ``made`` to one task; None where nothing is left of them.

    A path that has been edited since belongs to whoever did so: its task is left alone, as part
    of an earlier state and part of a later one would be a state that never was.
    """
    source = made[0].source
    if not isinstance(observed, Found):
        return unseen(task, None, source, observed)
    lost = [change for change in made if change.before is UNREADABLE]
    if lost:
        project = project_shown(observed.attributes)
        return TaskPlan(task, project, Status.BLOCKED, source, (), (_lost(lost),))
    live = observed.attributes
    inverse = [Change(change.path, change.after, change.before, change.source) for change in made]
    verdicts = [verdict(change, live, attributes) for change in inverse]
    judged = list(zip(inverse, verdicts, strict=True))
    edited = [change for change, said in judged if said is Verdict.STALE]
    due = tuple(change for change, said in judged if said is Verdict.DO)
    project = project_shown(live)
    if edited:
        return TaskPlan(task, project, Status.BLOCKED, source, (), (_edited(edited),))
    return TaskPlan(task, project, Status.UPDATE, source, due) if due else None


def _lost(changes: Sequence[Change]) -> TaskProblem:
    return TaskProblem(
        Kind.UNREADABLE,
        f"{_paths(changes)} could not be read before that apply replaced it",
        "what it was cannot be restored; leave the task out with --allow unreadable",
    )


def _paths(changes: Sequence[Change]) -> str:
    return ", ".join(path_text(change.path) for change in changes)


def _edited(changes: Sequence[Change]) -> TaskProblem:
    return TaskProblem(
        Kind.EDITED_SINCE,
        f"edited since that apply: {_paths(changes)}",
        "what was written later is not undone; set it by a manifest, or by hand",
    )
