"""Descriptions by others: a server's own, OpenAPI 3.1, combinations, and what is no description."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.contract.attributes import Type
from reconciler.contract.openapi import build_attributes, load_overlay
from reconciler.errors import ContractError

SERVER = json.loads((Path(__file__).parent / "server-openapi.json").read_text())


def describing(properties: dict[str, Any], *, path: str = "/api/tasks/{id}/") -> dict[str, Any]:
    """Return a description in which PATCH takes and both operations answer ``properties``."""
    schema = {"type": "object", "properties": properties}
    body = {"content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": body, "responses": {"200": body}}
    return {"openapi": "3.1.0", "paths": {path: {"get": operation, "patch": operation}}}


def test_a_servers_own_description():
    attributes = build_attributes(SERVER, load_overlay())
    assert {name for name, row in attributes.items() if row.writable} == {
        "cancelled_annotations",
        "comment_authors",
        "comment_count",
        "data",
        "inner_id",
        "is_labeled",
        "last_comment_updated_at",
        "meta",
        "overlap",
        "project",
        "total_annotations",
        "total_predictions",
        "unresolved_comment_count",
    }
    assert attributes["state"].readable
    assert attributes["overlap"].maximum == 9223372036854775807
    assert attributes["inner_id"].nullable
    assert attributes["total_annotations"].computed


def test_the_overlay_guards_a_servers_own_description_too():
    attributes = build_attributes(SERVER, load_overlay())
    assert attributes["data"].type is Type.OBJECT
    assert not attributes["project"].nullable


def test_the_form_for_writing_counts_where_it_differs_from_that_for_reading():
    bare = build_attributes(SERVER, {})
    assert (bare["updated_by"].type, bare["updated_by"].writable) == (Type.INTEGER, True)
    laid = build_attributes(SERVER, load_overlay())
    assert (laid["updated_by"].type, laid["updated_by"].writable) == (Type.ARRAY, False)


@pytest.mark.parametrize(
    "path", ["/api/tasks/{id}", "/api/tasks/{pk}/", "/label-studio/api/tasks/{id}/"]
)
def test_paths_by_other_names(path: str):
    assert "data" in build_attributes(describing({"data": {}}, path=path), {})


@pytest.mark.parametrize(
    ("schema", "type_", "nullable"),
    [
        ({"type": "integer", "nullable": True}, "integer", True),
        ({"type": ["integer", "null"]}, "integer", True),
        ({"type": ["integer", "number"]}, "number", False),
        ({"type": ["integer", "string"]}, "any", False),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer", True),
        ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, "any", False),
        ({"oneOf": [{"type": "string", "enum": ["a"]}, {"enum": [None]}]}, "string", True),
        ({"allOf": [{"$ref": "#/components/schemas/X"}], "nullable": True}, "integer", True),
        ({"$ref": "#/components/schemas/X"}, "integer", False),
        ({"$ref": "#/components/schemas/a~1b"}, "boolean", False),
        ({}, "any", False),
        (True, "any", False),
    ],
)
def test_ways_to_say_a_type(schema: Any, type_: str, nullable: bool):  # noqa: ANN401, FBT001 - columns of the table
    document = describing({"x": schema})
    schemas = {"X": {"type": "integer", "maximum": 5}, "a/b": {"type": "boolean"}}
    document["components"] = {"schemas": schemas}
    row = build_attributes(document, {})["x"]
    assert (row.type, row.nullable) == (type_, nullable)
    assert row.maximum == (5 if "X" in str(schema) else None)


def test_alternatives_are_as_wide_as_the_widest():
    alternatives: list[dict[str, Any]] = [
        {"type": "integer", "minimum": 0, "maximum": 3},
        {"type": "integer"},
    ]
    row = build_attributes(describing({"x": {"anyOf": alternatives}}), {})["x"]
    assert (row.minimum, row.maximum) == (None, None)
    alternatives[1] |= {"minimum": -2, "maximum": 2}
    row = build_attributes(describing({"x": {"anyOf": alternatives}}), {})["x"]
    assert (row.minimum, row.maximum) == (-2, 3)


def test_a_role_that_may_write_is_enough():
    document = describing({})
    responses = document["paths"]["/api/tasks/{id}/"]["patch"]["responses"]
    roles = [{"properties": {"overlap": {"type": "integer", "readOnly": mark}}} for mark in (1, 0)]
    roles[0]["properties"]["overlap"]["readOnly"] = True
    document["paths"]["/api/tasks/{id}/"]["patch"] = {
        "responses": {200: {"content": {"application/json": {"schema": {"oneOf": roles}}}}}
    }
    assert responses
    assert build_attributes(document, {})["overlap"].writable


def without(*keys: str) -> dict[str, Any]:
    document: dict[str, Any] = copy.deepcopy(SERVER)
    inner = document
    for key in keys[:-1]:
        inner = inner[key]
    del inner[keys[-1]]
    return document


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "expected an OpenAPI 3 document, found no key 'openapi'"),
        ({"swagger": "2.0"}, "found Swagger 2.0"),
        ({"openapi": "4.0.0"}, "found OpenAPI 4.0.0"),
        ({"openapi": "3.0.3", "paths": []}, "does not describe PATCH /api/tasks/{id}/"),
        (without("paths", "/api/tasks/{id}/"), "does not describe PATCH /api/tasks/{id}/"),
        (without("paths", "/api/tasks/{id}/", "patch"), "does not describe PATCH /api/tasks/{id}/"),
        (without("paths", "/api/tasks/{id}/", "get"), "does not describe GET /api/tasks/{id}/"),
        (without("components", "schemas", "BaseTask"), "'#/components/schemas/BaseTask', which"),
        (describing({"x": {"$ref": "other.yaml#/X"}}), "outside of it"),
    ],
)
def test_what_is_no_description_of_this_api(document: dict[str, Any], message: str):
    with pytest.raises(ContractError) as caught:
        build_attributes(document, {})
    assert message in caught.value.message
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "circle",
    [{"$ref": "#/components/schemas/X"}, {"allOf": [{"$ref": "#/components/schemas/X"}]}],
)
def test_circles_are_refused(circle: dict[str, Any]):
    document = describing({"x": {"$ref": "#/components/schemas/X"}})
    document["components"] = {"schemas": {"X": circle}}
    with pytest.raises(ContractError):
        build_attributes(document, {})
