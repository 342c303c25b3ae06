"""The lines of a report."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from reconciler.apply.report import (
    Outcome,
    Report,
    TaskOutcome,
    counted,
    first_line,
    last_line,
    report_document,
    task_line,
)
from reconciler.contract.location import schema_path
from reconciler.plan.model import ServerIdentity
from reconciler.plan.shard import Shard
from reconciler.plan.values import ABSENT
from tests.unit.plan.building import SERVER, change

DIGEST = "sha256:" + "0a" * 32
CHANGES = (change("overlap", 1, 2), change("meta.a", ABSENT, None), change("data.b", [], ABSENT))
DONE = TaskOutcome(1, Outcome.APPLIED, CHANGES)
REPAIRED = TaskOutcome(1, Outcome.APPLIED, CHANGES, repairs=2)
LINES: dict[str, dict[str, Any]] = {
    "first": first_line(DIGEST, SERVER),
    "first of a silent server": first_line(DIGEST, ServerIdentity("http://x.test", None, None)),
    "first of a shard": first_line(DIGEST, SERVER, (Shard(4, 2),)),
    "document": report_document(Report((DIGEST,), SERVER, (DONE,), 12)),
    "document of one cut off": report_document(Report((DIGEST,), SERVER, (), None)),
    "applied": task_line(TaskOutcome(1, Outcome.APPLIED, CHANGES)),
    "already": task_line(TaskOutcome(1, Outcome.ALREADY, CHANGES)),
    **{
        outcome.value: task_line(TaskOutcome(1, outcome, CHANGES, "a reason"))
        for outcome in Outcome
        if outcome not in {Outcome.APPLIED, Outcome.ALREADY}
    },
    "left alone": task_line(TaskOutcome(1, Outcome.MISSING, (), "no such task", accepted=True)),
    "last": last_line([TaskOutcome(n, outcome) for n, outcome in enumerate(Outcome, 1)], 12),
    "last of nothing": last_line([], 0),
    "repaired": task_line(REPAIRED),
    "last of repaired": last_line([REPAIRED, DONE], 12),
    "document of repaired": report_document(Report((DIGEST,), SERVER, (REPAIRED,), 12)),
}


def validator() -> Draft7Validator:
    return Draft7Validator(json.loads(schema_path("report.schema.json").read_text()))


def test_a_line_for_a_task_says_what_why_and_both_values():
    line = task_line(TaskOutcome(101, Outcome.STALE, CHANGES[:2], "changed since"))
    place = {"file": "tasks.yaml", "line": 3, "column": 5}
    assert line == {
        "task": 101,
        "outcome": "stale",
        "changes": [
            {"path": ["overlap"], "before": 1, "after": 2, "source": place},
            {"path": ["meta", "a"], "after": None, "source": place},
        ],
        "error": "changed since",
    }


def test_outcomes_are_counted_in_one_order_without_those_that_nobody_had():
    outcomes = [TaskOutcome(n, o) for n, o in enumerate([Outcome.STALE, Outcome.APPLIED] * 2)]
    assert list(counted(outcomes).items()) == [("applied", 2), ("stale", 2)]


def test_repairs_are_counted_by_task_and_tasks_with_repairs_by_run():
    assert LINES["repaired"]["repairs"] == 2
    assert LINES["last of repaired"]["repaired"] == LINES["document of repaired"]["repaired"] == 1


@pytest.mark.parametrize("name", LINES)
def test_every_line_is_as_the_schema_says(name: str):
    validator().validate(LINES[name])


@pytest.mark.parametrize("name", LINES)
def test_a_line_with_a_key_more_or_a_key_less_is_not(name: str):
    assert not validator().is_valid({**LINES[name], "surprise": 1})
    for key in LINES[name].keys() - {"accepted", "shard", "repairs", "repaired"}:
        assert not validator().is_valid({k: v for k, v in LINES[name].items() if k != key}), key


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("first", ["format_version"], "2.0"),
        ("first", ["kind"], "plan"),
        ("first", ["digest"], "sha256:XYZ"),
        ("first", ["server", "url"], None),
        ("applied", ["task"], 0),
        ("applied", ["task"], "1"),
        ("applied", ["outcome"], "done"),
        ("applied", ["error"], "but why"),
        ("applied", ["changes", 0, "path"], []),
        ("applied", ["changes", 0, "path"], ["data", 0]),
        ("applied", ["changes", 0, "source", "line"], 0),
        ("applied", ["changes", 0], {"path": ["overlap"]}),
        ("applied", ["accepted"], True),
        ("stale", ["error"], ""),
        ("stale", ["accepted"], False),
        ("first of a shard", ["shard"], "2"),
        ("document", ["complete"], "yes"),
        ("document", ["digests"], []),
        ("document", ["requests"], -1),
        ("document", ["tasks", 0, "task"], 0),
        ("last", ["summary", "applied"], 0),
        ("last", ["summary", "done"], 1),
        ("last", ["requests"], -1),
        ("repaired", ["repairs"], 0),
        ("last of repaired", ["repaired"], 0),
    ],
)
def test_a_spoiled_line_is_not(name: str, path: list[Any], value: object):
    line = copy.deepcopy(LINES[name])
    *parents, key = path
    inner: Any = line
    for parent in parents:
        inner = inner[parent]
    inner[key] = value
    assert not validator().is_valid(line)


def test_the_schema_describes_every_property_and_lets_no_other_in():
    schema = validator().schema
    Draft7Validator.check_schema(schema)
    for node in _objects(schema):
        assert node["additionalProperties"] is False
        for name, inner in node["properties"].items():
            assert inner is False or inner.get("description") or "$ref" in inner, name


def _objects(node: object) -> list[dict[str, Any]]:
    """Every schema of an object with properties of its own, but for those behind an if."""
    if isinstance(node, list):
        return [found for inner in node for found in _objects(inner)]
    if not isinstance(node, dict):
        return []
    own = [node] if node.get("type") == "object" else []
    return own + [
        found
        for key, inner in node.items()
        if key not in {"if", "then", "else"}
        for found in _objects(inner)
    ]
