"""Rules whose results other rules could match: one apply would then not be enough.

The verdict errs to one side: a chain may be found where no task of any project would show one, but
none is overlooked. That holds for rules that read what only manifests change; `rule_checks` refuses
conditions on what every update changes.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import Final, NamedTuple, TypeAlias

from reconciler.contract.attributes import Attributes
from reconciler.core.conditions import (
    Condition,
    Operator,
    ValueTest,
    compile_tests,
    parse_instant,
)
from reconciler.core.paths import Path, get_value, iterate_around
from reconciler.core.rule import Rewrite, Rule
from reconciler.core.values import ABSENT, Json, NoValue, Side, is_same

STEPS_MAX: Final = 5_000_000
"""How many values and conditions are compared to find the chains of a run: some seconds."""

Chain: TypeAlias = tuple[Path, Rule, Condition | None]
"""A path that a rule writes, and the rule that could match the result there, by a condition or, if
None, by the prefix of a rewrite."""


class TooManyStepsError(Exception):
    """To find the chains of a run would take more than ``STEPS_MAX`` steps."""


class _Steps:
    """Counts the steps of a run."""

    def __init__(self) -> None:
        self._left = STEPS_MAX

    def take(self, count: int) -> None:
        """Count steps; raises TooManyStepsError."""
        self._left -= count
        if self._left < 0:
            raise TooManyStepsError


def find_chains(
    rules: Sequence[Rule], attributes: Attributes
) -> Iterator[tuple[Rule, Iterator[Chain]]]:
    """Yield each rule with the chains that begin with it, one for each other rule.

    To iterate over the chains raises TooManyStepsError.
    """
    steps = _Steps()
    by_project: dict[int, list[Rule]] = {}
    for rule in rules:
        by_project.setdefault(rule.ref.project, []).append(rule)
    for group in by_project.values():
        if len(group) > 1:
            index = _ReadIndex(group, attributes, steps)
            for number, rule in enumerate(group):
                yield rule, index.find_chains(number)


Judge: TypeAlias = Callable[[Side], bool]


class _Write(NamedTuple):
    """What a rule does at one path.

    ``begins`` is how the result begins if it is a rewritten string, of which no more is known.
    """

    path: Path
    value: Side
    begins: str | None = None


class _Read:
    """A condition of a rule, by its number; ``judge`` judges a value by it."""

    def __init__(self, number: int, condition: Condition, attributes: Attributes) -> None:
        attribute = attributes.get(condition.path[0])
        self.number = number
        self.condition = condition
        self.is_instant = (
            len(condition.path) == 1 and attribute is not None and attribute.is_date_time
        )
        self.judge: Judge = compile_tests(condition.tests, is_instant=self.is_instant)
        self.wanted = _list_wanted(condition.tests)
        self.cost = 1 + len(self.wanted or ())

    @cached_property
    def possible(self) -> dict[Hashable, Side] | None:
        """The values that pass all tests, each by a text or number of its own; None if endless."""
        if self.wanted is None:
            return None
        passing = filter(self.judge, self.wanted)
        return {_identify(value, is_instant=self.is_instant): value for value in passing}

    def may_match(self, write: _Write, steps: _Steps) -> bool:
        """Tell whether the condition may hold because of what a rule writes."""
        path, tests = self.condition.path, self.condition.tests
        if len(path) < len(write.path):
            steps.take(self.cost)
            return _may_match_around(write, path, tests)
        if write.begins is not None:
            # A string has no keys: what is inside it did not exist before, either.
            return len(path) == len(write.path) and self._may_begin(write.begins)
        value = write.value if len(path) == len(write.path) else ABSENT
        if value is not ABSENT and type(value) not in {str, int, float}:
            steps.take(self.cost)
        return self.judge(value)

    def _may_begin(self, beginning: str) -> bool:
        if self._strings is None:
            return may_begin(self.condition.tests, beginning, is_new=True)
        at = bisect_left(self._strings, beginning)
        return at < len(self._strings) and self._strings[at].startswith(beginning)

    @cached_property
    def _strings(self) -> list[str] | None:
        """The strings that the condition looks for, in order; None if they are endless."""
        if self.possible is None:
            return None
        return sorted(value for value in self.possible.values() if isinstance(value, str))


def _list_wanted(tests: Sequence[ValueTest]) -> tuple[Side, ...] | None:
    """List the values of which one must be found; None if there is no such list."""
    for test in tests:
        if test.operator is Operator.EQUALS and isinstance(test.operand, tuple):
            return test.operand
        if test.operator is Operator.EXISTS and not test.operand:
            return (ABSENT,)
    return None


def _identify(value: Side, *, is_instant: bool) -> Hashable:
    """Return the same for values that are the same, and different for others."""
    if is_instant:
        return parse_instant(value)
    if isinstance(value, str | NoValue):
        return value
    return "json", json.dumps(unify_numbers(value), sort_keys=True)


def unify_numbers(value: Json) -> Json:
    """Write numbers that are the same in the same way, inside lists and objects, too."""
    if isinstance(value, float) and value.is_integer():
        return int(Decimal(repr(value)))
    if isinstance(value, list):
        return [unify_numbers(inner) for inner in value]
    if isinstance(value, dict):
        return {key: unify_numbers(inner) for key, inner in value.items()}
    return value


class _Lookers:
    """The conditions on one path; ``at`` has those that look for a value, as bits by number."""

    def __init__(self) -> None:
        self.at: dict[Hashable, int] = {}
        self.finite: dict[int, _Read] = {}
        self.endless: dict[int, _Read] = {}
        self._finite = 0

    def add(self, read: _Read) -> None:
        if read.possible is None:
            self.endless[read.number] = read
            return
        self.finite[read.number] = read
        self._finite |= 1 << read.number
        for value in read.possible:
            self.at[value] = self.at.get(value, 0) | 1 << read.number

    def list_disjoint(self, read: _Read) -> int:
        """Return the rules that look for none of the values that a condition looks for, as bits."""
        found = 0
        for value in read.possible or ():
            found |= self.at[value]
        return 0 if read.possible is None else self._finite & ~found


class _Disjointness:
    """Which rules of one project cannot match the same task, before and after any rule.

    That is known of rules with conditions on a path that no rule of the project changes, if no
    value there passes both.
    """

    def __init__(self, rules: Sequence[Rule], reads: Sequence[Sequence[_Read]]) -> None:
        written = [path for rule in rules for path in rule.list_paths()]
        self._around = _list_around(written)
        self._written = frozenset(written)
        self._lookers: dict[Path, _Lookers] = {}
        self._reads = [
            [read for read in own if not self._is_written(read.condition.path)] for own in reads
        ]
        for own in self._reads:
            for read in own:
                self._lookers.setdefault(read.condition.path, _Lookers()).add(read)
        self._disjoint: dict[int, int] = {}

    def holds(self, left: int, right: int, steps: _Steps) -> bool:
        """Tell whether no task can match both rules."""
        return bool(self._list_disjoint(left) >> right & 1) or any(
            self._excludes(read, right, steps) for read in self._reads[left]
        )

    def _list_disjoint(self, number: int) -> int:
        found = self._disjoint.get(number)
        if found is None:
            found = 0
            for read in self._reads[number]:
                found |= self._lookers[read.condition.path].list_disjoint(read)
            self._disjoint[number] = found
        return found

    def _excludes(self, left: _Read, number: int, steps: _Steps) -> bool:
        """Tell whether the values that one condition looks for fail the other, on its path."""
        steps.take(1)
        lookers = self._lookers[left.condition.path]
        if left.possible is not None:
            right = lookers.endless.get(number)
            return right is not None and _fail(left.possible.values(), right.judge, steps)
        other = lookers.finite.get(number)
        return other is not None and _fail((other.possible or {}).values(), left.judge, steps)

    def _is_written(self, path: Path) -> bool:
        """Tell whether a rule writes a path, something inside it or around it."""
        around = iterate_around(path)
        return path in self._around or any(outer in self._written for outer in around)


def _fail(values: Iterable[Side], judge: Judge, steps: _Steps) -> bool:
    """Tell whether all values fail."""
    for value in values:
        steps.take(1)
        if judge(value):
            return False
    return True


class _ReadIndex:
    """What the rules of one project read, by path."""

    def __init__(self, rules: Sequence[Rule], attributes: Attributes, steps: _Steps) -> None:
        self._rules = rules
        self._steps = steps
        self._at: dict[Path, list[_Read]] = {}
        self._inside: dict[Path, list[_Read]] = {}
        self._rewrites: dict[Path, list[tuple[int, Rewrite]]] = {}
        reads = [
            [_Read(number, condition, attributes) for condition in rule.ref.where]
            for number, rule in enumerate(rules)
        ]
        for read in chain.from_iterable(reads):
            self._add(read.condition.path, read)
        for number, rule in enumerate(rules):
            for rewrite in rule.rewrites:
                self._rewrites.setdefault(rewrite.path, []).append((number, rewrite))
        self._disjointness = _Disjointness(rules, reads)

    def _add(self, path: Path, read: _Read) -> None:
        self._at.setdefault(path, []).append(read)
        for outer in iterate_around(path[:-1]):
            self._inside.setdefault(outer, []).append(read)

    def find_chains(self, number: int) -> Iterator[Chain]:
        """Yield the chains that begin with a rule, one for each other rule."""
        seen = {number}
        for write in _iterate_writes(self._rules[number]):
            for other, condition in self._iterate_matching(write, seen):
                seen.add(other)
                if not self._disjointness.holds(number, other, self._steps):
                    yield write.path, self._rules[other], condition

    def _iterate_matching(
        self, write: _Write, seen: Container[int]
    ) -> Iterator[tuple[int, Condition | None]]:
        """Yield the rules that may match what is written, with the condition or None."""
        for read in self._iterate_reads(write.path):
            self._steps.take(1)
            if read.number not in seen and read.may_match(write, self._steps):
                yield read.number, read.condition
        for number, rewrite in self._rewrites.get(write.path, ()):
            self._steps.take(1)
            if number not in seen and _may_rewrite(write, rewrite):
                yield number, None

    def _iterate_reads(self, path: Path) -> Iterator[_Read]:
        """Yield what is read at a path, around it and inside it."""
        for outer in iterate_around(path):
            yield from self._at.get(outer, ())
        yield from self._inside.get(path, ())


def _list_around(paths: Iterable[Path]) -> frozenset[Path]:
    """List the paths around some paths."""
    return frozenset(outer for path in paths for outer in iterate_around(path[:-1]))


def _iterate_writes(rule: Rule) -> Iterator[_Write]:
    for path, value in rule.values.items():
        yield _Write(path, value)
    for path in rule.absent:
        yield _Write(path, ABSENT)
    for rewrite in rule.rewrites:
        yield _Write(rewrite.path, rewrite.to, rewrite.to)


def _may_rewrite(write: _Write, rewrite: Rewrite) -> bool:
    if write.begins is not None:
        return write.begins.startswith(rewrite.prefix) or rewrite.prefix.startswith(write.begins)
    return isinstance(write.value, str) and write.value.startswith(rewrite.prefix)


def _may_match_around(write: _Write, path: Path, tests: Sequence[ValueTest]) -> bool:
    """Tell whether an object may pass the tests because something inside it is written."""
    keys = write.path[len(path) :]
    for test in tests:
        match test.operator:
            case Operator.EQUALS if isinstance(test.operand, tuple):
                return any(_holds_result(value, keys, write) for value in test.operand)
            case Operator.NOT:
                continue
            case Operator.EXISTS if test.operand:
                # The object is made if it does not exist; an attribute always does.
                if len(tests) == 1:
                    return len(path) > 1 and write.value is not ABSENT and write.begins is None
            case _:
                return False
    return True


def _holds_result(value: Json, keys: Path, write: _Write) -> bool:
    found = get_value({"": value}, ("", *keys))
    if write.begins is not None:
        return isinstance(found, str) and found.startswith(write.begins)
    return isinstance(value, dict) and is_same(found, write.value)


def may_begin(tests: Sequence[ValueTest], beginning: str, *, is_new: bool = False) -> bool:
    """Tell whether a string that begins with ``beginning`` may pass all tests.

    With ``is_new``, whether it may pass although another string did not.
    """
    if is_new and all(test.operator is Operator.EXISTS for test in tests):
        return False
    return all(_may_begin_one(test, beginning) for test in tests)


def _may_begin_one(test: ValueTest, beginning: str) -> bool:
    operand = test.operand
    match test.operator:
        case Operator.EQUALS if isinstance(operand, tuple):
            return any(isinstance(v, str) and v.startswith(beginning) for v in operand)
        case Operator.PREFIX:
            prefix = str(operand)
            return prefix.startswith(beginning) or beginning.startswith(prefix)
        case Operator.EXISTS:
            return bool(operand)
        case Operator.NOT | Operator.CONTAINS:
            return True
    return isinstance(operand, str)
