"""Changes of many tasks, grouped by what they mean: one path, one effect, whatever was there.

Every output format shows these groups. A plan with a few intentions has a few groups, however
many tasks it changes.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple, Protocol, TypeAlias

from reconciler.core.contrast import count_common_ends
from reconciler.core.encoding import encode
from reconciler.core.model import Change, TaskKey
from reconciler.core.paths import Path
from reconciler.core.plan_model import Plan, Status
from reconciler.core.values import ABSENT, Redacted, Side, box
from reconciler.errors import Source

EXAMPLES: Final = 2
"""Changes of a group that are kept as examples, unless a format asks for more."""

_FEW: Final = 2
"""Different effects of one path that are groups of their own, however small."""

GROUPS_MAX: Final = 6
"""Groups of one path and rule; smaller ones become one group that changes differently."""

_PART_MAX: Final = 200
"""Characters of a replaced part of text: longer ones are not the same in many tasks."""


class Effect(StrEnum):
    """What the changes of a group have in common."""

    ADD = "add"
    REMOVE = "remove"
    SET = "set"
    REPLACE = "replace"
    VARY = "vary"


_PAST: Final = {Effect.REMOVE: "removed", Effect.SET: "changed", Effect.ADD: "added"}


class TextEdit(NamedTuple):
    """A part of strings that is replaced: ``old`` by ``new``, behind ``start``."""

    start: str
    old: str
    new: str


class ChangedTask(Protocol):
    """A task of a plan, or of a report, with what is changed in it."""

    @property
    def task(self) -> int:
        """Its id."""
        ...

    @property
    def key(self) -> TaskKey | None:
        """The key that named it."""
        ...

    @property
    def changes(self) -> tuple[Change, ...]:
        """What is changed."""
        ...


class Example(NamedTuple):
    """One change of a group, with its task."""

    task: int
    key: TaskKey | None
    change: Change


@dataclass(frozen=True, slots=True)
class Spread:
    """The values on one side of the changes of a group.

    ``count`` is how many different ones there are, ``first`` is one of them, and ``lowest`` and
    ``highest`` are the bounds if all are numbers.
    """

    count: int
    first: Side
    lowest: float | None = None
    highest: float | None = None


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Changes of one path with the same effect.

    ``tasks`` are the ids in ascending order, one for each change. ``rule`` is the name of the rule
    that makes the changes, empty if tasks declare them. ``edit`` is what REPLACE does. ``sources``
    counts the places that declare the changes; ``source`` is the first. ``blocked`` counts the
    tasks that a plan does not change, as they are blocked.
    """

    path: Path
    effect: Effect
    tasks: Sequence[int]
    before: Spread
    after: Spread
    examples: tuple[Example, ...]
    source: Source
    sources: int
    rule: str = ""
    edit: TextEdit | None = None
    blocked: int = 0

    def __len__(self) -> int:
        return len(self.tasks)

    @property
    def simple_effect(self) -> Effect:
        """Whether the changes ADD, REMOVE or SET a value."""
        if self.after.first is ABSENT:
            return Effect.REMOVE
        return Effect.ADD if self.before.first is ABSENT else Effect.SET


_Kind: TypeAlias = tuple[Path, str, bool, bool]
"""The path and the rule of changes, and whether they add or remove the value."""


def group_changes(
    tasks: Iterable[ChangedTask], examples: int = EXAMPLES
) -> tuple[ChangeGroup, ...]:
    """Group the changes of tasks, the riskiest and the largest groups first.

    Removals come first. ``tasks`` are in order of id, and groups keep the first ``examples``. Time
    and memory grow with the changes, and no value is copied.
    """
    collected: dict[_Kind, list[Example]] = defaultdict(list)
    for task in tasks:
        for change in task.changes:
            kind = (change.path, change.rule, change.before is ABSENT, change.after is ABSENT)
            collected[kind].append(Example(task.task, task.key, change))
    groups: list[ChangeGroup] = []
    for members in collected.values():
        if len(members) == 1:
            groups.append(_make_single(members[0]))
        else:
            groups += _split(members, examples)
    return tuple(sorted(groups, key=_rank))


def group_plan(plan: Plan, examples: int = EXAMPLES) -> tuple[ChangeGroup, ...]:
    """Group the changes of a plan; see `group_changes`. Those of blocked tasks are counted, too."""
    groups = group_changes(plan.tasks, examples)
    blocked = {task.task for task in plan.tasks if task.status is not Status.UPDATE}
    if blocked.isdisjoint(task for group in groups for task in group.tasks):
        return groups
    return tuple(
        replace(group, blocked=sum(task in blocked for task in group.tasks)) for group in groups
    )


def count_blocked(groups: Iterable[ChangeGroup]) -> Counter[Path]:
    """Count the changes of blocked tasks by path."""
    counted: Counter[Path] = Counter()
    for group in groups:
        counted[group.path] += group.blocked
    return counted


def describe_blocked(blocked: int, count: int) -> str:
    """Write that some of the tasks of a group, or all, are blocked; empty for none."""
    if not blocked:
        return ""
    return f" ({blocked:,} blocked)" if blocked < count else " (blocked)"


def count_paths(groups: Iterable[ChangeGroup]) -> dict[Path, dict[Effect, int]]:
    """Count the changes by path, and by whether they add, remove or replace a value (SET)."""
    counted: dict[Path, dict[Effect, int]] = {}
    for group in groups:
        by_effect = counted.setdefault(group.path, dict.fromkeys(_PAST, 0))
        by_effect[group.simple_effect] += len(group)
    return dict(sorted(counted.items(), key=lambda item: (-sum(item[1].values()), item[0])))


def describe_counts(counts: Mapping[Effect, int], blocked: int = 0) -> str:
    """Write ``3 removed, 1 changed``, and how many of these changes are of blocked tasks."""
    written = ", ".join(f"{count:,} {_PAST[one]}" for one, count in counts.items() if count)
    return written + describe_blocked(blocked, sum(counts.values()))


def _rank(group: ChangeGroup) -> tuple[bool, int, Path, str, int]:
    return (
        group.effect is not Effect.REMOVE,
        -len(group.tasks),
        group.path,
        group.rule,
        group.tasks[0],
    )


def _split(members: list[Example], examples: int) -> Iterator[ChangeGroup]:
    """Split the changes of one path and rule by effect, into at most `GROUPS_MAX` groups."""
    first = members[0].change
    if first.after is ABSENT:
        yield _make_group(Effect.REMOVE, members, examples)
        return
    by_value = _bucket_by_value(members)
    effect = Effect.ADD if first.before is ABSENT else Effect.SET
    by_edit = _bucket_by_edit(members) if len(by_value) > 1 and effect is Effect.SET else None
    if by_edit and len(by_edit) < len(by_value):
        buckets = [(edit, found) for edit, found in by_edit.items()]
    else:
        buckets = [(None, found) for found in by_value.values()]
    buckets.sort(key=lambda bucket: -len(bucket[1]))
    few = len(buckets) <= _FEW
    kept = [b for b in buckets[:GROUPS_MAX] if few or len(b[1]) > 1]
    for edit, found in kept:
        if edit:
            yield _make_group(Effect.REPLACE, found, examples, _complete_step(edit, found))
        else:
            yield _make_group(effect, found, examples)
    rest = sorted(
        (one for _, found in buckets[len(kept) :] for one in found), key=lambda one: one.task
    )
    if rest:
        yield _make_group(Effect.VARY if len(rest) > 1 else effect, rest, examples)


def _bucket_by_value(members: Iterable[Example]) -> dict[bytes, list[Example]]:
    """Collect the changes that end with the same value."""
    found: dict[bytes, list[Example]] = defaultdict(list)
    for member in members:
        found[encode(box(member.change.after))].append(member)
    return found


def _bucket_by_edit(members: Iterable[Example]) -> dict[TextEdit | None, list[Example]] | None:
    """Collect the changes that replace the same part of a string; None if one is no string."""
    found: dict[TextEdit | None, list[Example]] = defaultdict(list)
    for member in members:
        edit = find_edit(member.change.before, member.change.after)
        if edit is None:
            return None
        found[edit].append(member)
    return found


def find_edit(before: Side, after: Side) -> TextEdit | None:
    """Return the part of a string that differs; None for other values, and for a long part."""
    if not (isinstance(before, str) and isinstance(after, str)):
        return None
    if isinstance(before, Redacted) or isinstance(after, Redacted):
        return None
    start, end = count_common_ends(before, after)
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if max(start, len(old), len(new)) > _PART_MAX:
        return None
    return TextEdit(before[:start], old, new)


def _complete_step(edit: TextEdit, members: Sequence[Example]) -> TextEdit:
    """Lengthen an edit to the end of a step of the address, if that is the same in all tasks.

    Then ``"s3://old-photos/"`` becomes ``"s3://photos/"``, and not ``"s3://old-"`` ``"s3://"``.
    """
    begin = len(edit.start) + len(edit.new)
    rests = [str(member.change.after)[begin:] for member in members]
    lowest, highest = min(rests), max(rests)
    common = next((n for n, c in enumerate(lowest) if c != highest[n]), len(lowest))
    step = lowest[: lowest.rfind("/", 0, min(common, _PART_MAX)) + 1]
    return TextEdit(edit.start, edit.old + step, edit.new + step)


def _make_group(
    effect: Effect, members: Sequence[Example], examples: int, edit: TextEdit | None = None
) -> ChangeGroup:
    first = members[0].change
    sources = {member.change.source for member in members}
    return ChangeGroup(
        first.path,
        effect,
        array("q", (member.task for member in members)),
        _measure(member.change.before for member in members),
        _measure(member.change.after for member in members),
        tuple(members[:examples]),
        min(sources),
        len(sources),
        first.rule,
        edit,
    )


def _make_single(member: Example) -> ChangeGroup:
    """Make the group of one change: a plan may have a hundred thousand of them."""
    change = member.change
    effect = Effect.ADD if change.before is ABSENT else Effect.SET
    if change.after is ABSENT:
        effect = Effect.REMOVE
    return ChangeGroup(
        change.path,
        effect,
        (member.task,),
        _measure((change.before,)),
        _measure((change.after,)),
        (member,),
        change.source,
        1,
        change.rule,
    )


def _measure(values: Iterable[Side]) -> Spread:
    """Count different values, and find the bounds of numbers."""
    if isinstance(values, tuple) and len(values) == 1 and not isinstance(values[0], int | float):
        return Spread(1, values[0])
    different: set[bytes] = set()
    first: Side = ABSENT
    lowest = highest = None
    are_numbers = True
    for number, value in enumerate(values):
        if not number:
            first = value
        different.add(encode(box(value)))
        if isinstance(value, int | float) and not isinstance(value, bool):
            lowest = value if lowest is None else min(lowest, value)
            highest = value if highest is None else max(highest, value)
        else:
            are_numbers = False
    bounds = (lowest, highest) if are_numbers else (None, None)
    return Spread(len(different), first, *bounds)
