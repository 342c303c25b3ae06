"""The table of attributes -> JSON Schemas of manifests and of PATCH bodies.

Draft 7, because editors and linters of YAML support it best. Only keywords that python-jsonschema
and jsonschema-rs read alike are used. ``examples``, ``default`` and ``pattern`` are for editors,
and so are ``defaultSnippets`` and ``patternErrorMessage``, which validators ignore.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from reconciler.contract.attributes import Attribute, Attributes, Type

Schema = dict[str, object]

_DIALECT = "http://json-schema.org/draft-07/schema#"
_COMPUTED = "Computed by the server: it overwrites what you declare."
# What Community 1.23.2 does with a PATCH of these: docs/manifest.md and docs/server-facts.md.
_IGNORED_BY_COMMUNITY = frozenset(
    {"predictions_score", "avg_lead_time", "completed_at", "draft_exists"}
)
_HIDDEN_BY_COMMUNITY = frozenset(
    {
        *("allow_skip", "ground_truth", "precomputed_agreement", "reviewed", "reviewed_at"),
        *("reviews_accepted", "reviews_rejected"),
    }
)
_EXAMPLES: Mapping[str, list[object]] = {
    "overlap": [2],
    "inner_id": [1],
    "project": [7],
}
_SNIPPETS: Mapping[str, Mapping[str, Schema]] = {
    "data": {
        "a text": {"text": "${1:A sentence.}"},
        "an image": {"image": "${1:s3://bucket/a.jpg}"},
    },
    "meta": {"a source": {"source": "${1:crawl}"}},
}
"""What an editor offers for an object, by label: it shows an example as ``[object Object]``."""
_ABSENT_PATH = r"^(data|meta)[.\[]"
"""How a path of ``absent`` begins. `manifest.checks` checks all of it, with better messages."""

_INSTANT = (
    "A date-time with its offset, such as 2026-01-02T03:04:05Z; compared as an instant, since the "
    "server keeps it in UTC, and only to the microsecond."
)
_WHOLE_32_BITS = {"minimum": -(2**31), "maximum": 2**31 - 1}


def build_manifest_schema(attributes: Attributes) -> Schema:
    """Return the schema of a manifest with the writable ones of ``attributes``."""
    writable = _sort_computed_last(attributes)
    return {
        "$schema": _DIALECT,
        "title": "Label Studio tasks as code",
        "description": (
            "A manifest declares what tasks should look like. What it leaves out stays as it is."
        ),
        "type": "object",
        "required": ["version", "tasks"],
        "additionalProperties": False,
        "properties": _build_header(),
        "definitions": {
            "attributes": {
                "description": (
                    "Attributes for every task of this manifest. A task's own values override "
                    "these; objects are merged."
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
    """Return the schema of a PATCH body: the last check before a request is sent."""
    return {
        "$schema": _DIALECT,
        "title": "Update of a task",
        "description": (
            "Attributes to change, at least one: even an empty update changes updated_at."
        ),
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
    if attribute.name in _EXAMPLES:
        schema["examples"] = _EXAMPLES[attribute.name]
    if attribute.name in _SNIPPETS:
        schema["defaultSnippets"] = _build_snippets(_SNIPPETS[attribute.name])
    return schema


def format_schema(schema: Mapping[str, object]) -> str:
    """Return the text of a schema as it is committed: the same schema gives the same text."""
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
    if attribute.name in _IGNORED_BY_COMMUNITY:
        parts.append("The community edition ignores it in updates.")
    if attribute.name in _HIDDEN_BY_COMMUNITY:
        parts.append("The community edition neither shows nor updates it.")
    return " ".join(parts)


def _sort_computed_last(attributes: Attributes) -> dict[str, Attribute]:
    """Return the writable attributes, those that the server computes last."""
    writable = [row for row in attributes.values() if row.writable]
    return {row.name: row for row in sorted(writable, key=lambda row: row.computed)}


def _build_header() -> Schema:
    return {
        "version": {
            "description": "Version of the manifest format: 1.",
            "const": 1,
            "default": 1,
        },
        "server": {
            "description": (
                "Address of the server that has these tasks. A run against another server stops "
                "before its first request. This never chooses the server: settings do."
            ),
            "type": "string",
            "examples": ["https://label-studio.example.org"],
        },
        "project": {
            "description": (
                "Number of the project that all these tasks are in. It is checked, never changed."
            ),
            "type": "integer",
            "minimum": 1,
            "examples": [7],
        },
        "policy": {
            "description": "How data and meta are compared with the server; the default is merge.",
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
                "Path or address of this schema, for editors; in YAML, use a comment. The tool "
                "does not read it."
            ),
            "type": "string",
        },
    }


def _build_snippets(bodies: Mapping[str, Schema]) -> list[Schema]:
    return [{"label": label, "body": body} for label, body in bodies.items()]


def _build_policy(name: str) -> Schema:
    return {
        "description": (
            f"merge manages the declared paths of {name} and keeps all others; replace manages all "
            f"of {name}: keys that are not declared are removed."
        ),
        "enum": ["merge", "replace"],
        "default": "merge",
    }


def _build_task(writable: Attributes) -> Schema:
    return {
        "description": "A task: its id, and what it should look like.",
        "type": "object",
        "required": ["id"],
        "additionalProperties": False,
        "properties": {
            "id": {
                "description": "Number of the task on the server; it must exist there.",
                "type": "integer",
                "minimum": 1,
                "maximum": 2**63 - 1,
                "examples": [101],
            },
            "absent": {
                "description": "Paths inside data and meta to remove, if they exist.",
                "type": "array",
                "uniqueItems": True,
                "items": {"$ref": "#/definitions/path"},
                "examples": [["data.old_key"], ['data["a.b"]']],
            },
            **{name: {"$ref": f"#/definitions/attributes/properties/{name}"} for name in writable},
        },
    }


def _build_path() -> Schema:
    """Build one schema for both forms of a path: an anyOf would report the failures of each."""
    return {
        "description": (
            "A path inside data or meta, such as data.old_key. A key with a dot is written "
            'data["a.b"], or as a list: [data, a.b].'
        ),
        "type": ["string", "array"],
        "minLength": 1,
        "pattern": _ABSENT_PATH,
        "patternErrorMessage": "Write a path inside data or meta, such as data.old_key.",
        "minItems": 2,
        "items": {
            "description": "One key of the path.",
            "type": "string",
            "minLength": 1,
        },
    }
