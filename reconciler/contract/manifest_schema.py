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

EDITOR_PATTERNS = ("path", "condition_path")
"""The definitions whose ``pattern`` is for editors only."""

IDS_MAX = 1_000_000
"""Ids that ``ids`` of one run may name in all, and keys that ``keys`` may."""
RULES_MAX = 1_000
"""Rules of one run: each pair is compared."""
RULE_NAME_MAX = 200
"""Characters of the name of a rule."""

ALLOWED_KINDS = ("annotated-data", "annotated-extra", "label-config", "empty-data")
"""What ``allow`` of a manifest accepts."""

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
        "required": ["version"],
        "anyOf": [{"required": [name]} for name in ("tasks", "key", "rules")],
        "dependencies": {"key": ["project"], "rules": ["project"]},
        "additionalProperties": False,
        "properties": _build_header(),
        "definitions": {
            "attributes": {
                "description": "Attributes, and what they should be.",
                "type": "object",
                "additionalProperties": False,
                "properties": {name: build_attribute_schema(row) for name, row in writable.items()},
            },
            "defaults": _build_defaults(writable),
            "task": _build_task(writable),
            "allowance": _build_allowance(),
            "rule": _build_rule(),
            "condition": _build_condition(),
            "path": _build_path(),
            "condition_path": _build_condition_path(attributes),
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
                "Number of the project that all these tasks are in, or the name that the settings "
                "map to a number. It is checked, never changed."
            ),
            "type": ["integer", "string"],
            "minimum": 1,
            "minLength": 1,
            "examples": [7, "reviews"],
        },
        "key": {
            "description": (
                "Path to the string or integer inside data or meta that names a task on every "
                "server. Tasks can then be declared with key instead of id. Requires project."
            ),
            "allOf": [{"$ref": "#/definitions/path"}],
            "examples": ["data.external_id"],
        },
        "policy": {
            "description": "How data and meta are compared with the server; the default is merge.",
            "type": "object",
            "additionalProperties": False,
            "properties": {name: _build_policy(name) for name in ("data", "meta")},
        },
        "defaults": {"$ref": "#/definitions/defaults"},
        "allow": {
            "description": (
                "Dangerous changes that are intended, for what this manifest declares. The plan "
                "says what it allowed and why."
            ),
            "type": "array",
            "items": {"$ref": "#/definitions/allowance"},
        },
        "rules": {
            "description": (
                "What every task of the project that matches should be. What a task declares "
                "itself wins. Requires project."
            ),
            "type": "array",
            "items": {"$ref": "#/definitions/rule"},
        },
        "tasks": {
            "description": (
                "The tasks that this manifest manages. Optional in a manifest with key or rules."
            ),
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


def _refer_to_attributes(writable: Attributes) -> Schema:
    return {name: {"$ref": f"#/definitions/attributes/properties/{name}"} for name in writable}


def _build_absent(description: str) -> Schema:
    return {
        "description": description,
        "type": "array",
        "uniqueItems": True,
        "items": {"$ref": "#/definitions/path"},
        "examples": [["data.old_key"], ['data["a.b"]']],
    }


def _build_defaults(writable: Attributes) -> Schema:
    return {
        "description": (
            "Attributes for every task of this manifest. What a task declares itself wins; "
            "objects are merged."
        ),
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "absent": _build_absent(
                "Paths inside data and meta to remove from every task that does not declare them."
            ),
            **_refer_to_attributes(writable),
        },
    }


def _build_task(writable: Attributes) -> Schema:
    return {
        "description": "A task: its id or its key, and what it should look like.",
        "type": "object",
        "oneOf": [{"required": [name]} for name in ("id", "key", "ids", "keys")],
        "additionalProperties": False,
        "properties": {
            "id": {
                "description": "Number of the task on the server; it must exist there.",
                "type": "integer",
                "minimum": 1,
                "maximum": 2**63 - 1,
                "examples": [101],
            },
            "key": {
                "description": "Value of the task at the path that key at the top names.",
                "type": ["string", "integer"],
                "minLength": 1,
                "examples": ["x-000102"],
            },
            "ids": {
                "description": (
                    "Numbers of the tasks that share this declaration; each must exist. A range "
                    'is written "107-120".'
                ),
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": ["integer", "string"],
                    "minimum": 1,
                    "maximum": 2**63 - 1,
                    "pattern": "^[0-9]{1,19}-[0-9]{1,19}$",
                },
                "examples": [[105, "107-120"]],
            },
            "keys": {
                "description": "Keys of the tasks that share this declaration.",
                "type": "array",
                "minItems": 1,
                "items": {"type": ["string", "integer"], "minLength": 1},
                "examples": [["x-000102", "x-000103"]],
            },
            "absent": _build_absent("Paths inside data and meta to remove, if they exist."),
            **_refer_to_attributes(writable),
        },
        "defaultSnippets": _build_snippets({"a task": {"id": "${1:101}"}}),
    }


def _build_allowance() -> Schema:
    return {
        "description": "One kind of dangerous change that is intended.",
        "type": "object",
        "required": ["kind", "reason"],
        "additionalProperties": False,
        "properties": {
            "kind": {
                "description": "The kind of problem, as plans name it.",
                "enum": list(ALLOWED_KINDS),
            },
            "paths": {
                "description": (
                    "Paths inside data where it is allowed, with everything inside them. Leave "
                    "it out to allow it everywhere."
                ),
                "type": "array",
                "minItems": 1,
                "uniqueItems": True,
                "items": {"$ref": "#/definitions/path"},
                "examples": [["data.image"]],
            },
            "reason": {
                "description": "Why it is intended, for reviewers; every output shows it.",
                "type": "string",
                "minLength": 1,
                "examples": ["the bucket moved; the pictures are the same"],
            },
        },
    }


def _build_rule() -> Schema:
    return {
        "description": "What every task that matches should be.",
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {
            "name": {
                "description": "What the rule is for, in words. Unique in a run.",
                "type": "string",
                "minLength": 1,
                "maxLength": RULE_NAME_MAX,
                "examples": ["label the validation split twice"],
            },
            "where": {
                "description": (
                    "Which tasks it is for: paths, and what must hold of the values there. All "
                    "must hold. Leave it out for every task of the project."
                ),
                "type": "object",
                "propertyNames": {"$ref": "#/definitions/condition_path"},
                "additionalProperties": {"$ref": "#/definitions/condition"},
                "defaultSnippets": _build_snippets(
                    {
                        "a value": {"data.${1:split}": "${2:val}"},
                        "a prefix": {"data.${1:image}": {"prefix": "${2:s3://bucket/}"}},
                    }
                ),
            },
            "set": {
                "description": "Attributes, and what they should be; objects are merged.",
                "allOf": [{"$ref": "#/definitions/attributes"}],
            },
            "absent": _build_absent("Paths inside data and meta to remove, if they exist."),
            "rewrite": {
                "description": (
                    "Paths inside data and meta, and how to change the beginning of the string "
                    "there. A value that does not begin with prefix is left alone."
                ),
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "required": ["prefix", "to"],
                    "additionalProperties": False,
                    "properties": {
                        "prefix": {
                            "description": "How the string begins now.",
                            "type": "string",
                            "minLength": 1,
                        },
                        "to": {"description": "How it should begin.", "type": "string"},
                    },
                },
                "defaultSnippets": _build_snippets(
                    {
                        "a bucket": {
                            "data.${1:image}": {
                                "prefix": "${2:s3://old-photos/}",
                                "to": "${3:s3://photos/}",
                            }
                        }
                    }
                ),
            },
            "expect": {
                "description": "How many tasks may match; otherwise the plan is blocked.",
                "type": "object",
                "minProperties": 1,
                "additionalProperties": False,
                "properties": {
                    "min": {"description": "At least.", "type": "integer", "minimum": 0},
                    "max": {"description": "At most.", "type": "integer", "minimum": 0},
                },
            },
        },
    }


def _build_condition() -> Schema:
    """Build one schema for all forms of a condition: an anyOf would report the failures of each."""
    bound = {"type": ["number", "string"], "examples": [3, "2026-10-01T12:00:00Z"]}
    text = {"type": "string", "minLength": 1}
    return {
        "description": (
            "A value to equal, a list of values of which one must be equal, or operators that must "
            "all hold."
        ),
        "type": ["object", "array", "string", "number", "boolean", "null"],
        "minItems": 1,
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            "equals": {"description": "Equals this value, also an object or a list as a whole."},
            "not": {"description": "Exists, and equals neither this nor an element of this list."},
            "exists": {"description": "Whether the path exists.", "type": "boolean"},
            "gt": {"description": "Greater than this number or date-time.", **bound},
            "gte": {"description": "At least this number or date-time.", **bound},
            "lt": {"description": "Less than this number or date-time.", **bound},
            "lte": {"description": "At most this number or date-time.", **bound},
            "prefix": {"description": "A string that begins with this.", **text},
            "contains": {"description": "A string, or a list, that contains this.", **text},
        },
    }


def _build_condition_path(attributes: Attributes) -> Schema:
    names = "|".join(row.name for row in attributes.values() if row.readable)
    return {
        "description": "A path of an attribute that the server shows, such as data.split.",
        "type": "string",
        "pattern": rf"^({names})($|[.\[])",
        "patternErrorMessage": "Write a path of an attribute, such as data.split.",
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
