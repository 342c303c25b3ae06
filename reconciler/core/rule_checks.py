"""Checks of rules that need no server: what cannot be meant, and what one apply could not finish.

Each problem is a `Finding`: which part of which rule, at which path, and what to do. Where that is
in a file, only the reader of the manifests knows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

from reconciler.contract.attributes import Attribute, Attributes, Type
from reconciler.core.conditions import (
    ORDERING,
    Condition,
    Operator,
    ValueTest,
    compile_tests,
    judge_tests,
    parse_instant,
)
from reconciler.core.notation import format_path, format_value, shorten
from reconciler.core.paths import Path, PathIndex, get_value, iterate_around
from reconciler.core.rule import Rule
from reconciler.core.rule_chains import (
    STEPS_MAX,
    Chain,
    TooManyStepsError,
    find_chains,
    may_begin,
    unify_numbers,
)
from reconciler.core.values import ABSENT, Json, is_same

CHAINS_MAX: Final = 10
"""Chains of one rule that are reported one by one."""


class Part(StrEnum):
    """A part of a rule, as manifests name it; `RULE` is all of it."""

    RULE = ""
    NAME = "name"
    WHERE = "where"
    SET = "set"
    ABSENT = "absent"
    REWRITE = "rewrite"
    EXPECT = "expect"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong at one place of a rule; ``path`` is empty for a part as a whole."""

    rule: Rule
    part: Part
    path: Path
    message: str
    hint: str


def check_rule(rule: Rule, attributes: Attributes) -> Iterator[Finding]:
    """Check one rule by itself."""
    where = list(check_conditions(rule, attributes))
    yield from where
    writes = [*_check_overlaps(rule), *_check_rewrites(rule)]
    yield from writes
    yield from _check_expectation(rule)
    if not where and not writes:
        yield from _check_effect(rule)


def check_rules(rules: Sequence[Rule], attributes: Attributes) -> Iterator[Finding]:
    """Check the rules of a run against each other; each must pass `check_rule`."""
    yield from _check_equal(rules)
    for rule, chains in find_chains(rules, attributes):
        try:
            yield from (_make_chain(rule, chain) for chain in islice(chains, CHAINS_MAX))
        except TooManyStepsError:
            yield Finding(
                rule,
                Part.RULE,
                (),
                f"to look for chains of rules up to this one takes more than {STEPS_MAX:,} steps",
                "join rules that do the same, and shorten their conditions",
            )
            return


def _make_chain(rule: Rule, chain: Chain) -> Finding:
    path, reader, condition = chain
    return Finding(
        rule,
        next(part for part, written in _iterate_writes(rule) if written == path),
        path,
        f"rule-chain: the {'where' if condition else 'rewrite'} of rule {_quote(reader)} "
        f"({reader.ref.source}) could match the result of this one, and a second apply would "
        "change more",
        "join the two rules, or let a condition on a path that no rule changes tell their tasks "
        "apart",
    )


def check_names(rules: Iterable[Rule]) -> Iterator[Finding]:
    """Find rules of a run whose name another one has."""
    first: dict[str, Rule] = {}
    for rule in rules:
        other = first.setdefault(rule.name, rule)
        if other is not rule:
            yield Finding(
                rule,
                Part.NAME,
                (),
                f"the rule at {other.ref.source} has this name, too",
                "give each rule of a run its own name",
            )


def check_attribute(path: Path, attributes: Attributes) -> tuple[str, str] | None:
    """Find what is wrong with a path that a condition reads: a message and a hint, or None."""
    attribute = attributes.get(path[0])
    if attribute is None:
        return "unknown attribute", f"did you mean {shorten(format_path(('data', *path)), 200)}?"
    if not attribute.readable:
        return "the API description of the server does not show this attribute", "remove it"
    if attribute.moves_with_updates:
        return (
            f"every update changes {path[0]}, so a task may match only because it was updated",
            "tell the tasks apart by another attribute",
        )
    if len(path) > 1 and attribute.type not in {Type.OBJECT, Type.ANY}:
        return f"{path[0]} is {_describe_type(attribute)}, which has no keys", f"write {path[0]}"
    return None


def check_conditions(rule: Rule, attributes: Attributes) -> Iterator[Finding]:
    """Check the condition of a rule."""
    is_sound = True
    for condition in rule.ref.where:
        found = _explain_condition(condition, attributes)
        if found:
            is_sound = False
            yield Finding(rule, Part.WHERE, condition.path, *found)
    if is_sound:
        yield from _check_nested_conditions(rule)


def _explain_condition(condition: Condition, attributes: Attributes) -> tuple[str, str] | None:
    path, tests = condition.path, condition.tests
    refused = check_attribute(path, attributes)
    if refused:
        return refused
    attribute = attributes[path[0]] if len(path) == 1 else None
    for test in tests:
        wrong = _explain_operand(test, attribute)
        if wrong:
            return wrong
    return _explain_existence(condition) or _explain_impossible(tests, attribute)


def _explain_operand(test: ValueTest, attribute: Attribute | None) -> tuple[str, str] | None:
    """Find out whether a test cannot be meant for the values of an attribute, or for any."""
    operator, operand = test.operator, test.operand
    if operator in ORDERING and isinstance(operand, str) and parse_instant(operand) is None:
        found = shorten(format_value(operand))
        return (
            f"{operator}: expected a number or a date-time with an offset, found {found}",
            "write it like 2026-10-01T12:00:00Z; numbers have no quotes",
        )
    if attribute is None or attribute.type is Type.ANY:
        return None
    described = f"{attribute.name} is {_describe_type(attribute)}"
    if isinstance(operand, tuple):
        wrong = next((value for value in operand if not _fits_type(value, attribute)), ABSENT)
        if wrong is not ABSENT:
            shown = shorten(format_value(wrong))
            return f"{described}, and never equals {shown}", "correct the value"
    elif operator is Operator.EXISTS:
        if not operand:
            message = f"every task has {attribute.name}, so the rule can never match"
            return message, "remove the test"
    elif not _works_on(operator, operand, attribute):
        message = f"{described}, which this {operator} does not work on"
        return message, f"compare it with {_describe_type(attribute)}"
    return None


def _works_on(operator: Operator, operand: Json, attribute: Attribute) -> bool:
    """Tell whether values of an attribute can pass a test of order or text."""
    if operator in ORDERING:
        return attribute.is_date_time if isinstance(operand, str) else attribute.type in _NUMBERS
    is_text = attribute.type is Type.STRING and not attribute.is_date_time
    return is_text or (operator is Operator.CONTAINS and attribute.type is Type.ARRAY)


_NUMBERS: Final = frozenset({Type.INTEGER, Type.NUMBER})
_FITTING: Final[Mapping[Type, tuple[type, ...]]] = {
    Type.INTEGER: (int, float),
    Type.NUMBER: (int, float),
    Type.BOOLEAN: (bool,),
    Type.STRING: (str,),
    Type.OBJECT: (dict,),
    Type.ARRAY: (list,),
}


def _fits_type(value: Json, attribute: Attribute) -> bool:
    """Tell whether an attribute may have a value; null is possible for all."""
    if value is None:
        return True
    if type(value) not in _FITTING[attribute.type]:
        return False
    if attribute.is_date_time:
        return parse_instant(value) is not None
    is_fraction = isinstance(value, float) and not value.is_integer()
    return not (is_fraction and attribute.type is Type.INTEGER)


def _describe_type(attribute: Attribute) -> str:
    name = "date-time" if attribute.is_date_time else attribute.type.value
    return f"{'an' if name[0] in 'aio' else 'a'} {name}"


def _explain_existence(condition: Condition) -> tuple[str, str] | None:
    is_absent = any(t.operator is Operator.EXISTS and not t.operand for t in condition.tests)
    if is_absent and len(condition.tests) > 1:
        message = "a path that does not exist passes no other test than exists: false"
        return f"{message}, so the rule can never match", "keep exists: false or the other tests"
    return None


def _explain_impossible(
    tests: Sequence[ValueTest], attribute: Attribute | None
) -> tuple[str, str] | None:
    """Find out whether no value passes all tests."""
    is_instant = attribute is not None and attribute.is_date_time
    wanted = next((test for test in tests if test.operator is Operator.EQUALS), None)
    if wanted is not None:
        others = [test for test in tests if test is not wanted]
        assert isinstance(wanted.operand, tuple)  # noqa: S101 - for type checkers
        if not wanted.operand:
            return "an empty list matches no task", "list the values, or remove the condition"
        if any(map(compile_tests(others, is_instant=is_instant), wanted.operand)):
            return None
        return _NEVER
    if not _kinds_of_all(tests) or _bounds_exclude_all(tests, attribute):
        return _NEVER
    return None


_NEVER: Final = (
    "no value passes all of these tests, so the rule can never match",
    "correct one of them",
)


def _kinds_of_all(tests: Iterable[ValueTest]) -> frozenset[str]:
    """Return the kinds of values that can pass all tests."""
    kinds = frozenset({"number", "string", "list", "other"})
    for test in tests:
        if test.operator in ORDERING:
            kinds &= {"string" if isinstance(test.operand, str) else "number"}
        elif test.operator is Operator.PREFIX:
            kinds &= {"string"}
        elif test.operator is Operator.CONTAINS:
            kinds &= {"string", "list"}
    return kinds


def _bounds_exclude_all(tests: Iterable[ValueTest], attribute: Attribute | None) -> bool:
    """Tell whether the upper bounds are below the lower ones."""
    bounds = [(t.operator, t.operand) for t in tests if t.operator in ORDERING]
    lows = [(op, value) for op, value in bounds if op in {Operator.GT, Operator.GTE}]
    highs = [(op, value) for op, value in bounds if op in {Operator.LT, Operator.LTE}]
    return any(
        _is_empty(low, high, is_strict=below is Operator.GT or above is Operator.LT)
        or (
            attribute is not None
            and attribute.type is Type.INTEGER
            and _has_no_integer(
                low, high, from_above=below is Operator.GT, to_below=above is Operator.LT
            )
        )
        for below, low in lows
        for above, high in highs
    )


def _is_empty(low: object, high: object, *, is_strict: bool) -> bool:
    if isinstance(low, str) and isinstance(high, str):
        begin, end = parse_instant(low), parse_instant(high)
        return (
            begin is not None and end is not None and (begin > end or (is_strict and begin == end))
        )
    if isinstance(low, int | float) and isinstance(high, int | float):
        return low > high or (is_strict and low == high)
    return False


def _has_no_integer(low: object, high: object, *, from_above: bool, to_below: bool) -> bool:
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return False
    first = _floor(low) + 1 if from_above or _floor(low) != low else _floor(low)
    last = _floor(high) - 1 if to_below and _floor(high) == high else _floor(high)
    return first > last


def _floor(value: float) -> int:
    return int(value // 1)


def _check_nested_conditions(rule: Rule) -> Iterator[Finding]:
    """Find conditions on a path inside another's, which no value can satisfy together."""
    by_path = {condition.path: condition for condition in rule.ref.where}
    for path, inner in by_path.items():
        for around in iterate_around(path[:-1]):
            outer = by_path.get(around)
            if outer is not None and not _can_hold_inside(outer, inner):
                yield Finding(
                    rule,
                    Part.WHERE,
                    path,
                    f"no task satisfies this and the condition on {format_path(outer.path)}, so "
                    "the rule can never match",
                    "remove one of the two",
                )
                break


def _can_hold_inside(outer: Condition, inner: Condition) -> bool:
    if judge_tests(inner.tests, ABSENT):
        return True
    for test in outer.tests:
        if test.operator is Operator.EQUALS:
            assert isinstance(test.operand, tuple)  # noqa: S101 - for type checkers
            keys = inner.path[len(outer.path) :]
            held = (get_value({"": value}, ("", *keys)) for value in test.operand)
            return any(map(compile_tests(inner.tests), held))
        if test.operator in ORDERING | {Operator.PREFIX, Operator.CONTAINS}:
            return False
        if test.operator is Operator.EXISTS and not test.operand:
            return False
    return True


def _check_overlaps(rule: Rule) -> Iterator[Finding]:
    """Find paths that a rule writes twice."""
    seen = PathIndex()
    for part, path in _iterate_writes(rule):
        other = seen.find_overlapping(path)
        if other is not None:
            message = f"the rule also changes {format_path(other)}"
            if other != path:
                message += ", which contains this" if len(other) < len(path) else ", inside this"
            yield Finding(rule, part, path, message, "keep one of the two")
        seen.add(path)


def _iterate_writes(rule: Rule) -> Iterator[tuple[Part, Path]]:
    yield from ((Part.SET, path) for path in rule.values)
    yield from ((Part.ABSENT, path) for path in rule.absent)
    yield from ((Part.REWRITE, rewrite.path) for rewrite in rule.rewrites)


def _check_rewrites(rule: Rule) -> Iterator[Finding]:
    for rewrite in rule.rewrites:
        if rewrite.to.startswith(rewrite.prefix):
            yield Finding(
                rule,
                Part.REWRITE,
                rewrite.path,
                f"to begins with the prefix {shorten(format_value(rewrite.prefix))}, so each apply "
                "would change the result again",
                "make the prefix longer, so that it does not match what is already changed",
            )


def _check_expectation(rule: Rule) -> Iterator[Finding]:
    low, high = rule.expect.minimum, rule.expect.maximum
    if low is not None and high is not None and low > high:
        message = f"min {low:,} is greater than max {high:,}"
        yield Finding(rule, Part.EXPECT, (), message, "correct one of the two")
    if low is not None and rule.uses_itself_up:
        yield Finding(
            rule,
            Part.EXPECT,
            (),
            "the rule changes what it looks for, so after an apply it matches fewer tasks than min",
            "remove min; max can stay",
        )


def _check_effect(rule: Rule) -> Iterator[Finding]:
    """Find out whether a rule changes nothing."""
    writes = {path for path in rule.list_paths() if path != ("data",)}
    if not writes:
        message = "the rule changes nothing"
        yield Finding(
            rule, Part.RULE, (), message, "add set, absent or rewrite, or remove the rule"
        )
        return
    where = {condition.path: condition.tests for condition in rule.ref.where}
    if all(_requires(where.get(path), value) for path, value in rule.values.items()) and all(
        _requires_none(where.get(path)) for path in rule.absent
    ):
        useless = [not may_begin(where[r.path], r.prefix) for r in rule.rewrites if r.path in where]
        if len(useless) == len(rule.rewrites) and all(useless):
            yield Finding(
                rule,
                Part.RULE,
                (),
                "the rule changes nothing: a task that matches already is as it should be",
                "correct the condition or the change",
            )


def _requires(tests: Sequence[ValueTest] | None, value: Json) -> bool:
    """Tell whether only this value passes the tests."""
    return any(
        test.operator is Operator.EQUALS
        and isinstance(test.operand, tuple)
        and all(is_same(one, value) for one in test.operand)
        for test in tests or ()
    )


def _requires_none(tests: Sequence[ValueTest] | None) -> bool:
    return any(test.operator is Operator.EXISTS and not test.operand for test in tests or ())


def _check_equal(rules: Iterable[Rule]) -> Iterator[Finding]:
    first: dict[str, Rule] = {}
    for rule in rules:
        other = first.setdefault(_canonicalize(rule), rule)
        if other is not rule:
            yield Finding(
                rule,
                Part.RULE,
                (),
                f"rule {_quote(other)} ({other.ref.source}) does the same for the same tasks",
                "keep one of the two",
            )


def _canonicalize(rule: Rule) -> str:
    """Write what a rule does; two rules that do the same give the same text."""
    return json.dumps(
        [
            rule.ref.project,
            sorted(_write(condition) for condition in rule.ref.where),
            sorted((path, _normalize(value)) for path, value in rule.values.items()),
            sorted(rule.absent),
            sorted((rewrite.path, rewrite.prefix, rewrite.to) for rewrite in rule.rewrites),
        ]
    )


def _write(condition: Condition) -> str:
    tests = sorted(
        (
            test.operator.value,
            sorted(map(_normalize, test.operand))
            if isinstance(test.operand, tuple)
            else [_normalize(test.operand)],
        )
        for test in condition.tests
    )
    return json.dumps([condition.path, tests])


def _normalize(value: Json) -> str:
    """Write a value as text; values that are the same JSON give the same text."""
    return json.dumps(unify_numbers(value), sort_keys=True)


def _quote(rule: Rule) -> str:
    return shorten(format_value(rule.name))
