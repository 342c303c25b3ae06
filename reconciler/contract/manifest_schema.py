"""The table of attributes -> JSON Schemas of manifests and of PATCH bodies.

Draft 7, because that is what editors and linters of YAML know best. Only keywords that
python-jsonschema and jsonschema-rs read alike are used: no patterns, whose dialects differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from reconciler.contract.attributes import Attribute, Attributes, Type

Schema = dict[str, object]

_DIALECT = "http://json-schema.org/draft-07/schema#"
_COMPUTED = "Computed by the server: it overwrites what you declare."
_INSTANT = (
    "A date-time with its offset, such as 2026-01-02T03:04:05Z; compared as an instant, since the "
    "server keeps UTC and cuts after microseconds."
)
_WHOLE_32_BITS = {"minimum": -(2**31), "maximum": 2**31 - 1}


def build_manifest_schema(attributes: Attributes) -> Schema:
    """Return the schema of a manifest in which the writable ones of ``attributes`` can stand."""
    writable = {name: row for name, row in attributes.items() if row.writable}
    return {
        "$schema": _DIALECT,
        "title": "Label Studio tasks as code",
        "description": "A manifest: what tasks should be. What it leaves out is not managed.",
        "type": "object",
        "required": ["version", "tasks"],
        "additionalProperties": False,
        "properties": _build_header(),
        "definitions": {
            "attributes": {
                "description": (
                    "Attributes for every task of this manifest; what a task declares itself wins, "
                    "and objects merge."
                ),
                "type": "object",
                "additionalProperties": False,
                "properties": {name: build_attribute_schema(row) for name, row in writable.items()},
            },
            "task": _build_task(writable),
            "path": _build_path(),
        },
    }


def build_patch_schema(attributes: Attributes) -> Schema:
    """Return the schema of a PATCH body: the last gate before a request leaves."""
    return {
        "$schema": _DIALECT,
        "title": "Update of a task",
        "description": "Attributes to change, at least one: even an empty update moves updated_at.",
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            name: build_attribute_schema(row) for name, row in attributes.items() if row.writable
        },
    }


def build_attribute_schema(attribute: Attribute) -> Schema:
    """Return the schema of one attribute's values, with the text that editors show."""
    schema: Schema = {"description": _describe(attribute)}
    if attribute.type is not Type.ANY:
        name = attribute.type.value
        schema["type"] = [name, "null"] if attribute.nullable else name
    if attribute.is_date_time:
        schema["format"] = attribute.format
    if attribute.minimum is not None:
        schema["minimum"] = attribute.minimum
    if attribute.maximum is not None:
        schema["maximum"] = attribute.maximum
    return schema


def format_schema(schema: Mapping[str, object]) -> str:
    """Write a schema as the text that is committed: the same for the same schema, always."""
    return json.dumps(schema, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _describe(attribute: Attribute) -> str:
    article = "An" if attribute.type.value[0] in "aio" else "A"
    fallback = "Any JSON value." if attribute.type is Type.ANY else f"{article} {attribute.type}."
    parts = [attribute.description or fallback]
    bounds = {"minimum": attribute.minimum, "maximum": attribute.maximum}
    if bounds == _WHOLE_32_BITS:
        parts.append("A 32-bit integer.")
    if attribute.is_date_time:
        parts.append(_INSTANT)
    if attribute.computed:
        parts.append(_COMPUTED)
    return " ".join(parts)


def _build_header() -> Schema:
    return {
        "version": {
            "description": "Version of the manifest format: 1.",
            "const": 1,
        },
        "server": {
            "description": (
                "Address of the server that these tasks are on, such as "
                "https://label-studio.example.org. A run against another server is refused before "
                "its first request. It never chooses the server: settings do."
            ),
            "type": "string",
        },
        "project": {
            "description": (
                "Number of the project that all tasks here belong to. It is checked, never changed."
            ),
            "type": "integer",
            "minimum": 1,
        },
        "policy": {
            "description": "How data and meta are compared with the server; merge when left out.",
            "type": "object",
            "additionalProperties": False,
            "properties": {name: _build_policy(name) for name in ("data", "meta")},
        },
        "defaults": {"$ref": "#/definitions/attributes"},
        "tasks": {
            "description": "The tasks that this manifest manages.",
            "type": "array",
            "items": {"$ref": "#/definitions/task"},
        },
        "$schema": {
            "description": (
                "Where this schema is, for editors; in YAML a comment says it. Read by nobody else."
            ),
            "type": "string",
        },
    }


def _build_policy(name: str) -> Schema:
    return {
        "description": (
            f"merge manages the paths of {name} that are declared and keeps all others; replace "
            f"manages the whole of {name}: keys that are not declared are removed."
        ),
        "enum": ["merge", "replace"],
    }


def _build_task(writable: Attributes) -> Schema:
    return {
        "description": "A task: its id and what is declared of it.",
        "type": "object",
        "required": ["id"],
        "additionalProperties": False,
        "properties": {
            "id": {
                "description": "Number of the task on the server; it must exist there.",
                "type": "integer",
                "minimum": 1,
                "maximum": 2**63 - 1,
            },
            "absent": {
                "description": "Paths that must not exist; where they do, they are removed.",
                "type": "array",
                "uniqueItems": True,
                "items": {"$ref": "#/definitions/path"},
            },
            **{name: {"$ref": f"#/definitions/attributes/properties/{name}"} for name in writable},
        },
    }


def _build_path() -> Schema:
    """One schema for both forms: an anyOf would report the failures of each in turn."""
    return {
        "description": (
            "A place inside data or meta, such as data.old_key; as a list of keys, such as "
            "[data, a.b], where a key itself contains a dot."
        ),
        "type": ["string", "array"],
        "minLength": 1,
        "minItems": 2,
        "items": {
            "description": "One key of the path.",
            "type": "string",
            "minLength": 1,
        },
    }
