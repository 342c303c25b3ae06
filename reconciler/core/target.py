"""Targets: which tasks, and which of their changes, a run looks at."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Self

from reconciler.core.model import Change, DesiredTask, DesiredTasks, Found, Observed, TaskKey
from reconciler.core.notation import count_noun, escape_invisible, parse_path
from reconciler.core.paths import Path, are_nested, is_inside
from reconciler.core.rule import Rule
from reconciler.core.since import Since
from reconciler.core.values import Side

if TYPE_CHECKING:
    from reconciler.core.plan_model import TaskPlan, UnresolvedKey

_IDS: Final = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18}))?", re.ASCII)
_EXPECTED: Final = (
    "an id, a range such as 100-200, key:VALUE, rule:NAME, path:data.text or file:GLOB"
)
_ANY_FOLDERS: Final = "**"


class SelectorKind(StrEnum):
    """What a selector is about; those for IDS and KEY choose tasks, the others changes."""

    IDS = "ids"
    KEY = "key"
    RULE = "rule"
    PATH = "path"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Selector:
    """One target, as it was written.

    ``ids`` are the first and the last id of kind IDS. ``value`` is what follows the colon of the
    other kinds, and ``path`` is the parsed path of kind PATH.
    """

    text: str
    kind: SelectorKind
    ids: tuple[int, int] = (0, 0)
    value: str = ""
    path: Path = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse an id, a range, or ``KIND:VALUE``; raises ValueError."""
        found = _IDS.fullmatch(text)
        if found:
            return cls(text, SelectorKind.IDS, ids=_parse_ids(text, found[1], found[2]))
        kind, colon, value = text.partition(":")
        if not colon or not value or kind not in set(SelectorKind) - {SelectorKind.IDS}:
            raise ValueError(f"expected {_EXPECTED}, found {text!r}")
        path = _parse_path(value) if kind == SelectorKind.PATH else ()
        return cls(text, SelectorKind(kind), value=value, path=path)

    def __str__(self) -> str:
        return self.text

    @property
    def chooses_tasks(self) -> bool:
        """Whether it chooses whole tasks, in place of some of their changes."""
        return self.kind in {SelectorKind.IDS, SelectorKind.KEY}

    def holds_id(self, task: int) -> bool:
        """Tell whether a selector of kind IDS holds an id."""
        return self.ids[0] <= task <= self.ids[1]

    def holds_task(self, task: int, key: TaskKey | None) -> bool:
        """Tell whether a selector of tasks holds the one with this id and key."""
        if self.kind is SelectorKind.IDS:
            return self.holds_id(task)
        return key is not None and str(key.value) == self.value

    def holds_file(self, file: str) -> bool:
        """Tell whether a selector of kind FILE holds a file, itself or the folder that it is in."""
        return _fits_glob(self.value, file)

    def holds_change(self, change: Change) -> bool:
        """Tell whether a selector of changes holds the whole of a change."""
        if self.kind is SelectorKind.RULE:
            return change.rule == self.value
        if self.kind is SelectorKind.PATH:
            return is_inside(change.path, self.path)
        return self.holds_file(change.source.file)

    def touches_change(self, change: Change) -> bool:
        """Tell whether a selector of changes holds a part of a change."""
        return self.holds_change(change) or (
            self.kind is SelectorKind.PATH and is_inside(self.path, change.path)
        )


@dataclass(frozen=True, slots=True)
class Targets:
    """What a run looks at: all that fits ``include``, except what fits ``exclude``.

    Several selectors of one kind add up, those of different kinds must all fit; without any, all
    fits. Selectors of ids and keys choose tasks, the others changes of tasks. With ``since``, only
    what is declared differently than at that revision fits.
    """

    include: tuple[Selector, ...] = ()
    exclude: tuple[Selector, ...] = ()
    since: Since | None = None

    @classmethod
    def parse(cls, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> Self:
        """Parse selectors, such as ``["101", "path:data.text"]``; raises ValueError."""
        given = ([one] if isinstance(one, str) else one for one in (include, exclude))
        included, excluded = (tuple(map(Selector.parse, texts)) for texts in given)
        return cls(included, excluded)

    def __bool__(self) -> bool:
        return bool(self.include or self.exclude or self.since)

    def __str__(self) -> str:
        options = [str(self.since)] if self.since else []
        options += [f"--target {one}" for one in self.include]
        return ", ".join([*options, *(f"--exclude {one}" for one in self.exclude)])

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """All selectors, those that exclude last."""
        return (*self.include, *self.exclude)

    def choose_alike(self, other: Targets) -> bool:
        """Tell whether other targets choose the same, in whatever order they were written."""
        has_same_since = (
            other.since is None if self.since is None else self.since.is_same_revision(other.since)
        )
        return (
            has_same_since
            and set(self.include) == set(other.include)
            and set(self.exclude) == set(other.exclude)
        )

    def holds_id(self, task: int) -> bool:
        """Tell whether the task with this id may be looked at, whatever its key."""
        included = [one for one in self.include if one.kind is SelectorKind.IDS]
        excluded = (one for one in self.exclude if one.kind is SelectorKind.IDS)
        return (not included or any(one.holds_id(task) for one in included)) and not any(
            one.holds_id(task) for one in excluded
        )

    def holds_task(self, task: int, key: TaskKey | None) -> bool:
        """Tell whether the task with this id and key is looked at; id 0 if it is not known."""
        return _fits(
            self,
            lambda one: one.holds_task(task, key),
            kinds=frozenset({SelectorKind.IDS, SelectorKind.KEY}),
        )

    def holds_unresolved(self, unresolved: UnresolvedKey) -> bool:
        """Tell whether a key that names no task is looked at: no id and no rule chooses it."""
        if self.since and not self.since.holds_unresolved(unresolved):
            return False
        if any(one.kind in {SelectorKind.IDS, SelectorKind.RULE} for one in self.include):
            return False
        in_file = _fits(
            self,
            lambda one: one.holds_file(unresolved.source.file),
            kinds=frozenset({SelectorKind.FILE}),
        )
        return in_file and self.holds_task(0, unresolved.key)

    def select(
        self, wanted: Mapping[int | None, Sequence[int]]
    ) -> Mapping[int | None, Sequence[int]]:
        """Select the ids that may be looked at from those of each project."""
        if self.since:
            differing = self.since.difference.tasks
            wanted = {p: [task for task in ids if task in differing] for p, ids in wanted.items()}
        elif not any(one.kind is SelectorKind.IDS for one in self.selectors):
            return wanted
        chosen = {project: [*filter(self.holds_id, ids)] for project, ids in wanted.items()}
        return {project: ids for project, ids in chosen.items() if ids}

    def seeks_key(self, project: int, key: TaskKey) -> bool:
        """Tell whether the task with a key must be found."""
        return self.since is None or self.since.difference.holds_key(project, key)

    def narrow(self, task: TaskPlan, live: Mapping[str, Side] | None = None) -> TaskPlan | None:
        """Keep the changes of a task that are looked at; None if nothing of it is.

        ``live`` is what the server has, if it is known: it shows the keys that the task holds.

        A task without changes, such as a missing one, has no paths: if it is looked at by id, key
        and file, it stays, except that a rule holds it only if it matches it. The files of a rule
        count as its own.
        """
        if not self.holds_task(task.task, task.key):
            return None
        differs = not self.since or self.since.difference.holds_task(task, live)
        if not task.changes:
            return task if self._holds_stopped(task) and (differs or self._governs(task)) else None
        kept = task.changes if differs else tuple(filter(self._is_of_rule, task.changes))
        changes = _keep_whole_rules(task, tuple(filter(self._holds_change, kept)))
        if len(changes) == len(task.changes):
            return task
        made = {change.rule for change in changes}
        rules = tuple(rule for rule in task.rules if rule.name in made)
        return replace(task.narrow(changes), rules=rules) if changes else None

    def _governs(self, task: TaskPlan) -> bool:
        return self.since is not None and self.since.difference.governs(task)

    def _is_of_rule(self, change: Change) -> bool:
        """Tell whether a rule that differs from that of the revision makes a change."""
        return self.since is not None and change.rule in self.since.difference.rules

    def _holds_change(self, change: Change) -> bool:
        included = _fits(
            replace(self, exclude=()), lambda one: one.holds_change(change), kinds=_OF_CHANGES
        )
        return included and not any(
            one.touches_change(change) for one in self.exclude if one.kind in _OF_CHANGES
        )

    def _holds_stopped(self, task: TaskPlan) -> bool:
        named = {rule.name for rule in task.rules}
        rules = [one for one in self.include if one.kind is SelectorKind.RULE]
        if rules and not any(one.value in named for one in rules):
            return False
        # Of two rules in conflict, each blocks the task, whichever file is looked at.
        files = {task.source.file, *(rule.source.file for rule in task.rules)}
        return any(map(self._holds_file, files))

    def _holds_file(self, file: str) -> bool:
        return _fits(self, lambda one: one.holds_file(file), kinds=frozenset({SelectorKind.FILE}))


def _keep_whole_rules(task: TaskPlan, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Leave out what a part of a rule would do, if the rule did not match any more after it."""
    kept = set(map(id, changes))
    torn = {change.rule for change in task.changes if id(change) not in kept}
    used_up = {
        rule.name
        for rule in task.rules
        if rule.name in torn
        and any(
            change.rule == rule.name and are_nested(change.path, condition.path)
            for change in changes
            for condition in rule.where
        )
    }
    return tuple(change for change in changes if change.rule not in used_up)


EVERYTHING: Final = Targets()
"""Nothing is left out."""

_OF_CHANGES: Final = frozenset({SelectorKind.RULE, SelectorKind.PATH, SelectorKind.FILE})


def _fits(
    targets: Targets, holds: Callable[[Selector], bool], *, kinds: Collection[SelectorKind]
) -> bool:
    """Tell whether something fits the selectors of some kinds."""
    if any(one.kind in kinds and holds(one) for one in targets.exclude):
        return False
    included: dict[SelectorKind, bool] = {}
    for one in targets.include:
        if one.kind in kinds:
            included[one.kind] = included.get(one.kind, False) or holds(one)
    return all(included.values())


@dataclass(slots=True)
class TargetTally:
    """Narrows the tasks of a run to its targets, and counts what that leaves out.

    ``tasks`` are the tasks that differ, and of which nothing is looked at; ``keys`` counts the keys
    without a task that are left out, and ``changes`` the changes of other tasks. ``matched`` are
    the selectors that some task or change fits.
    """

    targets: Targets
    tasks: set[int] = field(default_factory=set)
    keys: int = 0
    changes: int = 0
    matched: set[Selector] = field(default_factory=set)

    def narrow(
        self, differing: Iterable[tuple[TaskPlan, Observed]]
    ) -> Iterator[tuple[TaskPlan, Observed]]:
        """Yield what is looked at of each task."""
        if not self.targets:
            yield from differing
            return
        for planned, observed in differing:
            self._match(planned)
            live = observed.attributes if isinstance(observed, Found) else None
            narrowed = self.targets.narrow(planned, live)
            if narrowed is None:
                self.tasks.add(planned.task)
                continue
            self.changes += len(planned.changes) - len(narrowed.changes)
            yield narrowed, observed

    @property
    def seeks_ids(self) -> bool:
        """Whether a selector of ids is left that no task fits."""
        selectors = self.targets.selectors
        return any(one.kind is SelectorKind.IDS and one not in self.matched for one in selectors)

    def match_ids(self, tasks: Iterable[int]) -> None:
        """Note which selectors hold tasks that rules or keys govern, whether they differ or not."""
        left = [one for one in self.targets.selectors if one.kind is SelectorKind.IDS]
        for task in tasks:
            self.matched.update(one for one in left if one.holds_id(task))

    def narrow_keys(self, keys: Iterable[UnresolvedKey]) -> Iterator[UnresolvedKey]:
        """Yield the keys without a task that are looked at."""
        for unresolved in keys:
            file = unresolved.source.file
            for one in self.targets.selectors:
                if one.kind is SelectorKind.KEY and one.holds_task(0, unresolved.key):
                    self.matched.add(one)
                if one.kind is SelectorKind.FILE and one.holds_file(file):
                    self.matched.add(one)
            if self.targets.holds_unresolved(unresolved):
                yield unresolved
            else:
                self.keys += 1

    def _match(self, task: TaskPlan) -> None:
        for one in self.targets.selectors:
            if one not in self.matched and _matches_plan(one, task):
                self.matched.add(one)

    def list_unmatched(self, desired: DesiredTasks) -> list[Selector]:
        """List the selectors that nothing fits: no task, declaration or rule of the run.

        What is as declared fits too, so manifests are searched for selectors that no change fits.
        """
        left = [one for one in self.targets.selectors if one not in self.matched]
        left = [one for one in left if not any(_matches_rule(one, rule) for rule in desired.rules)]
        ids = (task for found in desired.group_by_project().values() for task in found)
        for task in ids if left else ():
            left = [
                one for one in left if one.kind is not SelectorKind.IDS or not one.holds_id(task)
            ]
            left = _list_unfit(left, desired, task)
            if not left:
                return []
        for project, key in _iterate_keys(desired) if left else ():
            left = _list_unfit(left, desired, 0, key, project=project)
            if not left:
                return []
        return left


def _iterate_keys(desired: DesiredTasks) -> Iterator[tuple[int, TaskKey]]:
    """Yield the keys with their projects."""
    return (
        (group.project, TaskKey(group.path, key))
        for group in desired.list_key_groups()
        for key in group.keys
    )


def _list_unfit(
    left: list[Selector],
    desired: DesiredTasks,
    task: int,
    *keys: TaskKey,
    project: int | None = None,
) -> list[Selector]:
    """List the selectors that a declaration does not fit; it is built only if that matters."""
    if all(one.kind in {SelectorKind.IDS, SelectorKind.RULE} for one in left):
        return left
    declared = desired.build(task, keys, project)
    return [
        one for one in left if one.kind is SelectorKind.IDS or not _matches_desired(one, declared)
    ]


def describe_targets(targets: Targets, tasks: int, changes: int) -> str:
    """Say what a run looked at, and how many tasks and changes it left out; empty for all."""
    if not targets:
        return ""
    left = [count_noun(tasks, "task")] if tasks else []
    others = " of the others" if tasks else ""
    left += [f"{count_noun(changes, 'change')}{others}"] if changes else []
    unread = targets.since.describe_unread() if targets.since else ""
    rest = " and ".join([*left, *filter(None, [unread])]) or "nothing that differs"
    gone = targets.since.describe_gone() if targets.since else ""
    said = f"Targets: {targets}. Left out: {rest}.{gone and f' {gone}'}"
    return escape_invisible(said)


def _matches_plan(one: Selector, task: TaskPlan) -> bool:
    if one.chooses_tasks:
        return one.holds_task(task.task, task.key)
    if one.kind is SelectorKind.RULE and any(rule.name == one.value for rule in task.rules):
        return True
    if one.kind is SelectorKind.FILE and one.holds_file(task.source.file):
        return True
    return any(one.holds_change(change) for change in task.changes)


def _matches_rule(one: Selector, rule: Rule) -> bool:
    if one.kind is SelectorKind.RULE:
        return rule.name == one.value
    if one.kind is SelectorKind.FILE:
        return one.holds_file(rule.ref.source.file)
    return one.kind is SelectorKind.PATH and any(
        is_inside(path, one.path) for path in rule.list_paths()
    )


def _matches_desired(one: Selector, desired: DesiredTask) -> bool:
    if one.chooses_tasks:
        return one.holds_task(desired.id, desired.key)
    if one.kind is SelectorKind.RULE:
        return False
    if one.kind is SelectorKind.FILE:
        return any(one.holds_file(file) for file in _list_files(desired))
    is_absent = any(is_inside(path, one.path) for path in desired.absent)
    return is_absent or _declares(desired, one.path)


def _declares(desired: DesiredTask, path: Path) -> bool:
    value: object = desired.attributes
    for step in path:
        if not isinstance(value, Mapping) or step not in value:
            return False
        value = value[step]
    return True


def _list_files(desired: DesiredTask) -> set[str]:
    """Name the files that declare the attributes of a task."""
    places = desired.places
    files = {places.source_of((name,)).file for name in desired.names()}
    return files | {places.source.file} | {places.source_of(path).file for path in desired.absent}


def _parse_ids(text: str, first: str, last: str | None) -> tuple[int, int]:
    ids = int(first), int(last or first)
    if not 1 <= ids[0] <= ids[1]:
        raise ValueError(f"expected ids from 1 in ascending order, found {text!r}")
    return ids


def _parse_path(text: str) -> Path:
    try:
        return parse_path(text)
    except ValueError:
        raise ValueError(f"expected a path such as path:data.text, found {text!r}") from None


def _normalize(file: str) -> str:
    """Write a file name without the ``./`` that a shell may have put before it."""
    while file.startswith("./"):
        file = file[2:].lstrip("/")
    return file


@lru_cache(maxsize=65_536)
def _fits_glob(glob: str, file: str) -> bool:
    """Match a file: ``*`` stays in a folder, ``**`` is any folders, a folder holds its files."""
    steps = _normalize(glob).rstrip("/").split("/")
    reached = _skip_folders({0}, steps)
    for part in _normalize(file).split("/"):
        if len(steps) in reached:
            return True
        next_steps = {n + 1 for n in reached if fnmatchcase(part, steps[n])}
        staying = {n for n in reached if steps[n] == _ANY_FOLDERS}
        reached = _skip_folders(next_steps | staying, steps)
    return len(steps) in reached


def _skip_folders(reached: set[int], steps: Sequence[str]) -> set[int]:
    """Add the steps that are reached because ``**`` may be no folder at all."""
    found = set(reached)
    for number, step in enumerate(steps):
        if number in found and step == _ANY_FOLDERS:
            found.add(number + 1)
    return found


def describe_unmatched(unmatched: Sequence[Selector], targets: Targets) -> str:
    """Name the selectors that nothing fits."""
    named = [f"{'--target' if one in targets.include else '--exclude'} {one}" for one in unmatched]
    return escape_invisible(f"{', '.join(named)}: no declared task or rule fits")
