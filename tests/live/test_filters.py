"""Finding tasks by a value in their data, through the filters of task lists."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.live.under_test import ServerUnderTest

TEXTS = (
    *("x-1", "x-2", 'with "quotes"', "with 'one'", "a\\b", "a,b", "a%b_c", "ü 漢 🙂", " blank "),
    *("line\nbreak", "7", "true", "null", "é", "x" * 3_000),
)


def find(server: ServerUnderTest, project: int, name: str, values: Sequence[Any]) -> dict[str, Any]:
    """List the tasks whose data has one of the values at this name; gives the whole answer."""
    item = {
        "filter": f"filter:tasks:data.{name}",
        "operator": "in_list",
        "type": "String",
        "value": list(values),
    }
    query = json.dumps({"filters": {"conjunction": "and", "items": [item]}})
    answer = server.page(project, include="id,data", query=query)
    assert answer.is_success, answer.text[:300]
    return dict(answer.json())


def values_of(answer: dict[str, Any], name: str) -> list[Any]:
    return [task["data"][name] for task in answer["tasks"]]


@pytest.mark.parametrize("name", ["external_id", "a-b", "Key", "k9", "a_b-c_d"])
def test_a_filter_finds_tasks_by_text(server: ServerUnderTest, name: str) -> None:
    project = server.make_project()
    server.import_tasks(project, [{"data": {"text": "t", name: text}} for text in TEXTS])

    answer = find(server, project, name, [*TEXTS, "x-none"])

    assert answer["total"] == len(TEXTS)
    assert values_of(answer, name) == list(TEXTS)
    assert values_of(find(server, project, name, ["x-2", "7"]), name) == ["x-2", "7"]


def test_all_tasks_with_one_value_are_found(server: ServerUnderTest) -> None:
    project = server.make_project()
    ids = server.import_tasks(
        project, [{"data": {"text": "t", "key": key}} for key in ("a", "b", "a")]
    )

    answer = find(server, project, "key", ["a"])

    assert [task["id"] for task in answer["tasks"]] == [ids[0], ids[2]]


@pytest.mark.parametrize("values", [["x-none"], ["X-1"], ["x-1 "], ["x"]])
def test_another_value_is_not_found(server: ServerUnderTest, values: list[str]) -> None:
    project = server.make_project()
    server.import_tasks(project, [{"data": {"text": "t", "key": "x-1"}}])

    assert find(server, project, "key", values)["total"] == 0


def test_what_filters_make_of_other_types(server: ServerUnderTest) -> None:
    project = server.make_project()
    others = [7, 7.0, True, None, ["7"], {"a": "7"}]
    server.import_tasks(project, [{"data": {"text": "t", "key": value}} for value in others])

    found = [values_of(find(server, project, "key", [v]), "key") for v in ("7", "true", "null", 7)]

    assert found == [[], [True], [None], [7, 7.0]]
