"""Comparing live tasks, as they are read, with what manifests declare by id, key and rule; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from reconciler.contract.attributes import Attributes
from reconciler.core.conditions import UnreadableConditionError
from reconciler.core.model import (
    NO_KEYS,
    DesiredTask,
    DesiredTasks,
    Found,
    HeldKeys,
    KeyGroup,
    Observed,
    ReadBatch,
    TaskKey,
    Unreadable,
)
from reconciler.core.named_paths import find_near_key
from reconciler.core.notation import count_noun, format_path, format_value, list_first, shorten
from reconciler.core.paths import get_value
from reconciler.core.plan_model import PlannedRule, TaskPlan, UnresolvedKey
from reconciler.core.planner import plan_ruled, plan_task, plan_unread
from reconciler.core.problems import Kind, TaskProblem
from reconciler.core.rule import Rule
from reconciler.core.rule_set import CompiledRule, RuleSet
from reconciler.core.shard import Shard
from reconciler.core.values import Side

_NAMED_MAX: Final = 5
"""How many tasks a message about an ambiguous key lists."""


class Comparison:
    """One comparison: batch by batch, with what has been found so far.

    ``looked_at`` counts the tasks that were compared, ``left_out`` those that targets leave out.
    ``done`` are the declared tasks of projects that were read as a whole or by keys: they must not
    be compared again by their ids.
    """

    def __init__(
        self, desired: DesiredTasks, attributes: Attributes, *, shard: Shard | None = None
    ) -> None:
        self.looked_at = 0
        self.left_out = 0
        self.done: set[int] = set()
        self._desired = desired
        self._attributes = attributes
        self._shard = shard
        self._rules = _build_rule_sets(desired.rules, attributes)
        self._keys: dict[int, list[_KeyLookup]] = {}
        for group in desired.list_key_groups():
            self._keys.setdefault(group.project, []).append(_KeyLookup(group))

    @property
    def ruled_projects(self) -> frozenset[int]:
        """The projects whose every task must be looked at."""
        return frozenset(self._rules)

    @property
    def keyed_projects(self) -> frozenset[int]:
        """The projects of which tasks are declared by keys."""
        return frozenset(self._keys)

    def list_pending_keys(self, project: int) -> list[tuple[KeyGroup, list[str | int]]]:
        """List the keys of a project that no task has shown yet."""
        return [
            (lookup.group, lookup.list_pending())
            for lookup in self._keys.get(project, ())
            if lookup.has_pending
        ]

    def compare(
        self, batch: ReadBatch, project: int | None = None
    ) -> Iterator[tuple[TaskPlan, Observed]]:
        """Yield the tasks of a batch that differ, or that there is something to say about.

        ``project`` is the project that was read as a whole, or by its keys; None if tasks were
        read by their ids.
        """
        keys = self._find_keys(batch, project)
        if project is not None and project in self._rules:
            yield from self._compare_ruled(batch, project, keys)
            return
        if project is not None:
            batch = self._take_keyed(batch, keys)
        self.looked_at += sum(map(self._is_wanted, batch.found))
        differing = self._desired.filter_differing(batch.found, keys)
        for task in filter(self._is_wanted, differing):
            own = self._desired.build(task, keys.get(task, ()), project)
            found = Found(batch.found[task])
            yield from _pair(plan_task(own, found, self._attributes), found)
        yield from self._compare_others(batch.others, keys, project)

    def _take_keyed(self, batch: ReadBatch, keys: HeldKeys) -> ReadBatch:
        """Return the tasks of a batch that hold keys; pages show again what filters have found."""
        is_whole = len(keys) == len(batch.found)
        found = batch.found if is_whole else {task: batch.found[task] for task in keys}
        declared = self._desired.select_declared(batch.others)
        return self._take_new(ReadBatch(found, batch.others), {*found, *declared})

    def _take_new(self, batch: ReadBatch, compared: set[int]) -> ReadBatch:
        """Return the tasks of a batch that were not compared before; note those that are now."""
        found, others, done = batch.found, batch.others, self.done
        if not (done.isdisjoint(found) and done.isdisjoint(others)):
            found = {task: live for task, live in found.items() if task not in done}
            others = {task: seen for task, seen in others.items() if task not in done}
        done |= compared
        return ReadBatch(found, others)

    def _compare_ruled(
        self, batch: ReadBatch, project: int, keys: HeldKeys
    ) -> Iterator[tuple[TaskPlan, Observed]]:
        """Compare every task with its own declarations and with the rules that match it.

        Tasks of other shards are matched too: rules count the tasks of the whole project.
        """
        rules = self._rules[project]
        declared = self._desired.select_declared([*batch.found, *batch.others])
        batch = self._take_new(batch, declared)
        differing = set(self._desired.filter_differing(batch.found, keys))
        damaged = {t: o for t, o in batch.others.items() if isinstance(o, Found)}
        found = {**batch.found, **{task: one.attributes for task, one in damaged.items()}}
        for task, live in found.items():
            self.looked_at += self._is_wanted(task)
            differs = task in differing or task in damaged
            own = self._find_own(task, keys, project) if differs else None
            try:
                matching = rules.match(live, own)
            except UnreadableConditionError:
                if self._is_wanted(task):
                    yield plan_unread(task, project, rules.source, _DAMAGED), _DAMAGED
                continue
            if matching or own:
                if own is None and (task in declared or task in keys):
                    own = self._find_own(task, keys, project)
                planned = self._plan_ruled(task, live, own, (rules, matching))
                if self._is_wanted(task):
                    yield from _pair(planned, Found(live))
        for task, observed in batch.others.items():
            if self._is_wanted(task) and not isinstance(observed, Found):
                self.looked_at += 1
                yield plan_unread(task, project, rules.source, observed), observed

    def _plan_ruled(
        self,
        task: int,
        live: Mapping[str, Side],
        own: DesiredTask | None,
        matching: tuple[RuleSet, Sequence[CompiledRule]],
    ) -> TaskPlan | None:
        rules, matched = matching
        ruled = rules.extend(task, live, own, matched) if matched else None
        if ruled:
            return plan_ruled(ruled, live, self._attributes)
        return plan_task(own, Found(live), self._attributes) if own else None

    def _compare_others(
        self,
        others: Mapping[int, Observed],
        keys: HeldKeys,
        project: int | None,
    ) -> Iterator[tuple[TaskPlan, Observed]]:
        """Compare tasks that are missing, or of which not everything can be read."""
        for task, observed in others.items():
            own = self._find_own(task, keys, project) if self._is_wanted(task) else None
            if own:
                self.looked_at += 1
                yield from _pair(plan_task(own, observed, self._attributes), observed)

    def _find_own(self, task: int, keys: HeldKeys, project: int | None) -> DesiredTask | None:
        try:
            return self._desired.build(task, keys.get(task, ()), project)
        except KeyError:
            return None

    def _find_keys(self, batch: ReadBatch, project: int | None) -> HeldKeys:
        if project is None or project not in self._keys:
            return NO_KEYS
        keys = self._desired.find_keys(project, batch.found)
        for lookup in self._keys[project]:
            lookup.note(keys, batch.found)
        return keys

    def _is_wanted(self, task: int) -> bool:
        return self._shard is None or self._shard.holds(task)

    def summarize_rules(self) -> tuple[PlannedRule, ...]:
        """Return what each rule did, in the order of declaration; call it after all batches."""
        done = {
            planned.rule.name: planned
            for rules in self._rules.values()
            for planned in rules.summarize()
        }
        return tuple(done[rule.name] for rule in self._desired.rules)

    def list_unresolved(self) -> tuple[UnresolvedKey, ...]:
        """List the keys that do not name exactly one task; they belong to the first shard."""
        if self._shard is not None and self._shard.number != 1:
            return ()
        return tuple(
            unresolved
            for lookups in self._keys.values()
            for lookup in lookups
            for unresolved in lookup.list_unresolved()
        )

    def list_ambiguous_tasks(self) -> set[int]:
        """List the tasks that share a declared key, which must not be changed."""
        return {
            task
            for lookups in self._keys.values()
            for lookup in lookups
            for tasks in lookup.ambiguous.values()
            for task in tasks
        }


class _KeyLookup:
    """The keys of one group, and the tasks that hold them."""

    def __init__(self, group: KeyGroup) -> None:
        self.group = group
        self.ambiguous: dict[str | int, dict[int, None]] = {}
        self._tasks: dict[str | int, int] = {}
        self._near: dict[str | int, Side] = {}
        self._near_name = ""
        self._looked = 0

    @property
    def has_pending(self) -> bool:
        """Whether keys are left that no task has shown."""
        return len(self._tasks) < len(self.group.keys)

    def list_pending(self) -> list[str | int]:
        """List the keys that no task has shown."""
        return [key for key in self.group.keys if key not in self._tasks]

    def note(self, keys: HeldKeys, found: Mapping[int, Mapping[str, Side]]) -> None:
        """Note which tasks hold which keys, and values that only differ in type."""
        held = keys.by_path[self.group.path]
        tasks = dict(zip(held.values(), held, strict=True))
        if len(tasks) == len(held) and self._tasks.keys().isdisjoint(tasks):
            self._tasks |= tasks  # as of most batches
        else:
            for task, key in held.items():
                self._note_task(key, task)
        if self.has_pending and len(keys) < len(found):
            self._note_near(task for name, task in found.items() if name not in keys)

    def _note_task(self, key: str | int, task: int) -> None:
        first = self._tasks.setdefault(key, task)
        if first != task:
            self.ambiguous.setdefault(key, {first: None})[task] = None

    def _note_near(self, others: Iterator[Mapping[str, Side]]) -> None:
        name, *inner = self.group.path
        for live in others:
            value: Side = live.get(name)
            if not self._tasks and self._looked < _LOOKED_MAX:
                self._looked += 1
                around = get_value(live, self.group.path[:-1])
                known = around if isinstance(around, dict) else {}
                if inner[-1] not in known:
                    self._near_name = self._near_name or find_near_key(inner[-1], known)
            for step in inner:
                value = value.get(step) if isinstance(value, dict) else None
            if type(value) is int and str(value) in self.group.keys:
                self._near[str(value)] = value
            elif type(value) is str and _DIGITS.fullmatch(value) and int(value) in self.group.keys:
                self._near[int(value)] = value

    def list_unresolved(self) -> Iterator[UnresolvedKey]:
        for key in self.list_pending():
            yield self._make_unresolved(key, self._explain_missing(key))
        for key, tasks in self.ambiguous.items():
            yield self._make_unresolved(key, self._explain_ambiguous(key, sorted(tasks)))

    def _make_unresolved(self, key: str | int, problem: TaskProblem) -> UnresolvedKey:
        group = self.group
        return UnresolvedKey(TaskKey(group.path, key), group.project, group.source_of(key), problem)

    def _explain_missing(self, key: str | int) -> TaskProblem:
        path, project = format_path(self.group.path), self.group.project
        near = self._near.get(key)
        if near is not None:
            wanted, other = (f"{_name_type(v)} {format_value(v)}" for v in (key, near))
            return TaskProblem(
                Kind.MISSING,
                f"no task of project {project} has {wanted} at {path}, but one has {other}",
                f"write the key as {format_value(near)}",
            )
        if not self._tasks:
            return TaskProblem(
                Kind.MISSING,
                f"no task of project {project} has {format_value(key)} at {path}",
                self._advise_on_path(),
            )
        return TaskProblem(
            Kind.MISSING,
            f"no task of project {project} has {format_value(key)} at {path}",
            "remove it from the manifest, or correct the key; tasks are never created",
        )

    def _advise_on_path(self) -> str:
        """Say what to do if no key of the project was found at the path."""
        if self._near_name:
            meant = shorten(format_path((*self.group.path[:-1], self._near_name)), 200)
            return f"is the path wrong? write key: {meant} at the top of the manifest"
        return (
            f"correct the key; or the path, in key: {shorten(format_path(self.group.path), 200)} "
            "at the top of the manifest, where upper and lower case differ"
        )

    def _explain_ambiguous(self, key: str | int, tasks: list[int]) -> TaskProblem:
        shown = list_first([*map(str, tasks)], _NAMED_MAX)
        return TaskProblem(
            Kind.AMBIGUOUS,
            f"{count_noun(len(tasks), 'task')} of project {self.group.project} have "
            f"{format_value(key)} at {format_path(self.group.path)}: {shown}",
            "declare the task by its id, or give each task a key of its own",
        )


_LOOKED_MAX: Final = 1_000
"""Tasks in which the path of keys is looked for in another spelling."""

_DIGITS: Final = re.compile("[0-9]{1,19}")
_DAMAGED: Final = Unreadable(
    "the server can read everything of this task except its data",
    "rules cannot be judged without it; repair the data of the task",
)


def _name_type(value: Side) -> str:
    return "the string" if isinstance(value, str) else "the integer"


def _pair(planned: TaskPlan | None, observed: Observed) -> Iterator[tuple[TaskPlan, Observed]]:
    if planned is not None:
        yield planned, observed


def _build_rule_sets(rules: Sequence[Rule], attributes: Attributes) -> dict[int, RuleSet]:
    by_project: dict[int, list[Rule]] = {}
    for rule in rules:
        by_project.setdefault(rule.ref.project, []).append(rule)
    return {project: RuleSet(found, attributes) for project, found in by_project.items()}
