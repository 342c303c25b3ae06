"""The plan as JSON, and its schema."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft7Validator

from reconciler.contract.location import locate_schema
from reconciler.core.model import Found, Missing, Unreadable
from reconciler.core.plan_document import build_plan_document, format_plan
from reconciler.core.plan_model import ServerIdentity, Status, TaskPlan
from reconciler.core.problems import Kind
from reconciler.core.values import ABSENT
from reconciler.progress import NullProgress
from tests.unit.core.building import SOURCE, change, desired, plan_of, task_plan, update

CHANGES = (
    change("overlap", 1, 2),
    change('data["a.b"]', ABSENT, None),
    change("meta.old", [1, {}], ABSENT),
)


def whole() -> dict[str, Any]:
    """A plan with a task of every status."""
    live = Found({"id": 3, "project": 7, "data": {}})
    tasks = (
        update(1, *CHANGES),
        task_plan(desired(2), Missing()),
        task_plan(desired(3, {"allow_skip": True}), live),
        task_plan(desired(4, project=8), live),
        task_plan(desired(5, project=None), Unreadable("500")),
    )
    return build_plan_document(plan_of(*tasks, unchanged=2))


def validator() -> Draft7Validator:
    return Draft7Validator(schema())


def schema() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(locate_schema("plan.schema.json").read_text())
    return document


def test_a_plan_has_the_keys_that_are_promised():
    document = whole()
    assert list(document) == [
        "format_version",
        "digest",
        "server",
        "summary",
        "tasks",
        "requests",
    ]
    assert document["format_version"] == "1.0"
    assert document["server"] == {
        "url": "http://label-studio.test",
        "edition": "Community",
        "version": "1.23.2",
    }
    assert [task["status"] for task in document["tasks"]] == [
        "update",
        "missing",
        "unreadable",
        "blocked",
        "unreadable",
    ]


def test_a_side_that_is_not_there_is_left_out_and_null_is_written():
    place = {"file": "tasks.yaml", "line": 3, "column": 5}
    assert whole()["tasks"][0]["changes"] == [
        {"path": ["overlap"], "before": 1, "after": 2, "source": place},
        {"path": ["data", "a.b"], "after": None, "source": place},
        {"path": ["meta", "old"], "before": [1, {}], "source": place},
    ]


def test_a_problem_is_written_with_its_kind_and_what_to_do():
    assert whole()["tasks"][3]["problems"] == [
        {
            "kind": "other-project",
            "message": "the task is in project 7, but the manifest declares project 8",
            "hint": "correct the project of the manifest, or the id; tasks are never moved",
        }
    ]


def test_a_plan_is_as_its_schema_says():
    validator().validate(whole())
    validator().validate(build_plan_document(plan_of()))


def test_every_kind_and_every_status_is_in_the_schema():
    definitions = schema()["definitions"]
    assert definitions["problem"]["properties"]["kind"]["enum"] == [kind.value for kind in Kind]
    # A plan lists an unchanged task if it has a warning.
    assert set(definitions["task"]["properties"]["status"]["enum"]) == {
        status.value for status in Status
    }


def test_a_silent_server_is_null_in_the_plan():
    silent = replace(plan_of(), server=ServerIdentity("http://x.test", None, None))
    document = build_plan_document(silent)
    assert document["server"] == {"url": "http://x.test", "edition": None, "version": None}
    validator().validate(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["format_version"], "1.1"),
        (["digest"], "md5:0"),
        (["shard"], "2"),
        (["shard"], "1/4,2/4"),
        (["digest"], "sha256:" + "0" * 65),
        (["server", "version"], 1),
        (["server", "token"], "x"),
        (["summary", "tasks"], -1),
        (["summary", "done"], 1),
        (["tasks"], {}),
        (["tasks", 0, "task"], 0),
        (["tasks", 0, "project"], "7"),
        (["tasks", 0, "status"], "unchanged"),
        (["tasks", 0, "status"], "blocked"),
        (["tasks", 0, "changes"], []),
        (["tasks", 0, "changes", 0, "path"], []),
        (["tasks", 0, "changes", 0, "path"], "overlap"),
        (["tasks", 0, "changes", 0, "was"], 1),
        (["tasks", 0, "changes", 0, "source", "column"], 0),
        (["tasks", 1, "problems"], []),
        (["tasks", 1, "problems", 0, "kind"], "odd"),
        (["tasks", 1, "problems", 0, "message"], ""),
        (["requests"], 1.5),
    ],
)
def test_a_spoiled_plan_is_not(path: list[Any], value: object):
    document = whole()
    *parents, key = path
    inner: Any = document
    for parent in parents:
        inner = inner[parent]
    inner[key] = value
    assert not validator().is_valid(document)


def test_a_plan_that_lacks_anything_is_not():
    for holder in (
        [],
        ["server"],
        ["summary"],
        ["tasks", 0],
        ["tasks", 0, "source"],
        ["tasks", 1, "problems", 0],
    ):
        complete: Any = whole()
        for step in holder:
            complete = complete[step]
        for key in complete:
            spoiled = copy.deepcopy(whole())
            inner: Any = spoiled
            for step in holder:
                inner = inner[step]
            del inner[key]
            assert not validator().is_valid(spoiled), (holder, key)


def test_a_change_that_changes_nothing_is_not():
    document = whole()
    document["tasks"][0]["changes"][0] = {
        "path": ["overlap"],
        "source": {"file": SOURCE.file, "line": 1, "column": 1},
    }
    assert not validator().is_valid(document)


def test_the_schema_describes_every_property_and_lets_no_other_in():
    outermost = schema()
    Draft7Validator.check_schema(outermost)
    described = [outermost, outermost["properties"]["summary"], *outermost["definitions"].values()]
    for node in described:
        assert node["additionalProperties"] is False
        assert node["description"]
        for name, inner in node["properties"].items():
            assert inner.get("description") or "$ref" in inner, name


def test_a_task_without_a_known_project_has_null():
    unknown = TaskPlan(9, None, Status.UPDATE, SOURCE, CHANGES)
    document: dict[str, Any] = build_plan_document(plan_of(unknown))
    validator().validate(document)
    assert document["tasks"][0]["project"] is None


class Begun(NullProgress):
    """A watch that keeps which works were begun, and of how many tasks."""

    def __init__(self) -> None:
        self.works: list[tuple[str, int | None]] = []

    def begin(self, work: str, total: int | None = None) -> None:
        self.works.append((work, total))


def test_writing_a_plan_is_a_work_of_its_own():
    watch = Begun()
    text = format_plan(plan_of(update(1, *CHANGES), update(2, *CHANGES)), progress=watch)
    assert json.loads(text)["summary"]["update"] == 2
    assert watch.works == [("writing the plan", 2)]
