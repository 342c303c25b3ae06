"""What the schema objects to, in words that a person can act on."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from reconciler.contract.attributes import Attributes
from reconciler.errors import Problem
from reconciler.manifest.document import Document
from reconciler.manifest.marks import Steps, key_node_of, node_of
from reconciler.plan.notation import path_text, shortened, value_text
from reconciler.plan.values import Json

if TYPE_CHECKING:
    from jsonschema import ValidationError

_FOUND_TYPES: Final[dict[type, str]] = {
    dict: "an object",
    list: "a list",
    str: "the string",
    bool: "the boolean",
    int: "the integer",
    float: "the number",
}
_EXPECTED_TYPES: Final = {
    "object": "an object",
    "array": "a list",
    "string": "a string",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "null": "null",
}
_HINTS: Final = {
    "version": "this tool reads manifests of version 1",
    "project": "a task always has a project: null would delete it",
    "data": "the server breaks for good on data that is not an object",
}
_DATE_TIME: Final = "write it like 2026-10-01T12:00:00Z or 2026-10-01T14:00:00+02:00"


def explained(
    error: ValidationError, prefix: Steps, document: Document, attributes: Attributes
) -> Iterator[Problem]:
    """Turn one error of the schema, found in the value at ``prefix``, into problems."""
    steps = (*prefix, *error.absolute_path)
    if error.validator == "additionalProperties":
        known = _known_keys(error)
        for key in _instance(error):
            if key not in known:
                at = document.marks.source(key_node_of(document.value, (*steps, key)))
                yield Problem(at, path_text((*steps, key)), *_unknown_key(key, known, attributes))
        return
    at = document.marks.source(node_of(document.value, steps))
    yield Problem(at, path_text(steps), _message(error), _hint(error))


def _unknown_key(key: str, known: Sequence[str], attributes: Attributes) -> tuple[str, str]:
    """Say what is wrong with a key that the schema does not have there, and what to do."""
    attribute = attributes.get(key)
    if attribute is not None and not attribute.writable:
        return "this attribute is read-only", "remove it: only the server sets it"
    close = difflib.get_close_matches(key, known, n=1)
    if close:
        return "not a known key here", f"did you mean {close[0]}?"
    if attribute is not None:
        return "not a known key here", "attributes stand in tasks or in defaults"
    return "not a known key here", f"known are {', '.join(known)}"


def _message(error: ValidationError) -> str:
    describe = _MESSAGES.get(str(error.validator))
    if describe is None:
        return shortened(error.message, 200)
    wanted: Any = error.validator_value
    return describe(wanted, _instance(error))


_MESSAGES: Final[dict[str, Callable[[Any, Any], str]]] = {
    "type": lambda wanted, found: f"expected {_types(wanted)}, found {_found(found)}",
    "const": lambda wanted, found: f"expected {value_text(wanted)}, found {_found(found)}",
    "enum": lambda wanted, found: (
        f"expected {' or '.join(map(value_text, wanted))}, found {_found(found)}"
    ),
    "required": lambda wanted, found: (
        f"{', '.join(key for key in wanted if key not in found)} is missing"
    ),
    "minimum": lambda wanted, found: f"expected at least {wanted}, found {_found(found)}",
    "maximum": lambda wanted, found: f"expected at most {wanted}, found {_found(found)}",
    "format": lambda _, found: f"expected a date-time, found {_found(found)}",
    "minLength": lambda _, found: f"expected more than {_found(found)}",
    "minItems": lambda wanted, found: f"expected at least {wanted} elements, found {len(found)}",
    "uniqueItems": lambda _, found: f"an element stands twice in {_found(found)}",
}
"""By keyword of the schema: what it wants and what stands there, to what is said of it."""


def _hint(error: ValidationError) -> str:
    if error.validator == "format":
        return _DATE_TIME
    if error.validator == "required":
        return "add it"
    if error.validator in {"type", "const"} and error.absolute_path:
        return _HINTS.get(str(error.absolute_path[-1]), "")
    return ""


def _instance(error: ValidationError) -> Any:  # noqa: ANN401 - whatever the manifest holds
    return error.instance


def _known_keys(error: ValidationError) -> list[str]:
    schema: Any = error.schema
    return list(schema.get("properties", {}))


def _types(wanted: str | Sequence[str]) -> str:
    names = [wanted] if isinstance(wanted, str) else wanted
    return " or ".join(_EXPECTED_TYPES[name] for name in names)


def _found(value: Json) -> str:
    if value is None:
        return "null"
    name = _FOUND_TYPES[type(value)]
    if isinstance(value, dict | list):
        return name if value else f"{name} that is empty"
    return f"{name} {shortened(value_text(value))}"
