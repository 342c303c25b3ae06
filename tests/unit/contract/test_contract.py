"""The repository's own contract, held to the published description by a table typed in by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.contract.api_description import read_document
from reconciler.contract.attributes import Attribute, Type
from reconciler.contract.location import locate_schema
from reconciler.contract.openapi import build_attributes, load_contract, load_overlay
from reconciler.contract.overlay import apply_overlay
from reconciler.errors import ContractError

I32 = (-2147483648, 2147483647)
I64 = (-9223372036854775808, 9223372036854775807)
FREE = (None, None)

# name: type, format, may be null, bounds, as the two operations are published; data and project
# are stricter here, since a list as data and null as project destroy the task.
WRITABLE = {
    "allow_skip": ("boolean", None, True, FREE),
    "avg_lead_time": ("number", "double", False, FREE),
    "cancelled_annotations": ("integer", "int64", False, I64),
    "comment_count": ("integer", None, False, I32),
    "completed_at": ("string", "date-time", False, FREE),
    "data": ("object", None, False, FREE),
    "draft_exists": ("boolean", None, False, FREE),
    "ground_truth": ("boolean", None, False, FREE),
    "inner_id": ("integer", "int64", False, (1, 4611686018427387903)),
    "is_labeled": ("boolean", None, False, FREE),
    "last_comment_updated_at": ("string", "date-time", True, FREE),
    "meta": ("any", None, True, FREE),
    "overlap": ("integer", None, False, (1, I32[1])),
    "precomputed_agreement": ("number", "double", True, FREE),
    "predictions_score": ("number", "double", False, FREE),
    "project": ("integer", None, False, I64),
    "reviewed": ("boolean", None, False, FREE),
    "reviews_accepted": ("integer", "int64", False, I64),
    "reviews_rejected": ("integer", "int64", False, I64),
    "total_annotations": ("integer", "int64", False, I64),
    "total_predictions": ("integer", "int64", False, I64),
    "unresolved_comment_count": ("integer", None, False, I32),
}
# Not on the published page; the published client library takes it.
WRITABLE_BY_CLIENT_LIBRARY = {"reviewed_at": ("string", "date-time", False, FREE)}
READABLE = {
    "data": "object",
    "id": "integer",
    "predictions": "array",
    "annotations": "array",
    "drafts": "array",
    "annotators": "array",
    "inner_id": "integer",
    "cancelled_annotations": "integer",
    "total_annotations": "integer",
    "total_predictions": "integer",
    "completed_at": "string",
    "annotations_results": "string",
    "predictions_results": "string",
    "predictions_score": "number",
    "file_upload": "string",
    "storage_filename": "string",
    "annotations_ids": "string",
    "predictions_model_versions": "string",
    "avg_lead_time": "number",
    "draft_exists": "boolean",
    "updated_by": "array",
    "meta": "any",
    "created_at": "string",
    "updated_at": "string",
    "is_labeled": "boolean",
    "overlap": "integer",
    "comment_count": "integer",
    "unresolved_comment_count": "integer",
    "last_comment_updated_at": "string",
    "project": "integer",
    "comment_authors": "array",
}


def test_there_are_31_readable_and_22_published_writable_attributes():
    rows = load_contract().values()
    assert len(READABLE) == 31
    assert len(WRITABLE) == 22
    assert {row.name for row in rows if row.readable} == READABLE.keys()
    assert {row.name for row in rows if row.writable} == (
        WRITABLE.keys() | WRITABLE_BY_CLIENT_LIBRARY.keys()
    )


@pytest.mark.parametrize("name", [*WRITABLE, *WRITABLE_BY_CLIENT_LIBRARY])
def test_writable_attribute_is_as_published(name: str):
    row = load_contract()[name]
    assert (row.type, row.format, row.nullable, (row.minimum, row.maximum)) == (
        WRITABLE | WRITABLE_BY_CLIENT_LIBRARY
    )[name]


@pytest.mark.parametrize("name", READABLE)
def test_readable_attribute_is_as_published(name: str):
    assert load_contract()[name].type == READABLE[name]


def test_without_the_overlay_data_and_project_are_as_loose_as_published():
    bare = build_attributes(read_document(locate_schema("task-api.openapi.yaml")), {})
    assert bare["data"].type is Type.ANY
    assert bare["project"].nullable
    assert bare["inner_id"].maximum is None


def test_computed_attributes():
    people_set = {name for name, row in load_contract().items() if row.writable}
    people_set -= {name for name, row in load_contract().items() if row.computed}
    assert people_set == {"allow_skip", "data", "inner_id", "meta", "overlap", "project"}


def test_attributes_that_the_list_has_only_in_full():
    only_in_full_list = {name for name, row in load_contract().items() if row.only_in_full_list}
    assert only_in_full_list == {
        "avg_lead_time",
        "completed_at",
        "draft_exists",
        "predictions_score",
    }


def test_every_attribute_is_described_in_one_sentence_of_its_own():
    descriptions = [row.description for row in load_contract().values()]
    assert all(text.endswith(".") and len(text) > 20 for text in descriptions)
    assert len(set(descriptions)) == len(descriptions)


def test_the_contract_cannot_be_changed_by_accident():
    with pytest.raises(TypeError):
        load_contract()["data"] = None  # type: ignore[index] # what no type checker lets pass


def test_an_update_answers_one_of_three_objects_by_role():
    document: Mapping[str, Any] = read_document(locate_schema("task-api.openapi.yaml"))
    roles = document["components"]["schemas"]["TaskForRole"]["anyOf"]
    assert [role["$ref"].rpartition("/")[2] for role in roles] == [
        "TaskForAdministrator",
        "TaskForReviewer",
        "TaskForAnnotator",
    ]


def test_every_row_of_the_overlay_is_of_use_to_the_contract():
    overlay: Mapping[str, Any] = load_overlay()
    assert overlay["attributes"].keys() <= load_contract().keys()


OVERLAP = Attribute(name="overlap", type=Type.INTEGER, description="")


def test_overlay_passes_over_attributes_that_are_not_there():
    overlay = {"attributes": {"data": {"type": "object"}}}
    assert apply_overlay({"overlap": OVERLAP}, overlay) == {"overlap": OVERLAP}


@pytest.mark.parametrize("row", [{"computd": True}, {"type": "text"}, {"name": "other"}])
def test_overlay_with_a_slip_is_refused(row: dict[str, object]):
    with pytest.raises(ContractError, match="overlap"):
        apply_overlay({"overlap": OVERLAP}, {"attributes": {"overlap": row}})
