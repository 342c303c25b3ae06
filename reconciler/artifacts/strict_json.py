"""Our own JSON files: parsed strictly, and checked against their schemas."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NoReturn

from reconciler.contract.schema_check import SchemaCheck, load_schema_check
from reconciler.core.notation import format_path, format_value, shorten
from reconciler.core.plan_document import FORMAT_VERSION
from reconciler.core.values import Json
from reconciler.errors import SavedFileError

if TYPE_CHECKING:
    from jsonschema import ValidationError

_EDITED: Final = (
    "the file was edited or damaged: pass an undamaged copy, or plan again if it is a plan"
)
_MESSAGE_MAX: Final = 200


class _LaxJsonError(ValueError):
    """Text that Python's parser would accept although it is not strict JSON."""


def parse_json(text: str) -> Json:
    """Parse strict JSON; raises SavedFileError, or RecursionError if it is nested too deeply."""
    try:
        value: Json = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        whole = text.rstrip()
        if error.pos >= len(whole) or not whole.endswith("}"):
            message = "the JSON ends in the middle: it was cut off"
            raise SavedFileError(
                message, hint="pass the whole file, or plan again if it is a plan"
            ) from None
        message = f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise SavedFileError(message, hint=_EDITED) from None
    except _LaxJsonError as error:
        message = f"not JSON: {error}"
        discreet = "not JSON: a duplicate key, or a number that JSON does not have"
        raise SavedFileError(message, hint=_EDITED, discreet=discreet) from None
    except ValueError:
        # Python limits the digits of an integer.
        raise SavedFileError("contains a number with too many digits", hint=_EDITED) from None
    return value


def check_version(document: dict[str, Any]) -> None:
    """Raise SavedFileError if only another version of this tool can read the document."""
    found = document.get("format_version")
    major = str(found).partition(".")[0]
    known = FORMAT_VERSION.partition(".")[0]
    if isinstance(found, str) and major.isdecimal() and major != known:
        newer = int(major) > int(known)
        raise SavedFileError(
            f"the format is {shorten(found)}, but this version of reconciler reads {known}.x",
            hint="install a newer reconciler" if newer else "read it with an older reconciler",
            discreet="it was written by another version of reconciler",
        )


def check_schema(document: dict[str, Any], schema: str, definition: str = "") -> dict[str, Any]:
    """Return a document that matches its schema; raises SavedFileError if it does not.

    A later minor version is accepted if the document has nothing that this version does not know.
    """
    version = document.get("format_version")
    known = document
    if isinstance(version, str) and version.startswith(FORMAT_VERSION.partition(".")[0] + "."):
        known = {**document, "format_version": FORMAT_VERSION}
    if _is_accepted(load_schema_check(schema, definition), known):
        return known
    error = next(_iterate_errors(known, schema, definition), None)
    if error is None:
        return known
    later = version not in {None, FORMAT_VERSION}
    hint = f"the format is {version}: install a newer reconciler" if later else _EDITED
    discreet = "it does not match its schema"
    raise SavedFileError(_explain(error), hint=hint, discreet=discreet)


def _is_accepted(check: SchemaCheck, value: Json) -> bool:
    """Run the fast check; False also for values that it cannot handle."""
    try:
        return check.accepts(value)
    except (ValueError, TypeError):
        return False


def _iterate_errors(
    document: dict[str, Any], schema: str, definition: str
) -> Iterator[ValidationError]:
    """Yield what is wrong; of the tasks, only those that fail get the slow check."""
    tasks = document.get("tasks")
    rows = tasks if isinstance(tasks, list) else []
    outline = {**document, "tasks": []} if rows else document
    yield from load_schema_check(schema, definition).explain(outline)
    task = load_schema_check(schema, "task")
    for index, row in enumerate(rows):
        if not _is_accepted(task, row):
            for error in task.explain(row):
                error.path.extendleft((index, "tasks"))
                yield error


def _explain(error: ValidationError) -> str:
    at = format_path(tuple(error.absolute_path))
    return f"{at}: " * bool(at) + shorten(error.message, _MESSAGE_MAX)


def _reject_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for number, key in enumerate(keys) if key in keys[:number])
        raise _LaxJsonError(f"duplicate key {shorten(format_value(twice))}")
    return found


def _refuse_constant(constant: str) -> NoReturn:
    raise _LaxJsonError(f"{constant} is not a JSON number")


def _parse_finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _LaxJsonError(f"the number {shorten(text)} is too large")
    return value


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_reject_duplicates, parse_constant=_refuse_constant, parse_float=_parse_finite
)
