"""Pieces of the core, built in one line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.contract.openapi import load_contract
from reconciler.core.allowances import Allowances
from reconciler.core.fingerprint import Fingerprints
from reconciler.core.model import (
    NO_KEYS,
    Change,
    DesiredTask,
    HeldKeys,
    KeyGroup,
    Observed,
    TaskKey,
)
from reconciler.core.notation import parse_path
from reconciler.core.paths import Path
from reconciler.core.plan_model import Plan, ServerIdentity, Status, TaskPlan
from reconciler.core.planner import plan_task
from reconciler.core.problems import Allowance, Kind
from reconciler.core.rule import Rule
from reconciler.core.values import Json, Maybe, Side
from reconciler.errors import Source

SOURCE = Source("tasks.yaml", 3, 5)
SERVER = ServerIdentity("http://label-studio.test", "Community", "1.23.2")


class OnePlace:
    """Places of a task all of whose paths are declared at ``SOURCE``."""

    source = SOURCE

    def source_of(self, path: Path) -> Source:
        return Source(SOURCE.file, SOURCE.line + len(path), SOURCE.column)


def desired(
    task: int,
    attributes: Mapping[str, Json] | None = None,
    *,
    project: int | None = 7,
    replaced: tuple[str, ...] = (),
    absent: tuple[str, ...] = (),
) -> DesiredTask:
    """What a manifest would declare; paths in ``absent`` are written as in a manifest."""
    return DesiredTask(
        id=task,
        project=project,
        attributes=attributes or {},
        replaced=frozenset(replaced),
        absent=tuple(map(parse_path, absent)),
        places=OnePlace(),
    )


def allowing(*kinds: Kind) -> Allowances:
    """Allow kinds everywhere, even those that cannot be allowed."""
    return Allowances(tuple(map(Allowance, kinds)))


def fingerprints_of(*tasks: DesiredTask) -> Fingerprints:
    """Take the fingerprints of desired tasks, as loading their manifests does."""
    fingerprints = Fingerprints()
    for task in tasks:
        if task.absent:
            fingerprints.add_unknown()
        else:
            fingerprints.add(task.attributes, task.replaced)
    return fingerprints


class Listed(dict[int, DesiredTask]):
    """Desired tasks as they come out of manifests."""

    def __init__(self, tasks: Iterable[DesiredTask], rules: Sequence[Rule] = ()) -> None:
        super().__init__((task.id, task) for task in tasks)
        self.rules = tuple(rules)

    def list_key_groups(self) -> Sequence[KeyGroup]:
        return ()

    def find_keys(
        self,
        project: int,
        found: Mapping[int, Mapping[str, Side]],  # noqa: ARG002 - as in the protocol
    ) -> HeldKeys:
        return HeldKeys(project, {})

    def select_declared(self, tasks: Iterable[int]) -> set[int]:
        return {task for task in tasks if task in self}

    def build(
        self,
        task: int,
        keys: tuple[TaskKey, ...] = (),  # noqa: ARG002 - as in the protocol
        project: int | None = None,  # noqa: ARG002 - as in the protocol
    ) -> DesiredTask:
        return self[task]

    def filter_differing(
        self,
        found: Mapping[int, Mapping[str, Json]],
        keys: HeldKeys = NO_KEYS,  # noqa: ARG002 - as in the protocol
    ) -> Iterator[int]:
        return (t for t, live in found.items() if t in self and not self._held_by(t, live))

    def _held_by(self, task: int, live: Mapping[str, Json]) -> bool:
        declared = self[task]
        fingerprints = fingerprints_of(declared)
        in_place = declared.project in {None, live.get("project")}
        return in_place and isinstance(live.get("data"), dict) and fingerprints.hold(0, live)

    def group_by_project(self) -> dict[int | None, list[int]]:
        found: dict[int | None, list[int]] = {}
        for number in sorted(self):
            found.setdefault(self[number].project, []).append(number)
        return found

    def source_of_project(self, project: int) -> Source | None:
        return next((task.source for task in self.values() if task.project == project), None)

    def names(self) -> set[str]:
        tasks = set().union(*(task.names() for task in self.values()))
        return tasks.union(*(rule.names() for rule in self.rules))


def change(path: str, before: Maybe, after: Maybe) -> Change:
    return Change(parse_path(path), before, after, SOURCE)


def update(task: int, *changes: Change, **more: Any) -> TaskPlan:  # noqa: ANN401 - as TaskPlan
    return TaskPlan(task, 7, Status.UPDATE, SOURCE, changes, **more)


def task_plan(task: DesiredTask, observed: Observed) -> TaskPlan:
    """What a plan says of a task that is not as declared."""
    planned = plan_task(task, observed, load_contract())
    assert planned is not None
    return planned


def plan_of(*tasks: TaskPlan, unchanged: int = 0) -> Plan:
    return Plan(SERVER, tasks, unchanged, requests=3)
