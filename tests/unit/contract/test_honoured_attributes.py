"""What an answer to OPTIONS says of a server, and what that makes of the table."""

from __future__ import annotations

import pytest

from reconciler.contract.honoured_attributes import mark_ignored, read_honoured_names
from reconciler.contract.openapi import load_contract

DATA = {"type": "field", "required": True, "read_only": False}
ROWS = {"data": DATA, "overlap": {"read_only": False}, "id": {"read_only": True}, "meta": {}}
WRITTEN = frozenset({"data", "overlap"})


@pytest.mark.parametrize("action", ["PATCH", "PUT", "POST"])
def test_what_is_described_and_not_read_only_is_written(action: str):
    assert read_honoured_names({"name": "Task Api", "actions": {action: ROWS}}) == WRITTEN


def test_the_action_that_is_nearest_to_an_update_counts():
    answer = {"actions": {"POST": {**ROWS, "title": {"type": "string"}}, "PUT": ROWS}}
    assert read_honoured_names(answer) == WRITTEN


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "a page",
        {},
        {"actions": {}},
        {"actions": {"PUT": {}}},
        {"actions": {"PUT": ["data"]}},
        {"actions": {"DELETE": ROWS}},
        {"actions": {"PUT": {"title": {"read_only": False}}}},
        {"actions": {"PUT": {"data": {**DATA, "read_only": True}}}},
    ],
)
def test_an_answer_that_describes_no_update_of_a_task_tells_nothing(answer: object):
    assert read_honoured_names(answer) is None


def test_what_is_not_written_is_marked_and_data_and_meta_never_are():
    table = mark_ignored(load_contract(), frozenset({"data", "overlap"}))
    assert not any(table[name].ignored for name in ("data", "meta", "overlap"))
    assert table["avg_lead_time"].ignored
    assert table.keys() == load_contract().keys()
    assert not any(row.ignored for row in load_contract().values())
