"""Errors of the schema, as problems that a person can act on."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from reconciler.contract.attributes import Attributes
from reconciler.core.notation import (
    count_noun,
    escape_invisible,
    format_path,
    format_value,
    shorten,
)
from reconciler.core.values import Json
from reconciler.errors import Problem
from reconciler.manifest.readers.document import Document
from reconciler.manifest.readers.scalars import parse_plain
from reconciler.manifest.readers.source_map import Steps
from reconciler.manifest.unknown_keys import explain_unknown_key
from reconciler.manifest.wrong_values import advise_form

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
_EMPTY: Final[dict[type, str]] = {dict: "an empty object", list: "an empty list"}
_HINTS: Final = {
    "version": "this tool reads version 1 only",
    "project": "write its number: 7 if the address of the project in the browser has /projects/7",
    "policy": "write {data: replace}, {meta: replace}, or both in one object",
    "tasks": 'begin each task with "- "',
    "data": (
        "write keys with values, such as {text: ...}: anything else breaks the task on the server"
    ),
    "absent": "write a list of paths: [data.old_key]",
}
_NULL_HINTS: Final = {
    "data": "indent its keys below it, or remove the line",
    "tasks": "write the tasks below it, or [] for none",
    "project": "write its number, or remove the line: with null, nothing can find the task",
}
_BOUND_HINTS: Final = {
    ("overlap", "minimum"): (
        "declare how many annotators should label the task: below 1 the server gives it to none, "
        "and below 0 it counts as labelled"
    ),
    ("inner_id", "minimum"): "write 1 or more: the server stores another number instead of 0",
    ("inner_id", "maximum"): (
        "write a smaller number: the server continues from the largest inner_id, and every import "
        "fails once no number is left"
    ),
}
UNKNOWN_MAX: Final = 100
"""Unknown keys of one object that are reported one by one."""

_TYPES: Final = frozenset({"type", "const"})
_DATE_TIME: Final = "write it like 2026-10-01T12:00:00Z or 2026-10-01T14:00:00+02:00"


def explain_error(
    error: ValidationError, prefix: Steps, document: Document, attributes: Attributes
) -> Iterator[Problem]:
    """Turn one error of the schema, found in the value at ``prefix``, into problems."""
    steps = (*prefix, *error.absolute_path)
    if error.validator == "additionalProperties":
        known = _list_known_keys(error)
        unknown = [key for key in _get_instance(error) if key not in known]
        for key in unknown[:UNKNOWN_MAX]:
            at = document.locate_key((*steps, key))
            explained = explain_unknown_key((*steps, key), known, attributes)
            yield Problem(at, format_path((*steps, key)), *explained)
        if len(unknown) > UNKNOWN_MAX:
            first = (*steps, unknown[UNKNOWN_MAX])
            more = f"{len(unknown) - UNKNOWN_MAX:,} more unknown keys from here on"
            yield Problem(
                document.locate_key(first), format_path(first), more, "correct those above first"
            )
        return
    if error.validator == "uniqueItems":
        yield from _explain_repeated(steps, _get_instance(error), document)
        return
    if error.validator == "dependencies":
        yield from _explain_dependencies(steps, error, document)
        return
    at = document.locate_value(steps)
    if error.validator in {"anyOf", "oneOf"}:
        if isinstance(_get_instance(error), dict):
            yield Problem(at, format_path(steps), *_explain_alternatives(error))
        return
    if error.validator == "required":
        misspelt = set(_list_suggestions(error))
        missing = (key for key in _list_wanted(error) if key not in _get_instance(error))
        missing = (key for key in missing if key not in misspelt)
        yield from (
            Problem(at, format_path(steps), f"{key} is missing", "add it") for key in missing
        )
        return
    yield Problem(at, format_path(steps), _make_message(error), _make_hint(error, steps))


def _explain_dependencies(
    steps: Steps, error: ValidationError, document: Document
) -> Iterator[Problem]:
    found = _get_instance(error)
    for key, needed in _list_wanted(error).items():
        if key in found and not found.keys() >= set(needed):
            yield Problem(
                document.locate_key((*steps, key)),
                format_path((*steps, key)),
                f"{' and '.join(needed)} is missing",
                "add it at the top: keys and rules are for the tasks of one project",
            )


def _explain_alternatives(error: ValidationError) -> tuple[str, str]:
    """Say that one of several keys is needed, or that only one of them is possible."""
    names = [name for wanted in _list_wanted(error) for name in wanted["required"]]
    found = [name for name in names if name in _get_instance(error)]
    if found:
        hint = "keep one if they name the same tasks; otherwise write an entry for each"
        return f"expected only one of {' and '.join(found)}", hint
    if "id" in names:
        return "id is missing", "add it; or key, ids or keys"
    return f"{names[0]} is missing", "add it"


def _explain_repeated(steps: Steps, elements: list[Json], document: Document) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, element in enumerate(elements):
        written = format_value(element)
        if written in seen:
            at = (*steps, index)
            source = document.locate_value(at)
            yield Problem(
                source, format_path(at), f"duplicate element {written}", "keep one of the two"
            )
        seen.add(written)


def _make_message(error: ValidationError) -> str:
    describe = _MESSAGES.get(str(error.validator))
    if describe is None:
        return shorten(error.message, 200)
    return describe(_list_wanted(error), _get_instance(error))


_MESSAGES: Final[dict[str, Callable[[Any, Any], str]]] = {
    "type": lambda wanted, found: (
        f"expected {_format_types(wanted)}, found {_describe_found(found)}"
    ),
    "const": lambda wanted, found: (
        f"expected {format_value(wanted)}, found {_describe_found(found)}"
    ),
    "enum": lambda wanted, found: (
        f"expected {' or '.join(map(format_value, wanted))}, found {_describe_found(found)}"
    ),
    "minimum": lambda wanted, found: f"expected at least {wanted}, found {_describe_found(found)}",
    "maximum": lambda wanted, found: f"expected at most {wanted}, found {_describe_found(found)}",
    "format": lambda _, found: (
        f"expected a valid date-time with an offset, found {_describe_found(found)}"
    ),
    "minLength": lambda _, found: (
        f"expected text that is not empty, found {_describe_found(found)}"
    ),
    "maxLength": lambda wanted, found: (
        f"expected at most {wanted} characters, found {len(found):,}"
    ),
    "minItems": lambda wanted, found: (
        f"expected at least {count_noun(wanted, 'element')}, found {len(found)}"
    ),
    "minProperties": lambda *_: "expected at least one key, found an empty object",
    "pattern": lambda _, found: f"expected an id or a range of ids, found {_describe_found(found)}",
}
"""By keyword of the schema: the message for what it wants and what was found."""


def _make_hint(error: ValidationError, steps: Steps) -> str:
    """Tell what to do about the value at ``steps``."""
    found = _get_instance(error)
    if not steps:
        return "a manifest begins with version: 1"
    if isinstance(found, str) and _fits_unquoted(found, error):
        return "remove the quotes"
    name = str(steps[-1])
    if found is None and (steps == ("project",) or name in _NULL_HINTS):
        number = "write the number or the name of the project, or remove the line"
        return number if steps == ("project",) else _NULL_HINTS[name]
    schema: Any = error.schema
    if schema.get("format") == "date-time":
        return _DATE_TIME
    advice = advise_form(steps, found) if error.validator in _TYPES | {"pattern"} else ""
    if advice:
        return advice
    if name == "absent" and isinstance(found, str):
        return f"write a list: [{shorten(escape_invisible(found))}]"
    rule = str(error.validator)
    form = _find_form_hint(steps, rule)
    if form or rule == "minItems":
        return form or 'write the attribute, then the keys: [data, "a.b"]'
    return _BOUND_HINTS.get((name, rule)) or (_HINTS.get(name, "") if rule in _TYPES else "")


_FORM_HINTS: Final = (
    (("tasks", "ids", 0), "pattern", "write an integer, or a range such as 107-120"),
    (("tasks", "ids"), "minItems", "list the tasks, or remove the entry"),
    (("tasks", "keys"), "minItems", "list the tasks, or remove the entry"),
    (("allow", "paths"), "minItems", "remove paths to allow it everywhere"),
    (
        ("rules", "where", ""),
        "minItems",
        "an empty list matches no task: list the values, or remove the condition",
    ),
    (
        ("rules", "where", ""),
        "minProperties",
        "an object is read as operators: to compare with one, write equals",
    ),
    (("rules", "expect"), "minProperties", "write min, max or both, or remove expect"),
    (
        ("rules", "rewrite", "", "prefix"),
        "minLength",
        "every string begins with an empty text: write how the strings to change begin",
    ),
    (
        ("rules", "where", "", ""),
        "minLength",
        "every string has an empty text: write {exists: true}, or a longer text",
    ),
)
"""Hints by place and keyword of the schema; an empty part of a place stands for any key, and 0 for
any index after the first one."""


def _find_form_hint(steps: Steps, rule: str) -> str:
    """Find the hint for a value in a rule, an allowance, or a list of ids or keys."""
    named = (*steps[:1], *steps[2:])
    for form, keyword, hint in _FORM_HINTS:
        if keyword == rule and len(form) == len(named) and all(map(_fits_form, form, named)):
            return hint
    return ""


def _fits_form(part: object, step: str | int) -> bool:
    return isinstance(step, int) if part == 0 else part in {"", step}


def _fits_unquoted(text: str, error: ValidationError) -> bool:
    """Tell whether the text without its quotes would be what the schema wants."""
    wanted = _list_wanted(error)
    try:
        value = parse_plain(text)
    except ValueError:
        return False
    if error.validator == "const":
        return type(value) is type(wanted) and value == wanted
    if error.validator != "type":
        return False
    names = {bool: {"boolean"}, int: {"integer", "number"}, float: {"number"}}
    return not names.get(type(value), set()).isdisjoint(
        [wanted] if isinstance(wanted, str) else wanted
    )


def _get_instance(error: ValidationError) -> Any:  # noqa: ANN401 - whatever the manifest holds
    return error.instance


def _list_wanted(error: ValidationError) -> Any:  # noqa: ANN401 - whatever the schema says
    return error.validator_value


def _list_known_keys(error: ValidationError) -> list[str]:
    schema: Any = error.schema
    return list(schema.get("properties", {}))


def _list_suggestions(error: ValidationError) -> Iterator[str]:
    """List the keys that the problems of unknown keys suggest: they are not missing as well."""
    known = _list_known_keys(error)
    unknown = (key for key in _get_instance(error) if key not in known)
    for key in islice(unknown, UNKNOWN_MAX):
        yield from difflib.get_close_matches(key, known, n=1)


def _format_types(wanted: str | Sequence[str]) -> str:
    names = [wanted] if isinstance(wanted, str) else wanted
    return " or ".join(_EXPECTED_TYPES[name] for name in names)


def _describe_found(value: Json) -> str:
    if value is None:
        return "null"
    name = _FOUND_TYPES[type(value)]
    if isinstance(value, dict | list):
        return name if value else _EMPTY[type(value)]
    return f"{name} {shorten(format_value(value))}"
