from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import jsonschema_rs
import pytest

from reconciler.contract.api_description import ApiDescription, read_document
from reconciler.contract.attributes import Attribute, Type
from reconciler.contract.location import locate_schema
from reconciler.contract.manifest_schema import (
    build_manifest_schema,
    build_patch_schema,
    format_schema,
)
from reconciler.contract.openapi import load_contract
from reconciler.contract.schema_file import build_schema, compare_schema, list_attributes
from reconciler.errors import ContractError
from tests.live.attributes import IGNORED

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMITTED = locate_schema("manifest.schema.json")
SERVER = ApiDescription("a server", read_document(Path(__file__).parent / "server-openapi.json"))
MANIFEST: Any = build_manifest_schema(load_contract())
FOR_EDITORS = {"description", "examples", "defaultSnippets"}
PATCH: Any = build_patch_schema(load_contract())


def test_the_committed_schema_is_what_its_source_gives():
    assert COMMITTED.read_text(encoding="utf-8") == build_schema(None)
    assert compare_schema(COMMITTED) == []


@pytest.mark.parametrize("schema", [MANIFEST, PATCH, json.loads(build_schema(SERVER))])
def test_schemas_are_valid_in_draft_7(schema: Any):  # noqa: ANN401 - any JSON
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema_rs.Draft7Validator(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_a_manifest_has_exactly_these_keys():
    assert list(MANIFEST["properties"]) == [
        *("version", "server", "project", "key", "policy", "defaults", "allow", "rules", "tasks"),
        "$schema",
    ]
    assert MANIFEST["required"] == ["version"]
    assert list(MANIFEST["definitions"]) == [
        *("attributes", "defaults", "task", "allowance", "rule", "condition", "path"),
        "condition_path",
    ]


def test_a_task_has_id_absent_and_each_writable_attribute_those_computed_last():
    writable = [name for name, row in load_contract().items() if row.writable]
    assert len(writable) == 23
    sorted_ones = list(MANIFEST["definitions"]["attributes"]["properties"])
    assert sorted_ones == sorted(writable, key=lambda name: load_contract()[name].computed)
    assert list(MANIFEST["definitions"]["task"]["properties"]) == [
        *("id", "key", "ids", "keys", "absent"),
        *sorted_ones,
    ]
    assert list(PATCH["properties"]) == writable


def properties(schema: Any, *, pointer: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any JSON
    if isinstance(schema, dict):
        for name, inner in schema.get("properties", {}).items():
            yield f"{pointer}/{name}", inner
        for key, inner in schema.items():
            yield from properties(inner, pointer=f"{pointer}/{key}")


@pytest.mark.parametrize("schema", [MANIFEST, PATCH, json.loads(build_schema(SERVER))])
def test_every_property_has_a_text_for_editors(schema: Any):  # noqa: ANN401 - any JSON
    for pointer, found in properties(schema):
        inner = found
        while "$ref" in inner:
            target: Any = schema
            for key in inner["$ref"].removeprefix("#/").split("/"):
                target = target[key]
            inner = target
        assert inner.get("description", "").endswith("."), pointer


def iterate_examples(schema: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - any JSON
    if isinstance(schema, dict):
        for example in (
            *schema.get("examples", ()),
            *(schema[k] for k in schema if k == "default"),
        ):
            yield {**schema, "definitions": MANIFEST["definitions"]}, example
        for inner in schema.values():
            yield from iterate_examples(inner)


def test_examples_and_defaults_are_valid():
    examples = list(iterate_examples({**MANIFEST, "properties": MANIFEST["properties"]}))
    assert len(examples) > 10
    for schema, example in examples:
        jsonschema.Draft7Validator(schema).validate(example)


@pytest.mark.parametrize("path", ["data.a", 'data["a.b"]', "meta.a.b", ["data", "a.b"]])
def test_the_pattern_of_a_path_accepts(path: object):
    schema = {**MANIFEST["definitions"]["path"]}
    jsonschema.Draft7Validator(schema).validate(path)


@pytest.mark.parametrize("path", ["data", "old_key", "overlap", "datax.a"])
def test_the_pattern_of_a_path_refuses(path: str):
    assert not jsonschema.Draft7Validator(MANIFEST["definitions"]["path"]).is_valid(path)


def test_the_schema_says_what_the_community_edition_does_not_update():
    attributes = MANIFEST["definitions"]["attributes"]["properties"]
    named = {name for name, schema in attributes.items() if "community" in schema["description"]}
    assert named == {*IGNORED, "reviewed_at"}


def test_what_an_attribute_becomes():
    attributes = MANIFEST["definitions"]["attributes"]["properties"]
    bare = {
        name: {key: value for key, value in schema.items() if key not in FOR_EDITORS}
        for name, schema in attributes.items()
    }
    assert bare["data"] == {"type": "object"}
    assert bare["meta"] == {}
    assert bare["overlap"] == {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
    assert bare["project"] == {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}
    assert bare["allow_skip"] == {"type": ["boolean", "null"]}
    assert bare["completed_at"] == {"type": "string", "format": "date-time"}
    assert bare["last_comment_updated_at"] == {"type": ["string", "null"], "format": "date-time"}
    assert bare["avg_lead_time"] == {"type": "number"}


def test_computed_attributes_say_so_to_editors():
    attributes = MANIFEST["definitions"]["attributes"]["properties"]
    for name, schema in attributes.items():
        assert ("Computed by the server" in schema["description"]) == load_contract()[name].computed


@pytest.mark.parametrize(("kind", "text"), [(Type.ANY, "Any JSON value."), (Type.OBJECT, "An obj")])
def test_an_attribute_without_words_gets_some(kind: Type, text: str):
    row = Attribute(name="x", type=kind, description="", writable=True)
    schema: Any = build_patch_schema({"x": row})
    assert schema["properties"]["x"]["description"].startswith(text)


def test_text_is_stable_and_ends_with_a_line():
    assert format_schema({"b": "é", "a": 1}) == '{\n  "b": "é",\n  "a": 1\n}\n'
    assert build_schema(None) == build_schema(None)


def test_a_server_gives_a_schema_of_what_it_can_store():
    schema = json.loads(build_schema(SERVER))
    attributes = schema["definitions"]["attributes"]["properties"]
    assert "overlap" in attributes
    assert "allow_skip" not in attributes
    assert all(row.writable for name, row in list_attributes(SERVER).items() if name in attributes)


def edited(folder: Path, edit: str) -> Path:
    schema = copy.deepcopy(MANIFEST)
    attributes = schema["definitions"]["attributes"]["properties"]
    if edit == "value":
        attributes["overlap"]["maximum"] = True
    elif edit == "less":
        del attributes["overlap"]
    elif edit == "more":
        attributes["a/b"] = {}
    file = folder / "manifest.schema.json"
    file.write_text(
        json.dumps(schema) if edit == "layout" else format_schema(schema), encoding="utf-8"
    )
    return file


PLACE = "/definitions/attributes/properties"


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        ("value", f"{PLACE}/overlap/maximum: committed true, but the contract says 2147483647"),
        ("less", f"{PLACE}/overlap: in the contract, but not committed"),
        ("more", f"{PLACE}/a~1b: committed, but not in the contract"),
        ("layout", "(the whole file): the same content in another order or layout"),
    ],
)
def test_check_names_the_place_and_the_difference(tmp_path: Path, edit: str, line: str):
    assert compare_schema(edited(tmp_path, edit)) == [line]


def test_check_against_another_source(tmp_path: Path):
    lines = compare_schema(edited(tmp_path, "none"), SERVER)
    assert f"{PLACE}/allow_skip: committed, but not in the contract" in lines


def test_check_of_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(ContractError, match="No such file"):
        compare_schema(tmp_path / "none.json")
