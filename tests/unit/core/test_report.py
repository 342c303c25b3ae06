"""The lines of a report."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from jsonschema import Draft7Validator

from reconciler.contract.location import locate_schema
from reconciler.core.model import User
from reconciler.core.plan_model import ServerIdentity
from reconciler.core.report import (
    STOPPED,
    Commit,
    Outcome,
    Report,
    Run,
    TaskOutcome,
    count_outcomes,
    format_time,
)
from reconciler.core.report_document import (
    build_first_line,
    build_last_line,
    build_not_started_lines,
    build_report_document,
    build_task_line,
)
from reconciler.core.shard import Shard
from reconciler.core.values import ABSENT
from tests.unit.core.building import SERVER, change

DIGEST = "sha256:" + "0a" * 32
CHANGES = (change("overlap", 1, 2), change("meta.a", ABSENT, None), change("data.b", [], ABSENT))
TIME = "2026-11-28T10:00:00.123Z"
DONE = TaskOutcome(1, Outcome.APPLIED, CHANGES, time=TIME)
REPAIRED = TaskOutcome(1, Outcome.APPLIED, CHANGES, repairs=2)
STOPPED_TASKS = [TaskOutcome(n, Outcome.INTERRUPTED, (), STOPPED) for n in (3, 4, 5, 9)]
TOLD = Run(
    DIGEST,
    12,
    (Shard(4, 2),),
    "revert",
    started=TIME,
    ended=TIME,
    user=User(7, "ann@example.org"),
    commit=Commit("0a1b2c", dirty=True),
)
LINES: dict[str, dict[str, Any]] = {
    "first": build_first_line(Run(DIGEST), SERVER),
    "first of a silent server": build_first_line(
        Run(DIGEST), ServerIdentity("http://x.test", None, None)
    ),
    "first that tells all": build_first_line(TOLD, SERVER),
    "document": build_report_document(Report(SERVER, (Run(DIGEST, 12),), (DONE,))),
    "document that tells all": build_report_document(
        Report(SERVER, (TOLD,), (DONE, *STOPPED_TASKS), (Shard(4, 2),))
    ),
    "document of one cut off": build_report_document(Report(SERVER, (Run(DIGEST),), ())),
    "applied": build_task_line(TaskOutcome(1, Outcome.APPLIED, CHANGES)),
    "already": build_task_line(TaskOutcome(1, Outcome.ALREADY, CHANGES)),
    **{
        outcome.value: build_task_line(TaskOutcome(1, outcome, CHANGES, "a reason"))
        for outcome in Outcome
        if outcome not in {Outcome.APPLIED, Outcome.ALREADY}
    },
    "applied at a time": build_task_line(DONE),
    "not started": next(build_not_started_lines(STOPPED_TASKS)),
    "left alone": build_task_line(
        TaskOutcome(1, Outcome.MISSING, (), "no such task", accepted=True)
    ),
    "last": build_last_line([TaskOutcome(n, outcome) for n, outcome in enumerate(Outcome, 1)], 12),
    "last of nothing": build_last_line([], 0),
    "repaired": build_task_line(REPAIRED),
    "last of repaired": build_last_line([REPAIRED, DONE], 12),
    "document of repaired": build_report_document(Report(SERVER, (Run(DIGEST, 12),), (REPAIRED,))),
    "last at a time": build_last_line([], 0, TIME),
}
OPTIONAL = {"accepted", "shard", "time", "command", "started", "user", "commit", "ended", "runs"}
"""Keys that lines have which earlier versions wrote without."""


def validator() -> Draft7Validator:
    return Draft7Validator(json.loads(locate_schema("report.schema.json").read_text()))


def test_a_line_for_a_task_says_what_why_and_both_values():
    line = build_task_line(TaskOutcome(101, Outcome.STALE, CHANGES[:2], "changed since"))
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
    assert list(count_outcomes(outcomes).items()) == [("applied", 2), ("stale", 2)]


def test_repairs_are_counted_by_task_and_tasks_with_repairs_by_run():
    assert LINES["repaired"]["repairs"] == 2
    assert LINES["last of repaired"]["repaired"] == LINES["document of repaired"]["repaired"] == 1


def test_a_time_is_in_utc_and_sorts_as_text():
    early = datetime(2026, 11, 28, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    late = datetime(2026, 11, 28, 10, 0, 0, 999, tzinfo=UTC) + timedelta(milliseconds=1)
    assert format_time(early) == "2026-11-28T10:00:00.000Z"
    assert format_time(early) < format_time(late)


def test_tasks_that_were_not_started_are_one_line_for_each_reason():
    others = [TaskOutcome(n, Outcome.INTERRUPTED, (), "no canary") for n in range(10, 2_010)]
    assert list(build_not_started_lines([DONE, *STOPPED_TASKS, *others])) == [
        {"not_started": {"count": 4, "tasks": "3-5, 9"}, "error": STOPPED},
        {"not_started": {"count": 2_000, "tasks": "10-2009"}, "error": "no canary"},
    ]


def test_a_document_tells_of_tasks_that_were_not_started_apart():
    document = LINES["document that tells all"]
    assert [line["task"] for line in document["tasks"]] == [1]
    assert [line["not_started"]["count"] for line in document["not_started"]] == [4]
    assert document["summary"] == {"applied": 1, "interrupted": 4}


@pytest.mark.parametrize("name", LINES)
def test_every_line_is_as_the_schema_says(name: str):
    validator().validate(LINES[name])


@pytest.mark.parametrize("name", LINES)
def test_a_line_with_a_key_more_or_a_key_less_is_not(name: str):
    assert not validator().is_valid({**LINES[name], "surprise": 1})
    optional = (
        OPTIONAL | {"repairs", "repaired"} | ({"not_started"} if "tasks" in LINES[name] else set())
    )
    for key in LINES[name].keys() - optional:
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
        ("first that tells all", ["shard"], "2"),
        ("first that tells all", ["command"], "plan"),
        ("first that tells all", ["started"], "2026-11-28T10:00:00Z"),
        ("first that tells all", ["started"], "2026-11-28T10:00:00.123+00:00"),
        ("first that tells all", ["user"], "ann"),
        ("first that tells all", ["user", "id"], None),
        ("first that tells all", ["commit", "id"], ""),
        ("first that tells all", ["commit", "dirty"], False),
        ("applied at a time", ["time"], ""),
        ("not started", ["not_started", "count"], 0),
        ("not started", ["not_started", "tasks"], "3-"),
        ("not started", ["error"], ""),
        ("document that tells all", ["runs"], []),
        ("document that tells all", ["runs", 0, "ended"], 0),
        ("document that tells all", ["not_started"], []),
        ("last at a time", ["ended"], "now"),
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
