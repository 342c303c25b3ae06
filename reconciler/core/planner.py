"""Planning: desired and observed tasks in, plan out; without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from reconciler.contract.attributes import Attributes
from reconciler.core.addresses import find_undeclared_addresses
from reconciler.core.allowances import Allowances
from reconciler.core.difference import find_changes
from reconciler.core.flat_keys import find_flat_keys
from reconciler.core.guards import (
    GuardFacts,
    ProposedUpdate,
    find_problems,
)
from reconciler.core.model import Change, DesiredTask, Found, Missing, Observed, Unreadable
from reconciler.core.paths import Path, is_inside, iterate_outwards
from reconciler.core.plan_model import Status, TaskPlan
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.rule import RuleRef
from reconciler.core.rule_set import RuledTask
from reconciler.core.type_changes import find_list_elements, find_type_changes
from reconciler.core.values import DEPTH_MAX, UNREADABLE, Side, is_too_deep
from reconciler.errors import Source


def plan_task(desired: DesiredTask, observed: Observed, attributes: Attributes) -> TaskPlan | None:
    """Compare one desired task with the observed one; None if it is unchanged, without warnings.

    The guards are applied separately, by `apply_guards`.
    """
    if isinstance(observed, Found):
        return _plan_found(desired, observed.attributes, attributes)
    unread = plan_unread(desired.id, desired.project, desired.source, observed)
    return replace(unread, key=desired.key) if desired.key else unread


def plan_ruled(
    ruled: RuledTask, live: Mapping[str, Side], attributes: Attributes
) -> TaskPlan | None:
    """Compare a task to which rules add declarations; None if nothing differs."""
    desired = ruled.desired
    if ruled.problems:
        stopped = _make_stopped(desired, Status.BLOCKED, *ruled.problems)
        return replace(stopped, rules=ruled.matching)
    planned = _plan_found(desired, live, attributes)
    if planned is None or not planned.changes:
        return planned and replace(planned, rules=ruled.matching)
    changes = tuple(_name_rule(change, ruled.rules) for change in planned.changes)
    names = {change.rule for change in changes}
    rules = tuple(rule for rule in ruled.matching if rule.name in names)
    return replace(planned, changes=changes, rules=rules, seen=ruled.list_seen(rules))


def _name_rule(change: Change, rules: Mapping[Path, RuleRef]) -> Change:
    """Name the rule that declares the path of a change, or a part of its value."""
    around = iterate_outwards(change.path)
    found = next((rules[path] for path in around if path in rules), None)
    if found is None:
        inside = (ref for path, ref in rules.items() if is_inside(path, change.path))
        found = next(inside, None)
    return replace(change, rule=found.name) if found else change


def plan_unread(
    task: int, project: int | None, source: Source, observed: Missing | Unreadable
) -> TaskPlan:
    """Plan a task that is missing or could not be read."""
    if isinstance(observed, Missing):
        return TaskPlan(task, project, Status.MISSING, source, (), (_MISSING,))
    return TaskPlan(task, project, Status.UNREADABLE, source, (), (_make_unreadable(observed),))


def _plan_found(
    desired: DesiredTask, live: Mapping[str, Side], attributes: Attributes
) -> TaskPlan | None:
    project = live.get("project")
    if desired.project is not None and "project" in live and project != desired.project:
        return _make_stopped(desired, Status.BLOCKED, _make_other_project(desired.project, project))
    names = desired.names()
    unknown = [_make_not_answered(name) for name in sorted(names - live.keys())]
    if live.get("data") is UNREADABLE:
        unknown += [] if "data" in desired.replaced & names else [_DAMAGED_DATA]
    elif "data" in live and not isinstance(live["data"], dict):
        unknown.append(_BROKEN_DATA)
    if unknown:
        return _make_stopped(desired, Status.UNREADABLE, *unknown)
    changes = find_changes(desired, live, attributes)
    warnings = (
        *find_flat_keys(desired, changes, live),
        *find_type_changes(changes),
        *find_list_elements(desired.absent, live),
    )
    if not changes:
        return _make_stopped(desired, Status.UNCHANGED, *warnings) if warnings else None
    if any(is_too_deep(change.before) for change in changes):
        return _make_stopped(desired, Status.UNREADABLE, TOO_DEEP)
    shown = get_project(live)
    in_project = desired.project if shown is None else shown
    return TaskPlan(
        desired.id,
        in_project,
        Status.UPDATE,
        desired.source,
        changes,
        warnings,
        key=desired.key,
        allow=desired.allow,
    )


def apply_guards(
    task: TaskPlan,
    observed: Observed,
    *,
    facts: GuardFacts,
    allow: Allowances,
) -> TaskPlan:
    """Apply the guards to a task; it is blocked if neither ``allow`` nor its manifests accept one.

    What accepts a problem is recorded in it.
    """
    if task.status is not Status.UPDATE or not isinstance(observed, Found):
        return replace(task, problems=tuple(map(allow.judge, task.problems)))
    live = observed.attributes
    update = ProposedUpdate(
        task.changes,
        live,
        facts.attributes,
        project=facts.get_settings(task.project),
        addresses=task.addresses,
        labelled=facts.find_labelled(task.project),
        allow=allow.declare(task.allow),
    )
    problems = find_problems(update)
    stopped = any(not (problem.is_warning or problem.allowed) for problem in problems)
    return replace(
        task,
        status=Status.BLOCKED if stopped else Status.UPDATE,
        problems=(*task.problems, *problems),
        addresses=find_undeclared_addresses(live, task.changes),
    )


def block_ambiguous(task: TaskPlan, allow: Allowances) -> TaskPlan:
    """Block a task whose key, as turned out later, names other tasks as well."""
    if task.status not in {Status.UPDATE, Status.BLOCKED}:
        return task
    problem = TaskProblem(
        Kind.AMBIGUOUS,
        "its key names several tasks",
        "declare the task by its id, or give each task a key of its own",
    )
    return TaskPlan(
        task.task,
        task.project,
        Status.BLOCKED,
        task.source,
        problems=(allow.judge(problem),),
        key=task.key,
    )


def _make_stopped(desired: DesiredTask, status: Status, *problems: TaskProblem) -> TaskPlan:
    none: tuple[Change, ...] = ()
    return TaskPlan(
        desired.id, desired.project, status, desired.source, none, problems, key=desired.key
    )


def get_project(live: Mapping[str, Side]) -> int | None:
    """Return the project of a task; None if the server does not show it."""
    project = live.get("project")
    return project if isinstance(project, int) else None


_BROKEN_DATA: Final = TaskProblem(
    Kind.UNREADABLE,
    "the data of the task is stored as something other than an object",
    "no update of this task can succeed: repair its data in the server's database",
)
_DAMAGED_DATA: Final = TaskProblem(
    Kind.UNREADABLE,
    "the server cannot read the data of this task, but it returns everything else",
    "if text in the data is damaged, declare the whole data with policy {data: replace} to repair "
    "it; if the data is not an object, repair it in the server's database",
)
TOO_DEEP: Final = TaskProblem(
    Kind.UNREADABLE,
    f"its objects and lists are nested more than {DEPTH_MAX} deep",
    "correct the value on the server",
)
_MISSING: Final = TaskProblem(
    Kind.MISSING,
    "the task does not exist on the server, or the token may not see it",
    "remove it from the manifest, or correct the id; tasks are never created",
)


def _make_unreadable(observed: Unreadable) -> TaskProblem:
    hint = observed.hint or (
        "see the server's log for the reason; if the data is stored as something other than an "
        "object, repair it in the server's database"
    )
    return TaskProblem(Kind.UNREADABLE, observed.detail, hint)


def _make_other_project(expected: int, project: Side) -> TaskProblem:
    return TaskProblem(
        Kind.OTHER_PROJECT,
        f"the task is in project {project}, but the manifest declares project {expected}",
        "correct the project of the manifest, or the id; tasks are never moved",
    )


def _make_not_answered(name: str) -> TaskProblem:
    return TaskProblem(
        Kind.UNREADABLE,
        f"the server's response has no {name}, so its current value is unknown",
        "remove it from the manifest: this edition, version or role does not show it",
    )
