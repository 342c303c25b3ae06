"""A plan as the data of the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.core.allowances import describe_accepted, list_blocked, list_blocking
from reconciler.core.change_groups import ChangeGroup, Effect, describe_counts, group_plan
from reconciler.core.notation import count_noun, shorten
from reconciler.core.plan_model import Plan, Status, TaskPlan, UnresolvedKey
from reconciler.core.problem_groups import group_problems
from reconciler.core.rule_set import describe_planned_rule
from reconciler.core.shown_digest import NO_KEY
from reconciler.renderers.html.group_views import build_groups
from reconciler.renderers.html.page_rows import Entry, build_rows
from reconciler.renderers.html.problem_views import (
    ProblemList,
    add_rule_problems,
    add_task_problems,
)
from reconciler.renderers.html.view import StatusList, View, describe_shards, write_text

_KEY_MAX: Final = 60
_RULES_MAX: Final = 100


def build_plan_view(plan: Plan) -> View:
    """Build what the page shows of a plan."""
    groups = group_plan(plan)
    problems, statuses = ProblemList(), StatusList()
    statuses.find_number("to update", "change")
    entries = [_make_entry(task, problems, statuses) for task in plan.tasks]
    entries += [_make_key_entry(key, problems, statuses) for key in plan.unresolved]
    add_rule_problems(problems, plan)
    changes = (change for task in plan.tasks for change in task.changes)
    is_only_changes = all(entry.changes for entry in entries)
    data = {
        **statuses.build((entry.status for entry in entries), plan.unchanged),
        **problems.build(),
        **build_groups(groups, plan.rules, changes),
        **build_rows(entries, groups),
        "noun": "change" if is_only_changes else "row",
        "title": "Every change" if is_only_changes else "Every change and problem",
        "pictureTitle": "What would change" if _count_blocked(plan) else "What changes",
        "facts": list(_list_facts(plan)),
    }
    return View(
        f"Plan for {plan.server.name}",
        _write_headline(plan),
        _write_lead(plan, groups),
        data,
        write_text(groups, plan.rules, group_problems(plan.tasks)),
    )


def _make_entry(task: TaskPlan, problems: ProblemList, statuses: StatusList) -> Entry:
    return Entry(
        task.task,
        shorten(str(task.key), _KEY_MAX) if task.key else "",
        _find_status(task.status, statuses, blocks=bool(list_blocking(task))),
        task.source,
        task.changes,
        add_task_problems(problems, task),
        task.project,
    )


def _make_key_entry(key: UnresolvedKey, problems: ProblemList, statuses: StatusList) -> Entry:
    accepted = bool(key.problem.allowed)
    name = f"key {shorten(str(key.key), _KEY_MAX)}"
    number = problems.add(key.problem, accepted=accepted, task=None, name=name)
    status = _find_status(key.status, statuses, blocks=not accepted)
    return Entry(None, name, status, key.source, (), (number,), key.project)


def _find_status(status: Status, statuses: StatusList, *, blocks: bool) -> int:
    if status is Status.UPDATE:
        return statuses.find_number("to update", "change")
    if status is Status.UNCHANGED:
        return statuses.find_number("unchanged, with a warning", "warn")
    if blocks:
        return statuses.find_number(status.value, "bad")
    return statuses.find_number(f"{status.value}, allowed", "warn")


def _count_blocked(plan: Plan) -> list[str]:
    """Count what blocks the apply: ``["3 tasks", "1 key"]``."""
    counts = {
        "task": len(list_blocked(plan)),
        "key": sum(not key.problem.allowed for key in plan.unresolved),
        "rule": sum(rule.is_blocked for rule in plan.rules),
    }
    return [count_noun(count, noun) for noun, count in counts.items() if count]


def _write_headline(plan: Plan) -> str:
    if blocked := _count_blocked(plan):
        return f"Nothing can be applied yet: {' and '.join(blocked)} blocked"
    if plan.updates:
        return f"{count_noun(len(plan.updates), 'task')} will change"
    return "No changes"


def _write_lead(plan: Plan, groups: Sequence[ChangeGroup]) -> str:
    """Say in whole sentences what apply would do."""
    return "\n".join(filter(None, (_count_changes(plan, groups), *_list_limits(plan))))


def _count_changes(plan: Plan, groups: Sequence[ChangeGroup]) -> str:
    if not plan.updates:
        return "" if _count_blocked(plan) else "All declared tasks are as the manifests say."
    counts = dict.fromkeys((Effect.REMOVE, Effect.SET, Effect.ADD), 0)
    for group in groups:
        counts[group.simple_effect] += len(group) - group.blocked
    paths = count_noun(len({group.path for group in groups if group.blocked < len(group)}), "path")
    tasks = count_noun(len(plan.updates), "task")
    lead = f"{tasks} would change. " if _count_blocked(plan) else ""
    values = describe_counts(counts)
    return f"{lead}Values at {paths}: {values}. Nothing else in these tasks is touched."


def _list_limits(plan: Plan) -> Iterator[str]:
    yield describe_shards(plan.shards)
    yield plan.describe_targets()
    if allowed := describe_accepted(plan):
        yield f"Allowed: {allowed}."


def _list_facts(plan: Plan) -> Iterator[tuple[str, list[str]]]:
    yield "Server", [str(plan.server)]
    if plan.updates:
        yield "Digest", [plan.digest or NO_KEY]
    if plan.redacted:
        yield "Redacted", [plan.redacted.redaction.describe()]
    yield "Plan", [plan.describe()]
    if plan.rules:
        described = [describe_planned_rule(rule) for rule in plan.rules]
        more = len(described) - _RULES_MAX
        shown = [*described[:_RULES_MAX], *([f"… and {more:,} more"] if more > 0 else [])]
        yield "Rules", [shorten(one, 300) for one in shown]
