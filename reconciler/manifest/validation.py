"""Documents against the manifest schema: a quick verdict, and an explanation of a bad one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs

from reconciler.contract.attributes import Attributes
from reconciler.contract.date_time import is_date_time
from reconciler.contract.location import schema_path
from reconciler.errors import Problem
from reconciler.manifest.document import Document
from reconciler.manifest.explanation import explained
from reconciler.plan.values import Json

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
def _manifest_schema() -> dict[str, Any]:
    text = schema_path("manifest.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def header_check() -> SchemaCheck:
    """Judge documents whose list of tasks has been emptied."""
    return SchemaCheck(_manifest_schema())


@cache
def task_check() -> SchemaCheck:
    """Judge single tasks."""
    return _definition("task")


def _definition(name: str) -> SchemaCheck:
    definitions = _manifest_schema()["definitions"]
    return SchemaCheck(
        {"$schema": _DRAFT, "$ref": f"#/definitions/{name}", "definitions": definitions}
    )


def schema_problems(document: Document, attributes: Attributes) -> tuple[list[Problem], set[int]]:
    """List what the schema finds in a document, and the indices of the tasks it refuses."""
    value = document.value
    tasks = value.get("tasks") if isinstance(value, dict) else None
    header = (
        {**value, "tasks": []} if isinstance(value, dict) and isinstance(tasks, list) else value
    )
    problems: list[Problem] = []
    if not header_check().accepts(header):
        for error in header_check().errors(header):
            problems += explained(error, (), document, attributes)
    refused: set[int] = set()
    for index, task in enumerate(tasks if isinstance(tasks, list) else ()):
        if not task_check().accepts(task):
            refused.add(index)
            for error in task_check().errors(task):
                problems += explained(error, ("tasks", index), document, attributes)
    return problems, refused
