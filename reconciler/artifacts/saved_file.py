"""Reading saved plans and reports; each error names the file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from reconciler.artifacts.strict_json import check_schema, check_version, parse_json
from reconciler.core.notation import STANDARD_INPUT
from reconciler.core.plan_document import restore_plan
from reconciler.core.plan_model import Plan
from reconciler.core.report import Report
from reconciler.core.report_document import restore_report
from reconciler.errors import SavedFileError

_PLAN: Final = "plan.schema.json"
_REPORT: Final = "report.schema.json"
_NOT_SAVED: Final = "not a saved plan or report"
EXPECTED_FILES: Final = "pass a plan from plan --out, or a report from apply --report"
"""The hint about a file that is neither a plan nor a report."""
_NOT_REDACTED: Final = (
    "pass the plan from plan --out, or the report from apply --report: they keep values"
)
_PLAN_AGAIN: Final = "plan again to see what is left to do"


def read_saved(file: str) -> Plan | Report:
    """Read one file, or standard input for ``-``; raises SavedFileError."""
    try:
        return _restore(_read_text(file))
    except SavedFileError as error:
        raise _restate(error, file) from error
    except RecursionError:
        message = f"{file}: its objects and lists are nested too deeply"
        raise SavedFileError(message, hint=EXPECTED_FILES) from None


def read_all_saved(files: Sequence[str]) -> list[tuple[str, Plan | Report]]:
    """Read several files, each with its name; raises SavedFileError, also for a duplicate."""
    seen: set[str] = set()
    for file in files:
        place = file if file == STANDARD_INPUT else os.path.realpath(file)
        if place in seen:
            raise SavedFileError(f"{file} was passed twice", hint="pass each file once")
        seen.add(place)
    return [(file, read_saved(file)) for file in files]


def _restate(error: SavedFileError, place: str, *, hint: str = "") -> SavedFileError:
    """Return an error with its place before the message."""
    discreet = error.discreet and f"{place}: {error.discreet}"
    message = f"{place}: {error.message}"
    return SavedFileError(message, hint=hint or error.hint, discreet=discreet)


def _read_text(file: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    except OSError as error:
        raise SavedFileError(f"cannot be read: {error.strerror}", hint=EXPECTED_FILES) from error
    except ValueError as error:
        raise SavedFileError("not a valid file name", hint=EXPECTED_FILES) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SavedFileError("the file is not encoded in UTF-8", hint=EXPECTED_FILES) from error
    if not text.strip():
        raise SavedFileError("the file is empty", hint=EXPECTED_FILES)
    return text


def _restore(text: str) -> Plan | Report:
    """Restore a report, which has one object per line, or a plan, which is a single object."""
    first, _, rest = text.lstrip().partition("\n")
    if not first.startswith("{"):
        raise SavedFileError(_NOT_SAVED, hint=EXPECTED_FILES)
    try:
        document = parse_json(first)
    except SavedFileError:
        document, rest = parse_json(text), ""
    if not isinstance(document, dict) or "format_version" not in document:
        raise SavedFileError(_NOT_SAVED, hint=EXPECTED_FILES)
    check_version(document)
    if "redacted" in document:
        message = "its values are redacted, so that it can only be looked at"
        raise SavedFileError(message, hint=_NOT_REDACTED)
    if document.get("kind") == "report":
        return _restore_report(document, rest)
    if rest.strip():
        raise SavedFileError("found more after the plan", hint="save each plan in its own file")
    return restore_plan(check_schema(document, _PLAN))


def _restore_report(first: dict[str, Any], rest: str) -> Report:
    if "digests" in first:
        message = "this is the output of show --format json, which cannot be read back"
        raise SavedFileError(message, hint="pass the report that apply --report wrote")
    opening = check_schema(first, _REPORT, "first")
    lines: list[dict[str, Any]] = []
    last: dict[str, Any] | None = None
    for number, line in _iterate_lines(rest):
        if last is not None or "kind" in line:
            message = (
                f"line {number}: found more lines after the end of the report, or a second report"
            )
            raise SavedFileError(message, hint="save each report in its own file")
        try:
            if "summary" in line:
                last = check_schema(line, _REPORT, "last")
            else:
                kind = "not_started" if "not_started" in line else "task"
                lines.append(check_schema(line, _REPORT, kind))
        except SavedFileError as error:
            raise _restate(error, f"line {number}") from error
    return restore_report(opening, lines, last)


def _iterate_lines(rest: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each line with its number, except a last line that was cut off."""
    lines = rest.split("\n")
    for number, line in enumerate(lines, 2):
        if not line.strip():
            continue
        try:
            value = parse_json(line)
        except SavedFileError as error:
            if number == len(lines) + 1:
                return
            raise _restate(error, f"line {number}", hint=_PLAN_AGAIN) from error
        if not isinstance(value, dict):
            raise SavedFileError(f"line {number}: not a line of a report", hint=_PLAN_AGAIN)
        yield number, value
