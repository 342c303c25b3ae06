"""Values of a program in the place of a manifest."""

from __future__ import annotations

import json
from collections import OrderedDict
from datetime import date
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any

import pytest

from reconciler import ManifestError, Manifests
from reconciler.contract.openapi import load_contract
from reconciler.manifest.loader import load_values


class Number(int):
    """An integer of a class of its own."""


class Split(str, Enum):  # noqa: UP042 - as programs have them; str() gives "Split.TEST"
    """Text of a class of its own."""

    TEST = "test"


class Scalar:
    """Looks like a scalar of NumPy."""

    shape = ()

    def __init__(self, value: object) -> None:
        self._value = value

    def item(self) -> object:
        return self._value


Scalar.__module__ = "numpy"


def declare(data: Any) -> Any:  # noqa: ANN401 - whatever a program has
    """Give what is declared of ``data`` where that is a value."""
    desired = load_values({"version": 1}, [{"id": 1, "data": data}], load_contract(), name="t")
    return desired[1].attributes["data"]


@pytest.mark.parametrize(
    ("given", "declared"),
    [
        ({"a": (1, [2.5, None]), "b": True}, {"a": [1, [2.5, None]], "b": True}),
        (MappingProxyType({"a": OrderedDict(b="c")}), {"a": {"b": "c"}}),
        ({"a": Number(7), "b": 10**30, "c": -0.0}, {"a": 7, "b": 10**30, "c": -0.0}),
        ({"a": Scalar(1.5), "b": Scalar(True)}, {"a": 1.5, "b": True}),  # noqa: FBT003 - a value
        ({"ü": "é\u2028\n"}, {"ü": "é\u2028\n"}),
        ({Split.TEST: Split.TEST}, {"test": "test"}),
    ],
)
def test_values_are_taken_as_the_json_that_they_are(given: object, declared: object):
    assert json.dumps(declare(given)) == json.dumps(declared)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "JSON has no number nan"),
        (float("-inf"), "JSON has no number -inf"),
        (Scalar(float("nan")), "JSON has no number nan"),
        (date(2026, 11, 28), "a value of type datetime.date is not JSON"),
        (Decimal("1.5"), "a value of type decimal.Decimal is not JSON"),
        pytest.param(10**5000, "an integer with more than 4,300 digits", id="long"),
        (b"x", "a value of type bytes is not JSON"),
        ({1, 2}, "a value of type set is not JSON"),
        ({1: 2}, 'expected a string as key, found "1" of type int'),
        ("\ud800", "half of a surrogate pair"),
        ("\0", "NUL"),
    ],
)
def test_what_is_no_json_is_told_with_its_task_and_path(value: object, message: str):
    tasks: list[dict[str, object]] = [{"id": 1}, {"id": 2, "data": {"score": [value]}}]
    with pytest.raises(ManifestError) as refused:
        Manifests.from_tasks(tasks, name="scores")
    (problem,) = refused.value.problems
    assert (problem.source.file, problem.source.line) == ("scores", 2)
    assert problem.path.startswith("tasks[1].data.score[0]")
    assert message in problem.message


def test_all_problems_are_told_at_once():
    tasks = [
        {"id": 1, "data": {"a": {1}, "b": b""}},
        {"id": 2, "data": {"c": float("inf")}, "overlap": Decimal(1), "nope": 1},
        object(),
    ]
    with pytest.raises(ManifestError) as refused:
        Manifests.from_tasks(tasks)  # type: ignore[arg-type]  # the last is none
    assert [(problem.path, problem.message) for problem in refused.value.problems] == [
        ("tasks[0].data.a", "a value of type set is not JSON"),
        ("tasks[0].data.b", "a value of type bytes is not JSON"),
        ("tasks[1].data.c", "JSON has no number inf"),
        ("tasks[1].nope", "unknown key"),
        ("tasks[1].overlap", "a value of type decimal.Decimal is not JSON"),
        ("tasks[2]", "a value of type object is not JSON"),
    ]


def test_what_stands_in_many_places_is_bounded():
    value: list[Any] = [1]
    for _ in range(60):
        value = [value, value]
    with pytest.raises(ManifestError) as refused:
        Manifests.from_tasks([{"id": 1}, {"id": 2, "data": {"x": value}}])
    (problem,) = refused.value.problems
    assert str(problem) == (
        "tasks:2:1: tasks[1]: more than 1,000,000 values "
        "(is the same list or dict used in many places?)"
    )


@pytest.mark.parametrize("name", ["", "a\x1b", "\ud800", None])
def test_a_name_can_be_printed(name: str):
    with pytest.raises(ValueError, match="name: expected text that can be printed, found "):
        Manifests.from_tasks([{"id": 1}], name=name)


def test_what_holds_itself_is_refused():
    data: dict[str, Any] = {}
    data["again"] = data
    with pytest.raises(ManifestError, match="objects and lists nested more than 100 deep"):
        Manifests.from_tasks([{"id": 1, "data": data}])


def test_the_header_is_checked_as_that_of_a_file():
    with pytest.raises(ManifestError) as refused:
        Manifests.from_tasks(
            [{"id": 1, "project": 8}, {"id": 1, "overlap": 2}, {"id": 1, "overlap": 3}, 5],  # type: ignore[list-item]
            project=7,
            policy={"data": "nope"},
            defaults={"nope": 1},
            server="nope",
        )
    told = {problem.path for problem in refused.value.problems}
    assert {"policy.data", "defaults.nope", "server", "tasks[0].project", "tasks[3]"} <= told
