"""Merging plans: those of the shards of a run, or of manifests that share no task."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from typing import Final, TypeVar

from reconciler.core.plan_model import Plan, PlannedRule, ServerIdentity
from reconciler.core.redaction import RedactionSettings
from reconciler.core.shard import Shard
from reconciler.errors import SavedFileError

_SHOW_SEPARATELY: Final = "show them separately"
_EACH_SHARD_ONCE: Final = "pass each shard once, and only shards of one run"

_Item = TypeVar("_Item", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Part:
    """What decides whether a plan or a report can be merged with others.

    ``name`` is the name of its file, ``tasks`` are the ids in it.
    """

    name: str
    server: ServerIdentity
    shards: tuple[Shard, ...]
    tasks: Sequence[int]


def merge_plans(plans: Sequence[tuple[str, Plan]]) -> Plan:
    """Merge plans, each with the name of its file; the digest is that of all changes.

    Raises SavedFileError if they do not belong together.
    """
    if len(plans) == 1:
        return plans[0][1]
    parts = [Part(n, p.server, p.shards, [t.task for t in p.tasks]) for n, p in plans]
    _check_targets(plans)
    tasks = chain.from_iterable(plan.tasks for _, plan in plans)
    return Plan(
        server=parts[0].server,
        tasks=tuple(sorted(tasks, key=lambda task: task.task)),
        unchanged=sum(plan.unchanged for _, plan in plans),
        requests=sum(plan.requests for _, plan in plans),
        shards=merge_shards(parts),
        targets=plans[0][1].targets,
        tasks_left_out=sum(plan.tasks_left_out for _, plan in plans),
        changes_left_out=sum(plan.changes_left_out for _, plan in plans),
        unresolved=tuple(chain.from_iterable(plan.unresolved for _, plan in plans)),
        rules=_merge_rules(plans),
        hidden=reduce(RedactionSettings.join, (plan.hidden for _, plan in plans)),
    )


def _merge_rules(plans: Sequence[tuple[str, Plan]]) -> tuple[PlannedRule, ...]:
    """Merge the rules of plans: each shard counts the tasks of the whole project.

    If the project changed between them, a rule that blocks one of the plans blocks all of them.
    Raises SavedFileError, naming two plans, if they know different rules by one name.
    """
    merged: dict[str, tuple[str, PlannedRule]] = {}
    for name, plan in plans:
        for planned in plan.rules:
            other_name, known = merged.setdefault(planned.rule.name, (name, planned))
            if known.rule != planned.rule:
                message = f"{name} has another rule {planned.rule.name!r} than {other_name}"
                discreet = f"{name} has another rule of the same name than {other_name}"
                raise SavedFileError(message, hint=_SHOW_SEPARATELY, discreet=discreet)
            if planned.is_blocked and not known.is_blocked:
                merged[planned.rule.name] = name, planned
    return tuple(planned for _, planned in merged.values())


def _check_targets(plans: Sequence[tuple[str, Plan]]) -> None:
    """Raise SavedFileError, naming two plans, if they looked at different targets."""
    (name, first), *others = plans
    for other_name, other in others:
        if not first.targets.choose_alike(other.targets):
            message = (
                f"{name} was made with {first.targets or 'no targets'}, but {other_name} with "
                f"{other.targets or 'no targets'}"
            )
            discreet = f"{name} was made with other targets than {other_name}"
            raise SavedFileError(message, hint=_SHOW_SEPARATELY, discreet=discreet)


def merge_shards(parts: Sequence[Part]) -> tuple[Shard, ...]:
    """Return the shards that the parts cover, in order; empty if they cover all tasks.

    Raises SavedFileError, naming two parts, if the parts do not belong together.
    """
    for part in parts[1:]:
        if parts[0].server != part.server:
            raise make_other_server_error(parts[0], part)
    shards = join_shards(parts)
    _check_shards(parts)
    _check_shared_tasks(parts)
    return shards


def make_other_server_error(first: Part, other: Part) -> SavedFileError:
    """Build the error for two parts of different servers."""
    message = f"{first.name} is for {first.server}, but {other.name} is for {other.server}"
    return SavedFileError(message, hint=_SHOW_SEPARATELY)


def join_shards(parts: Sequence[Part]) -> tuple[Shard, ...]:
    """Return the shards that the parts cover, in order, each once; empty if they cover all tasks.

    Raises SavedFileError if the tasks were not divided in the same way.
    """
    for part in parts[1:]:
        _check_division(parts[0], part)
    shards = {shard for part in parts for shard in part.shards}
    whole = bool(shards) and len(shards) == next(iter(shards)).count
    return () if whole else tuple(sorted(shards))


def _check_division(first: Part, other: Part) -> None:
    if not first.shards and not other.shards:
        return
    if not (first.shards and other.shards):
        whole, part = (other, first) if first.shards else (first, other)
        message = f"{part.name} is for shard {part.shards[0]}, but {whole.name} is for all tasks"
        raise SavedFileError(message, hint=_SHOW_SEPARATELY)
    if first.shards[0].count != other.shards[0].count:
        message = (
            f"{first.name} is for shard {first.shards[0]}, but {other.name} is for shard "
            f"{other.shards[0]} of another division"
        )
        raise SavedFileError(message, hint="pass the shards of one run")


def _check_shards(parts: Sequence[Part]) -> None:
    shared = _find_shared((part.name, part.shards) for part in parts)
    if shared:
        shard, one, other = shared
        message = f"{one} and {other} are both for shard {shard}"
        raise SavedFileError(message, hint=_EACH_SHARD_ONCE)


def _check_shared_tasks(parts: Sequence[Part]) -> None:
    shared = _find_shared((part.name, part.tasks) for part in parts)
    if shared:
        task, one, other = shared
        raise SavedFileError(f"task {task} is in both {one} and {other}", hint=_EACH_SHARD_ONCE)


def _find_shared(parts: Iterable[tuple[str, Iterable[_Item]]]) -> tuple[_Item, str, str] | None:
    """Return the first item that is listed twice, with the names of the two parts that hold it."""
    holders: dict[_Item, str] = {}
    for name, items in parts:
        for item in items:
            if item in holders:
                return item, holders[item], name
            holders[item] = name
    return None
