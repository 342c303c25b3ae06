"""Several plans as one: those of the shards of a run, or of manifests that share no task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from reconciler.core.model import Plan, ServerIdentity
from reconciler.core.shard import Shard
from reconciler.errors import SavedFileError

_APART: Final = "show them apart"
_ONCE: Final = "give each shard once, and only those of one run"


@dataclass(frozen=True, slots=True)
class Part:
    """What decides whether a plan or a report can be put together with others.

    ``name`` is that of its file, ``tasks`` the ids that it speaks of.
    """

    name: str
    server: ServerIdentity
    shards: tuple[Shard, ...]
    tasks: Sequence[int]


def merge_plans(plans: Sequence[tuple[str, Plan]]) -> Plan:
    """Put plans, each with the name of its file, together; its digest is that of all changes.

    Raises SavedFileError where they do not belong together.
    """
    if len(plans) == 1:
        return plans[0][1]
    parts = [Part(n, p.server, p.shards, [t.task for t in p.tasks]) for n, p in plans]
    tasks = chain.from_iterable(plan.tasks for _, plan in plans)
    return Plan(
        server=parts[0].server,
        tasks=tuple(sorted(tasks, key=lambda task: task.task)),
        unchanged=sum(plan.unchanged for _, plan in plans),
        requests=sum(plan.requests for _, plan in plans),
        shards=merge_shards(parts),
    )


def merge_shards(parts: Sequence[Part]) -> tuple[Shard, ...]:
    """Tell which shards the parts are together, in order; none where they are all of them.

    Raises SavedFileError where the parts do not belong together, naming two that do not.
    """
    for part in parts[1:]:
        if parts[0].server != part.server:
            raise make_other_server_error(parts[0], part)
    shards = join_shards(parts)
    _check_shards(parts)
    _check_shared_tasks(parts)
    return shards


def make_other_server_error(first: Part, other: Part) -> SavedFileError:
    """Say that two parts are about different servers."""
    message = f"{first.name} is about {first.server}, {other.name} about {other.server}"
    return SavedFileError(message, hint=_APART)


def join_shards(parts: Sequence[Part]) -> tuple[Shard, ...]:
    """Tell which shards the parts are together, in order, however often each is among them.

    None where they are all. Raises SavedFileError where the tasks were not divided alike.
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
        message = f"{part.name} is of shard {part.shards[0]}, {whole.name} is of no shard"
        raise SavedFileError(message, hint=_APART)
    if first.shards[0].count != other.shards[0].count:
        message = f"{first.name} is of shard {first.shards[0]}, {other.name} of {other.shards[0]}"
        raise SavedFileError(
            f"{message}: these were not divided alike", hint="give the shards of one run"
        )


def _check_shards(parts: Sequence[Part]) -> None:
    seen: dict[Shard, str] = {}
    for part in parts:
        for shard in part.shards:
            if shard in seen:
                message = f"{seen[shard]} and {part.name} are both of shard {shard}"
                raise SavedFileError(message, hint=_ONCE)
            seen[shard] = part.name


def _check_shared_tasks(parts: Sequence[Part]) -> None:
    seen: dict[int, str] = {}
    for part in parts:
        for task in part.tasks:
            if task in seen:
                message = f"task {task} is in {seen[task]} and in {part.name}"
                raise SavedFileError(message, hint=_ONCE)
            seen[task] = part.name
