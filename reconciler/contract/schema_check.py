"""Checks of values against a JSON Schema: a quick verdict, and explanations of failures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs

from reconciler.contract.date_time import is_date_time
from reconciler.contract.location import locate_schema

if TYPE_CHECKING:
    from jsonschema import ValidationError

_DRAFT: Final = "http://json-schema.org/draft-07/schema#"


class SchemaCheck:
    """A schema, ready to check values.

    jsonschema-rs gives the verdict, in microseconds; jsonschema explains the few failures, since
    its import alone takes longer than a hundred verdicts.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._verdict = jsonschema_rs.Draft7Validator(
            schema, formats={"date-time": is_date_time}, validate_formats=True
        )

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is valid."""
        return self._verdict.is_valid(value)

    def explain(self, value: object) -> Iterator[ValidationError]:
        """Yield all errors of ``value``."""
        return self._iterate_errors(value)

    @cached_property
    def _iterate_errors(self) -> Callable[[object], Iterator[ValidationError]]:
        from jsonschema import Draft7Validator, FormatChecker  # noqa: PLC0415 - 150 ms to import

        formats = FormatChecker(formats=())
        formats.checks("date-time")(is_date_time)
        return Draft7Validator(self._schema, format_checker=formats).iter_errors


@cache
def load_schema_check(
    name: str, definition: str = "", *, without_patterns_of: tuple[str, ...] = ()
) -> SchemaCheck:
    """Load the check of a file of ``schemas/``, or of one of its definitions.

    ``without_patterns_of`` are definitions whose ``pattern`` is for editors only.
    """
    schema: dict[str, Any] = json.loads(locate_schema(name).read_text(encoding="utf-8"))
    for patterned in without_patterns_of:
        del schema["definitions"][patterned]["pattern"]
    if not definition:
        return SchemaCheck(schema)
    reference = f"#/definitions/{definition}"
    return SchemaCheck({"$schema": _DRAFT, "$ref": reference, "definitions": schema["definitions"]})
