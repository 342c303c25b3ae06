"""What rules add to a task: precedence, conflicts, counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.conditions import (
    Condition,
    Operator,
    UnreadableConditionError,
    ValueTest,
)
from reconciler.core.model import DesiredTask
from reconciler.core.notation import format_path, parse_path
from reconciler.core.paths import Path, iterate_leaves
from reconciler.core.plan_model import PlannedRule, Status, TaskPlan
from reconciler.core.planner import plan_ruled
from reconciler.core.problems import Kind
from reconciler.core.rule import Expectation, Rewrite, Rule, RuleRef
from reconciler.core.rule_set import RuleSet
from reconciler.core.values import ABSENT, UNREADABLE, Json, Side
from reconciler.errors import Source
from tests.unit.core.building import desired

CONTRACT = load_contract()
LIVE: Mapping[str, Json] = {
    "id": 1,
    "project": 7,
    "data": {"split": "val", "image": "s3://old/a.jpg", "old": 1, "inner": {"a": 1, "b": 2}},
    "meta": None,
    "overlap": 1,
}
VAL = {"data.split": "val"}


def rule(  # noqa: PLR0913 - the parts of a rule
    name: str = "a rule",
    where: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
    *,
    absent: tuple[str, ...] = (),
    rewrite: tuple[str, str, str] | None = None,
    expect: Expectation | None = None,
    line: int = 3,
) -> Rule:
    """A rule; a condition is a value, or a pair of an operator and its operand."""
    conditions = []
    for path, wanted in (where or {}).items():
        operator, operand = wanted if isinstance(wanted, tuple) else ("equals", wanted)
        several = operator in {"equals", "not"}
        test = ValueTest(Operator(operator), (operand,) if several else operand)
        conditions.append(Condition(parse_path(path), (test,)))
    leaves = {
        leaf: _get(value, leaf[1:])
        for attribute, value in (values or {}).items()
        for leaf, _ in iterate_leaves((attribute,), value)
    }
    rewrites = (Rewrite(parse_path(rewrite[0]), *rewrite[1:]),) if rewrite else ()
    ref = RuleRef(name, 7, Source("rules.yaml", line, 5), tuple(conditions))
    return Rule(
        ref,
        leaves,
        tuple(map(parse_path, absent)),
        rewrites,
        expect or Expectation(),
        {path: Source("rules.yaml", line + 2, 7) for path in leaves},
    )


def _get(value: Json, keys: Path) -> Json:
    for key in keys:
        assert isinstance(value, dict)
        value = value[key]
    return value


def plan(
    *rules: Rule, own: DesiredTask | None = None, live: Mapping[str, Side] = LIVE
) -> tuple[TaskPlan | None, tuple[PlannedRule, ...]]:
    found = RuleSet(rules, CONTRACT)
    matching = found.match(live, own)
    ruled = found.extend(1, live, own, matching) if matching else None
    planned = plan_ruled(ruled, live, CONTRACT) if ruled else None
    return planned, found.summarize()


def changes(planned: TaskPlan | None) -> dict[str, tuple[Side, Side, str]]:
    assert planned is not None
    assert planned.status is Status.UPDATE, planned.problems
    return {format_path(c.path): (c.before, c.after, c.rule) for c in planned.changes}


def test_a_rule_sets_removes_and_rewrites() -> None:
    planned, (done,) = plan(
        rule(
            "all of it",
            VAL,
            {"overlap": 2, "meta": {"source": {"normalised": True}}},
            absent=("data.old", "data.gone"),
            rewrite=("data.image", "s3://old/", "s3://new/"),
        )
    )

    assert changes(planned) == {
        "overlap": (1, 2, "all of it"),
        "meta": (None, {"source": {"normalised": True}}, "all of it"),
        "data.old": (1, ABSENT, "all of it"),
        "data.image": ("s3://old/a.jpg", "s3://new/a.jpg", "all of it"),
    }
    assert (done.matched, done.overruled, done.problem) == (1, 0, None)
    assert planned
    assert [ref.name for ref in planned.rules] == ["all of it"]


@pytest.mark.parametrize(
    "one",
    [
        rule("other split", {"data.split": "train"}, {"overlap": 2}),
        rule("holds already", VAL, {"overlap": 1.0, "data": {"inner": {"a": 1}}}),
        rule("nothing to remove", VAL, absent=("data.gone", "meta.gone")),
        rule("another prefix", VAL, rewrite=("data.image", "s3://older/", "x")),
        rule("no string", VAL, rewrite=("data.old", "1", "2")),
    ],
)
def test_a_rule_that_adds_nothing_changes_nothing(one: Rule) -> None:
    planned, (done,) = plan(one)

    assert planned is None
    assert done.matched == (one.name != "other split")


def test_what_the_task_declares_itself_wins() -> None:
    own = desired(1, {"data": {"inner": {"a": 5}}, "overlap": 3})
    planned, (done,) = plan(
        rule("r", VAL, {"overlap": 2, "data": {"inner": {"a": 6, "b": 7}}}), own=own
    )

    assert changes(planned) == {
        "data.inner.a": (1, 5, ""),
        "data.inner.b": (2, 7, "r"),
        "overlap": (1, 3, ""),
    }
    assert (done.matched, done.overruled, done.problem) == (1, 1, None)


@pytest.mark.parametrize(
    ("own", "one"),
    [
        (desired(1, {"meta": None}), rule("inside", VAL, {"meta": {"a": 1}})),
        (desired(1, {"data": {"inner": {"a": 5}}}), rule("around", VAL, {"data": {"inner": 1}})),
        (desired(1, absent=("data.inner",)), rule("absent", VAL, {"data": {"inner": {"c": 1}}})),
        (
            desired(1, {"data": {"split": "val"}}, replaced=("data",)),
            rule("replaced", VAL, {"data": {"new": 1}}),
        ),
        (
            desired(1, {"data": {"image": "x"}}),
            rule("moved", VAL, rewrite=("data.image", "s", "t")),
        ),
    ],
)
def test_a_rule_that_is_overruled_everywhere_is_an_error(own: DesiredTask, one: Rule) -> None:
    planned, (done,) = plan(one, own=own)

    assert planned is None or all(not change.rule for change in planned.changes)
    assert done.problem
    assert done.problem.kind is Kind.RULE
    assert "declares all paths of the rule itself" in done.problem.message


def test_conditions_read_what_the_task_declares() -> None:
    own = desired(1, {"data": {"split": "test"}}, absent=("data.old",))
    by_split = rule("val", VAL, {"overlap": 2})
    by_own = rule("test", {"data.split": "test"}, {"overlap": 3})
    by_absence = rule("gone", {"data.old": ("exists", False)}, {"meta": {"gone": True}})
    planned, done = plan(by_split, by_own, by_absence, own=own)

    found = changes(planned)
    assert found["overlap"] == (1, 3, "test")
    assert found["meta"] == (None, {"gone": True}, "gone")
    assert [one.matched for one in done] == [0, 1, 1]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (rule("a", VAL, {"overlap": 2}), rule("b", {}, {"overlap": 3}, line=9)),
        (rule("a", VAL, {"data": {"x": 1}}), rule("b", {}, {"data": {"x": {"y": 1}}}, line=9)),
        (rule("a", VAL, {"data": {"x": {"y": 1}}}), rule("b", {}, absent=("data.x",), line=9)),
        (rule("a", VAL, {"data": {"image": "z"}}), rule("b", {}, absent=("data.image",), line=9)),
    ],
)
def test_rules_whose_results_differ_block_the_task(first: Rule, second: Rule) -> None:
    planned, _ = plan(first, second)

    assert planned
    assert (planned.status, planned.changes) == (Status.BLOCKED, ())
    (problem,) = planned.problems
    assert problem.kind is Kind.RULE_CONFLICT
    assert 'rule "a" (rules.yaml:3) ' in problem.message
    assert 'rule "b" (rules.yaml:9) ' in problem.message


def test_rules_with_the_same_result_do_not_conflict() -> None:
    planned, _ = plan(
        rule("a", VAL, {"overlap": 2}, absent=("data.inner.a",)),
        rule("b", {}, {"overlap": 2.0}, absent=("data.inner",)),
    )

    assert set(changes(planned)) == {"overlap", "data.inner"}


def test_a_value_that_would_be_rewritten_again_is_blocked() -> None:
    live: dict[str, Side] = {**LIVE, "data": {"image": "aab"}}
    planned, _ = plan(rule("r", {}, rewrite=("data.image", "a", "")), live=live)

    assert planned
    assert planned.status is Status.BLOCKED
    assert "still begins with the prefix" in planned.problems[0].message


@pytest.mark.parametrize(
    ("one", "kind", "message"),
    [
        (
            rule(where=VAL, values={"overlap": 2}, expect=Expectation(2)),
            Kind.RULE,
            "expected at least 2 tasks, found 1 task",
        ),
        (
            rule(where=VAL, values={"overlap": 2}, expect=Expectation(None, 0)),
            Kind.RULE,
            "expected at most 0 tasks, found 1 task",
        ),
        (
            rule(where={"data.split": "x"}, values={"overlap": 2}),
            Kind.RULE_UNUSED,
            "no task matches",
        ),
        (
            rule(where={"allow_skip": True}, values={"overlap": 2}),
            Kind.RULE,
            "the server's response has no allow_skip, so the rule cannot be judged",
        ),
        (
            rule(where=VAL, values={"allow_skip": True}),
            Kind.RULE,
            "the server's response has no allow_skip, so the rule cannot be judged",
        ),
    ],
)
def test_what_is_wrong_with_a_rule(one: Rule, kind: Kind, message: str) -> None:
    _, (done,) = plan(one)

    assert done.problem
    assert (done.problem.kind, done.problem.message) == (kind, message)


@pytest.mark.parametrize(
    "one",
    [
        rule(where={"data.gone": ("exists", True)}, absent=("data.gone",)),
        rule(where={"data.x.y": 1}, values={"data": {"x": 2}}),
        rule(where={"data.split": "x"}, rewrite=("data.image", "a", "b")),
    ],
)
def test_a_rule_that_uses_itself_up_may_match_nothing(one: Rule) -> None:
    _, (done,) = plan(one)

    assert (done.matched, done.problem) == (0, None)


def test_a_task_whose_data_is_damaged_cannot_be_judged() -> None:
    found = RuleSet([rule(where=VAL, values={"overlap": 2})], CONTRACT)

    with pytest.raises(UnreadableConditionError):
        found.match({**LIVE, "data": UNREADABLE})
    own = desired(1, {"data": {"split": "val"}}, replaced=("data",))
    assert found.match({**LIVE, "data": UNREADABLE}, own)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (0, 2, 1)])
def test_a_removal_around_what_another_rule_sets_is_a_conflict(order: tuple[int, ...]) -> None:
    three = (
        rule("inner", {}, absent=("data.inner.b",), line=4),
        rule("sets", {}, {"data": {"inner": {"a": 5}}}, line=7),
        rule("outer", {}, absent=("data.inner",), line=9),
    )
    planned, _ = plan(*(three[place] for place in order))

    assert planned
    assert planned.status is Status.BLOCKED
    assert {ref.name for ref in planned.rules} == {"inner", "sets", "outer"}


def test_what_conditions_saw_in_own_declarations_is_recorded() -> None:
    own = desired(1, {"meta": {"s": 1}})
    planned, _ = plan(rule("r", {"meta.s": 1}, {"meta": {"x": 2}}), own=own)

    assert planned
    assert planned.seen == ((("meta", "s"), 1),)
    assert [c.after for c in planned.changes] == [{"s": 1, "x": 2}]
