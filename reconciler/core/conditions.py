"""Conditions on a task: data that rules store, and compiled predicates that judge a task by them.

A condition names a path and tests of its value; all of them must hold. A path that does not exist
satisfies only ``exists: false``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias

from reconciler.contract.attributes import Attributes
from reconciler.contract.date_time import parse_date_time
from reconciler.core.notation import format_path, format_value
from reconciler.core.paths import Path, get_value
from reconciler.core.values import ABSENT, UNREADABLE, Json, Side, is_same

Predicate: TypeAlias = Callable[[Mapping[str, Side]], bool]
"""Judges the attributes of one task."""


class Operator(StrEnum):
    """What a test does with a value, as written in ``where``."""

    EQUALS = "equals"
    NOT = "not"
    EXISTS = "exists"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    PREFIX = "prefix"
    CONTAINS = "contains"


ORDERING: Final = frozenset({Operator.GT, Operator.GTE, Operator.LT, Operator.LTE})
"""Operators for numbers and date-times."""


@dataclass(frozen=True, slots=True)
class ValueTest:
    """One operator and its operand.

    The operand of EQUALS and NOT is a tuple of values: any of them, or none of them. That of
    EXISTS is a boolean, that of PREFIX and CONTAINS a string, and that of the others a number or a
    date-time as text.
    """

    operator: Operator
    operand: Json | tuple[Json, ...] = field(repr=False)

    __hash__ = None  # type: ignore[assignment] # an operand may be a list or an object


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of the value at ``path``."""

    path: Path
    tests: tuple[ValueTest, ...]


class UnreadableConditionError(Exception):
    """The task lacks an attribute that a condition reads, so it cannot be judged."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def compile_conditions(conditions: Sequence[Condition], attributes: Attributes) -> Predicate:
    """Compile conditions into one predicate: all must hold; without conditions, every task does.

    The predicate raises UnreadableConditionError if the task lacks an attribute that it reads.
    """
    compiled = tuple(_compile_condition(condition, attributes) for condition in conditions)
    if len(compiled) == 1:
        return compiled[0]

    def judge(task: Mapping[str, Side]) -> bool:
        for predicate in compiled:  # noqa: SIM110 - all() of a generator takes twice the time
            if not predicate(task):
                return False
        return True

    return judge


def _compile_condition(condition: Condition, attributes: Attributes) -> Predicate:
    name, *keys = condition.path
    attribute = attributes.get(name)
    is_instant = not keys and attribute is not None and attribute.is_date_time
    judge = _compile_tests(condition.tests, is_instant=is_instant)
    if len(keys) == 1:
        return _read_key(name, keys[0], judge)

    def judge_task(task: Mapping[str, Side]) -> bool:
        if task.get(name, UNREADABLE) is UNREADABLE:
            raise UnreadableConditionError(name)
        return judge(get_value(task, condition.path))

    return judge_task


def _read_key(name: str, key: str, judge: Callable[[Side], bool]) -> Predicate:
    """Return the predicate for a key of an attribute, as most conditions read one."""

    def judge_task(task: Mapping[str, Side]) -> bool:
        value = task.get(name, UNREADABLE)
        if value is UNREADABLE:
            raise UnreadableConditionError(name)
        return judge(value.get(key, ABSENT) if isinstance(value, dict) else ABSENT)

    return judge_task


def judge_tests(tests: Iterable[ValueTest], value: Side, *, is_instant: bool = False) -> bool:
    """Tell whether a value, which may be absent, passes all tests."""
    return compile_tests(tests, is_instant=is_instant)(value)


def compile_tests(
    tests: Iterable[ValueTest], *, is_instant: bool = False
) -> Callable[[Side], bool]:
    """Return a function that tells whether a value, which may be absent, passes all tests."""
    return _compile_tests(tuple(tests), is_instant=is_instant)


def _compile_tests(tests: tuple[ValueTest, ...], *, is_instant: bool) -> Callable[[Side], bool]:
    compiled = tuple(_compile_test(test, is_instant=is_instant) for test in tests)
    if len(compiled) == 1:
        return compiled[0]
    return lambda value: all(judge(value) for judge in compiled)


def _compile_test(test: ValueTest, *, is_instant: bool) -> Callable[[Side], bool]:
    operand = test.operand
    match test.operator:
        case Operator.EXISTS:
            return lambda value: (value is not ABSENT) is operand
        case Operator.EQUALS | Operator.NOT:
            assert isinstance(operand, tuple)  # noqa: S101 - for type checkers
            return _compile_equality(
                operand, wanted=test.operator is Operator.EQUALS, is_instant=is_instant
            )
        case Operator.PREFIX:
            text = str(operand)
            return lambda value: isinstance(value, str) and value.startswith(text)
        case Operator.CONTAINS:
            return _compile_contains(operand)
    return _compile_ordering(test.operator, operand, is_instant=is_instant)


def _compile_equality(
    values: tuple[Json, ...], *, wanted: bool, is_instant: bool
) -> Callable[[Side], bool]:
    if is_instant:
        instants = {parse_instant(value) for value in values}
        return lambda value: value is not ABSENT and (parse_instant(value) in instants) is wanted
    scalars = frozenset(_unify(value) for value in values if type(value) in _HASHED)
    others = tuple(value for value in values if type(value) not in _HASHED)

    def equals(value: Side) -> bool:
        kind = type(value)
        if kind is str or kind is int:
            return (value in scalars) is wanted
        if kind is float:
            return (_unify(value) in scalars) is wanted
        if value is ABSENT:
            return False
        return any(is_same(value, other) for other in others) is wanted

    return equals


_HASHED: Final = frozenset({str, int, float})
"""Types of values that are looked up in a set; booleans are not numbers, but equal them there."""


def _unify(value: Side) -> Side:
    """Return the integer for a float that is the same number."""
    if type(value) is float and value.is_integer():
        return int(Decimal(repr(value)))
    return value


def _compile_contains(operand: Json | tuple[Json, ...]) -> Callable[[Side], bool]:
    """Strings contain text, and lists contain elements."""

    def contains(value: Side) -> bool:
        if isinstance(value, str):
            return isinstance(operand, str) and operand in value
        if isinstance(value, list) and not isinstance(operand, tuple):
            return any(is_same(element, operand) for element in value)
        return False

    return contains


_COMPARE: Final[Mapping[Operator, Callable[[float | datetime, float | datetime], bool]]] = {
    Operator.GT: lambda left, right: left > right,  # type: ignore[operator]
    Operator.GTE: lambda left, right: left >= right,  # type: ignore[operator]
    Operator.LT: lambda left, right: left < right,  # type: ignore[operator]
    Operator.LTE: lambda left, right: left <= right,  # type: ignore[operator]
}


def _compile_ordering(
    operator: Operator, operand: Json | tuple[Json, ...], *, is_instant: bool
) -> Callable[[Side], bool]:
    """Compare numbers with numbers and date-times with date-times; anything else fails.

    Values in `data` and `meta` have no type: there, an operand that is a date-time compares with
    texts that are date-times.
    """
    compare = _COMPARE[operator]
    if isinstance(operand, str) or is_instant:
        bound = parse_instant(operand)
        return lambda value: (
            bound is not None and (at := parse_instant(value)) is not None and compare(at, bound)
        )
    return lambda value: _is_number(value) and compare(value, operand)  # type: ignore[arg-type]


def _is_number(value: Side) -> bool:
    return type(value) in {int, float}


def parse_instant(value: Side | tuple[Json, ...]) -> datetime | None:
    """Return the instant that a text names; None for anything else."""
    try:
        return parse_date_time(value) if isinstance(value, str) else None
    except ValueError:
        return None


def list_attributes(conditions: Iterable[Condition]) -> set[str]:
    """Name the attributes that conditions read."""
    return {condition.path[0] for condition in conditions}


def describe_conditions(conditions: Sequence[Condition]) -> str:
    """Write conditions on one line, as in ``data.split is "val"``; ``every task`` for none."""
    return " and ".join(map(_describe_condition, conditions)) or "every task"


def _describe_condition(condition: Condition) -> str:
    path = format_path(condition.path)
    return " and ".join(f"{path} {_describe_test(test)}" for test in condition.tests)


def _describe_test(test: ValueTest) -> str:
    operand = test.operand
    if isinstance(operand, tuple):
        values = " or ".join(map(format_value, operand))
        return f"is {values}" if test.operator is Operator.EQUALS else f"is not {values}"
    if test.operator is Operator.EXISTS:
        return "exists" if operand else "does not exist"
    return f"{_IN_WORDS[test.operator]} {format_value(operand)}"


_IN_WORDS: Final[Mapping[Operator, str]] = {
    Operator.GT: ">",
    Operator.GTE: ">=",
    Operator.LT: "<",
    Operator.LTE: "<=",
    Operator.PREFIX: "begins with",
    Operator.CONTAINS: "contains",
}
