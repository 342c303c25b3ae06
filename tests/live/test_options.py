"""OPTIONS of a task: the serializer that PATCH really uses."""

from __future__ import annotations

import pytest

from tests.live.attributes import ANSWERED, IGNORED, STORED
from tests.live.under_test import ServerUnderTest

TYPES = {
    "id": "integer",
    "data": "field",
    "meta": "field",
    "created_at": "datetime",
    "updated_at": "datetime",
    "is_labeled": "boolean",
    "overlap": "integer",
    "inner_id": "integer",
    "total_annotations": "integer",
    "cancelled_annotations": "integer",
    "total_predictions": "integer",
    "comment_count": "integer",
    "unresolved_comment_count": "integer",
    "last_comment_updated_at": "datetime",
    "project": "field",
    "updated_by": "field",
    "file_upload": "field",
    "comment_authors": "field",
    "annotations": "field",
    "predictions": "field",
}
READ_ONLY = {"id", "created_at", "updated_at", "annotations", "predictions"}


def test_options_names_exactly_what_patch_answers_with(community: ServerUnderTest):
    assert community.options(community.make_task()).keys() == ANSWERED | community.shown_anyway


def test_options_leaves_out_what_patch_ignores(community: ServerUnderTest):
    names = community.options(community.make_task()).keys()

    assert names.isdisjoint(IGNORED.keys() - community.shown_anyway)
    assert names >= STORED.keys()


def test_options_tells_each_type(community: ServerUnderTest):
    rows = community.options(community.make_task())

    more = dict.fromkeys(community.shown_anyway, "boolean")
    assert {name: row["type"] for name, row in rows.items()} == {**TYPES, **more}


def test_options_tells_what_is_read_only_and_that_data_is_required(community: ServerUnderTest):
    rows = community.options(community.make_task())

    assert {name for name, row in rows.items() if row["read_only"]} == READ_ONLY
    assert {name for name, row in rows.items() if row["required"]} == {"data"}


def test_options_bounds_every_writable_integer(server: ServerUnderTest):
    rows = server.options(server.make_task())

    integers = {name for name, row in rows.items() if row["type"] == "integer"} - READ_ONLY
    assert {name for name, row in rows.items() if "min_value" in row} == integers
    assert rows["inner_id"]["max_value"] == 2**63 - 1


@pytest.mark.parametrize("end", ["", "/"])
def test_options_works_with_and_without_trailing_slash(server: ServerUnderTest, end: str):
    answer = server.http.options(f"/api/tasks/{server.make_task()}{end}")

    assert answer.status_code == 200
    assert answer.json()["actions"].keys() == {"PUT"}


def test_options_of_an_unknown_task_is_not_found(server: ServerUnderTest):
    answer = server.http.options("/api/tasks/999999999/")

    assert answer.status_code == 404
    assert answer.json()["detail"] == "No Task matches the given query."
