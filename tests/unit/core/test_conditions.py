"""Conditions of rules, one operator after the other."""

from __future__ import annotations

import pytest

from reconciler.contract.openapi import load_contract
from reconciler.core.conditions import (
    Condition,
    Operator,
    UnreadableConditionError,
    ValueTest,
    compile_conditions,
    describe_conditions,
)
from reconciler.core.notation import parse_path
from reconciler.core.values import UNREADABLE, Json

CONTRACT = load_contract()
YES: tuple[tuple[str, Operator, Json | tuple[Json, ...]], ...] = (
    ("data.split", Operator.EQUALS, ("val",)),
    ("data.split", Operator.EQUALS, ("train", "val")),
    ("data.split", Operator.NOT, ("train",)),
    ("data.split", Operator.EXISTS, True),
    ("data.gone", Operator.EXISTS, False),
    ("data.text.gone", Operator.EXISTS, False),
    ("data.score", Operator.EQUALS, (1,)),
    ("data.score", Operator.GT, 0.5),
    ("data.score", Operator.GTE, 1),
    ("data.score", Operator.LT, 2),
    ("data.score", Operator.LTE, 1.0),
    ("data.image", Operator.PREFIX, "s3://old/"),
    ("data.image", Operator.CONTAINS, "old"),
    ("data.tags", Operator.CONTAINS, "b"),
    ("data.tags", Operator.CONTAINS, 1.0),
    ("data.tags", Operator.EQUALS, (["a", "b", 1],)),
    ("data.nothing", Operator.EQUALS, (None,)),
    ("data.nothing", Operator.EXISTS, True),
    ("data.inner", Operator.EQUALS, ({"a": 1.0},)),
    ("data.inner.a", Operator.EQUALS, (1,)),
    ("overlap", Operator.EQUALS, (2,)),
    ("data.at", Operator.GT, "2026-01-01T00:00:00Z"),
    ("completed_at", Operator.EQUALS, ("2026-06-01T12:00:00+02:00",)),
    ("completed_at", Operator.LTE, "2026-06-01T10:00:00Z"),
    ("completed_at", Operator.NOT, ("2026-06-01T12:00:00Z",)),
)
NO: tuple[tuple[str, Operator, Json | tuple[Json, ...]], ...] = (
    ("data.split", Operator.EQUALS, ("Val",)),
    ("data.split", Operator.NOT, ("train", "val")),
    ("data.gone", Operator.NOT, ("anything",)),
    ("data.gone", Operator.EQUALS, (None,)),
    ("data.gone", Operator.PREFIX, ""),
    ("data.text.gone", Operator.EXISTS, True),
    ("data.split", Operator.EXISTS, False),
    ("data.score", Operator.EQUALS, (True,)),
    ("data.score", Operator.EQUALS, ("1",)),
    ("data.score", Operator.GT, 1),
    ("data.score", Operator.LT, 1),
    ("data.flag", Operator.GTE, 0),
    ("data.text", Operator.GT, 0),
    ("data.score", Operator.PREFIX, "1"),
    ("data.score", Operator.CONTAINS, 1),
    ("data.text", Operator.CONTAINS, 1),
    ("data.tags", Operator.CONTAINS, "c"),
    ("data.tags", Operator.CONTAINS, True),
    ("data.text", Operator.GT, "2026-01-01T00:00:00Z"),
    ("data.score", Operator.GT, "2026-01-01T00:00:00Z"),
    ("completed_at", Operator.LT, "2026-06-01T10:00:00Z"),
)
TASK: dict[str, Json] = {
    "data": {
        "split": "val",
        "text": "A sentence.",
        "score": 1,
        "flag": True,
        "image": "s3://old/a.jpg",
        "tags": ["a", "b", 1],
        "nothing": None,
        "inner": {"a": 1},
        "at": "2026-03-01T00:00:00Z",
    },
    "overlap": 2,
    "completed_at": "2026-06-01T10:00:00.000000Z",
}


def holds(path: str, operator: Operator, operand: Json | tuple[Json, ...]) -> bool:
    condition = Condition(parse_path(path), (ValueTest(operator, operand),))
    return compile_conditions([condition], CONTRACT)(TASK)


@pytest.mark.parametrize(("path", "operator", "operand"), YES)
def test_it_holds(path: str, operator: Operator, operand: Json) -> None:
    assert holds(path, operator, operand)


@pytest.mark.parametrize(("path", "operator", "operand"), NO)
def test_it_does_not_hold(path: str, operator: Operator, operand: Json) -> None:
    assert not holds(path, operator, operand)


def test_all_conditions_and_all_tests_must_hold() -> None:
    between = Condition(("data", "score"), (ValueTest(Operator.GT, 0), ValueTest(Operator.LT, 2)))
    val = Condition(("data", "split"), (ValueTest(Operator.EQUALS, ("val",)),))
    train = Condition(("data", "split"), (ValueTest(Operator.EQUALS, ("train",)),))

    assert compile_conditions([between, val], CONTRACT)(TASK)
    assert not compile_conditions([between, train], CONTRACT)(TASK)
    assert compile_conditions([], CONTRACT)(TASK)


@pytest.mark.parametrize("path", ["meta.source", "meta", "allow_skip", "meta.a.b"])
def test_an_attribute_that_the_server_does_not_show_cannot_be_judged(path: str) -> None:
    condition = Condition(parse_path(path), (ValueTest(Operator.EXISTS, operand=False),))
    with pytest.raises(UnreadableConditionError):
        compile_conditions([condition], CONTRACT)({"data": {}, "meta": UNREADABLE})


def test_conditions_in_words() -> None:
    conditions = [
        Condition(("data", "split"), (ValueTest(Operator.EQUALS, ("val", "test")),)),
        Condition(("data", "a.b"), (ValueTest(Operator.GT, 1), ValueTest(Operator.NOT, (3,)))),
        Condition(("meta", "x"), (ValueTest(Operator.EXISTS, operand=False),)),
        Condition(("data", "image"), (ValueTest(Operator.PREFIX, "s3://"),)),
    ]
    assert describe_conditions(conditions) == (
        'data.split is "val" or "test" and data["a.b"] > 1 and data["a.b"] is not 3 '
        'and meta.x does not exist and data.image begins with "s3://"'
    )
    assert describe_conditions([]) == "every task"
