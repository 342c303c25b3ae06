"""Documents against the manifest schema: a quick verdict, and an explanation of a bad one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import jsonschema_rs

from reconciler.contract.attributes import Attributes
from reconciler.contract.date_time import is_date_time
from reconciler.contract.location import locate_schema
from reconciler.core.values import Json
from reconciler.errors import Problem
from reconciler.manifest.explanation import explain_error
from reconciler.manifest.readers.document import Document
from reconciler.manifest.readers.source_map import Steps

if TYPE_CHECKING:
    from jsonschema import ValidationError

_DRAFT: Final = "http://json-schema.org/draft-07/schema#"


class SchemaCheck:
    """One part of the manifest schema, ready to judge values.

    jsonschema-rs gives the verdict, in microseconds; jsonschema explains the few that fail,
    as its import alone costs more than a hundred verdicts.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._verdict = jsonschema_rs.Draft7Validator(
            schema, formats={"date-time": is_date_time}, validate_formats=True
        )

    def accepts(self, value: Json) -> bool:
        """Tell whether ``value`` is as the schema says."""
        return self._verdict.is_valid(value)

    def errors(self, value: Json) -> Iterator[ValidationError]:
        """Explain all that is wrong with ``value``."""
        return self._explainer(value)

    @cached_property
    def _explainer(self) -> Callable[[Json], Iterator[ValidationError]]:
        from jsonschema import Draft7Validator, FormatChecker  # noqa: PLC0415 - 150 ms to import

        formats = FormatChecker(formats=())
        formats.checks("date-time")(is_date_time)
        return Draft7Validator(self._schema, format_checker=formats).iter_errors


@cache
def _load_manifest_schema() -> dict[str, Any]:
    text = locate_schema("manifest.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def get_header_check() -> SchemaCheck:
    """Judge documents whose list of tasks has been emptied."""
    return SchemaCheck(_load_manifest_schema())


@cache
def get_task_check() -> SchemaCheck:
    """Judge single tasks."""
    return _get_definition("task")


def _get_definition(name: str) -> SchemaCheck:
    definitions = _load_manifest_schema()["definitions"]
    return SchemaCheck(
        {"$schema": _DRAFT, "$ref": f"#/definitions/{name}", "definitions": definitions}
    )


def check_outline(
    document: Document, attributes: Attributes
) -> tuple[list[Problem], dict[str, Any]]:
    """Hold against the schema what stands around the tasks.

    Returns the problems, and the keys that the schema accepts, for others to look into.
    """
    return _split_accepted(document.outline, get_header_check(), _explain((), document, attributes))


def check_task(
    document: Document, index: int, task: Json, *, attributes: Attributes
) -> tuple[list[Problem], dict[str, Any]]:
    """Hold one task against the schema; returns the same for it."""
    if get_task_check().accepts(task) and isinstance(task, dict):
        return [], task
    explain = _explain(("tasks", index), document, attributes)
    return _split_accepted(task, get_task_check(), explain)


_Explain: TypeAlias = "Callable[[ValidationError], Iterator[Problem]]"


def _explain(steps: Steps, document: Document, attributes: Attributes) -> _Explain:
    return lambda error: explain_error(error, steps, document, attributes)


def _split_accepted(
    value: Json, schema: SchemaCheck, explain: _Explain
) -> tuple[list[Problem], dict[str, Any]]:
    """List the problems of an object, and give the keys of it that have none."""
    if schema.accepts(value):
        return [], value if isinstance(value, dict) else {}
    problems: list[Problem] = []
    bad: set[str | int] = set()
    for error in schema.errors(value):
        bad.update(list(error.absolute_path)[:1])
        problems += explain(error)
    accepted = value.items() if isinstance(value, dict) else ()
    return problems, {key: inner for key, inner in accepted if key not in bad}
