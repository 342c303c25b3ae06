"""Rules whose results other rules could match: one apply would then not be enough.

The verdict errs to one side: a chain may be found where no task of any project would show one, but
none is overlooked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from reconciler.contract.attributes import Attributes
from reconciler.core.conditions import Condition, Operator, ValueTest, compile_tests
from reconciler.core.edit import get_value
from reconciler.core.notation import Path
from reconciler.core.rule import Rewrite, Rule
from reconciler.core.values import ABSENT, Json, Side, is_same

Chain: TypeAlias = tuple[Path, Rule, Condition | None]
"""A path that a rule writes, and the rule that could match the result there, by a condition or, if
None, by the prefix of a rewrite."""


COMPARISONS_MAX: Final = 1_000_000
"""Comparisons of what one rule writes with what another reads, in a run: a few seconds."""


class TooManyComparisonsError(Exception):
    """The rules read and write the same paths so often that comparing them would take too long."""


def find_chains(
    rules: Sequence[Rule], attributes: Attributes
) -> Iterator[tuple[Rule, Iterator[Chain]]]:
    """Yield each rule with the chains that begin with it, one for each other rule.

    Iterating over the chains raises TooManyComparisonsError beyond `COMPARISONS_MAX`.
    """
    left = iter(range(COMPARISONS_MAX))
    by_project: dict[int, list[Rule]] = {}
    for rule in rules:
        by_project.setdefault(rule.ref.project, []).append(rule)
    for group in by_project.values():
        if len(group) > 1:
            index = _ReadIndex(group, attributes, left)
            for rule in group:
                yield rule, index.find_chains(rule)


Judge: TypeAlias = Callable[[Side], bool]


class _Write(NamedTuple):
    """What a rule does at one path.

    ``begins`` is how the result begins if it is a rewritten string, of which no more is known.
    """

    path: Path
    value: Side
    begins: str | None = None


class _Read(NamedTuple):
    """A condition or a rewrite of a rule; ``judge`` judges a value by the condition."""

    rule: Rule
    condition: Condition | None
    judge: Judge
    rewrite: Rewrite | None


class _ReadIndex:
    """What the rules of one project read, by path."""

    def __init__(self, rules: Sequence[Rule], attributes: Attributes, left: Iterator[int]) -> None:
        self._left = left
        self._at: dict[Path, list[_Read]] = {}
        self._inside: dict[Path, list[_Read]] = {}
        self._conditions: dict[int, dict[Path, _Read]] = {}
        self._written = {id(rule): _list_around(rule.list_paths()) for rule in rules}
        self._writes = {id(rule): frozenset(rule.list_paths()) for rule in rules}
        for rule in rules:
            reads = self._conditions[id(rule)] = {
                condition.path: _Read(rule, condition, _compile(condition, attributes), None)
                for condition in rule.ref.where
            }
            for path, read in reads.items():
                self._add(path, read)
            for rewrite in rule.rewrites:
                self._add(rewrite.path, _Read(rule, None, bool, rewrite))

    def _add(self, path: Path, read: _Read) -> None:
        self._at.setdefault(path, []).append(read)
        for length in range(1, len(path)):
            self._inside.setdefault(path[:length], []).append(read)

    def find_chains(self, rule: Rule) -> Iterator[Chain]:
        """Yield the chains that begin with a rule, one for each other rule."""
        seen = {id(rule)}
        for write in _iterate_writes(rule):
            for read in self._iterate_reads(write.path):
                if next(self._left, None) is None:
                    raise TooManyComparisonsError
                if id(read.rule) in seen or not _may_match(write, read):
                    continue
                seen.add(id(read.rule))
                if not self._are_disjoint(rule, read.rule):
                    yield write.path, read.rule, read.condition

    def _iterate_reads(self, path: Path) -> Iterator[_Read]:
        """Yield what is read at a path, around it and inside it."""
        for length in range(1, len(path) + 1):
            yield from self._at.get(path[:length], ())
        yield from self._inside.get(path, ())

    def _are_disjoint(self, left: Rule, right: Rule) -> bool:
        """Tell whether no task can match both rules, before and after either."""
        mine, theirs = self._conditions[id(left)], self._conditions[id(right)]
        return any(
            (_excludes(mine[path], theirs[path]) or _excludes(theirs[path], mine[path]))
            and not self._is_written(left, path)
            and not self._is_written(right, path)
            for path in mine
            if path in theirs
        )

    def _is_written(self, rule: Rule, path: Path) -> bool:
        """Tell whether a rule writes a path, something inside it or around it."""
        writes = self._writes[id(rule)]
        around = (path[:length] for length in range(1, len(path) + 1))
        return path in self._written[id(rule)] or any(parent in writes for parent in around)


def _compile(condition: Condition, attributes: Attributes) -> Judge:
    attribute = attributes.get(condition.path[0])
    is_instant = len(condition.path) == 1 and attribute is not None and attribute.is_date_time
    return compile_tests(condition.tests, is_instant=is_instant)


def _list_around(paths: Iterable[Path]) -> frozenset[Path]:
    """List the paths around some paths."""
    return frozenset(path[:length] for path in paths for length in range(1, len(path)))


def _excludes(left: _Read, right: _Read) -> bool:
    """Tell whether no value that one condition looks for satisfies the other, on the same path."""
    for test in left.condition.tests if left.condition else ():
        if test.operator is Operator.EQUALS and isinstance(test.operand, tuple):
            return not any(map(right.judge, test.operand))
        if test.operator is Operator.EXISTS and not test.operand:
            return not right.judge(ABSENT)
    return False


def _iterate_writes(rule: Rule) -> Iterator[_Write]:
    for path, value in rule.values.items():
        yield _Write(path, value)
    for path in rule.absent:
        yield _Write(path, ABSENT)
    for rewrite in rule.rewrites:
        yield _Write(rewrite.path, rewrite.to, rewrite.to)


def _may_match(write: _Write, read: _Read) -> bool:
    if read.rewrite is not None:
        return _may_rewrite(write, read.rewrite)
    assert read.condition is not None  # noqa: S101 - for type checkers
    path, tests = read.condition.path, read.condition.tests
    if len(path) < len(write.path):
        return _may_match_around(write, path, tests)
    if write.begins is not None:
        # A string has no keys: what is inside it did not exist before, either.
        return len(path) == len(write.path) and may_begin(tests, write.begins, is_new=True)
    return read.judge(write.value if len(path) == len(write.path) else ABSENT)


def _may_rewrite(write: _Write, rewrite: Rewrite) -> bool:
    if rewrite.path != write.path:
        return False
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
