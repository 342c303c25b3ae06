"""Reading saved plans and reports: files in, data out, and each error with the file's name."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from reconciler.artifacts.strict_json import check_schema, check_version, parse_json
from reconciler.core.model import Plan
from reconciler.core.notation import STANDARD_INPUT
from reconciler.core.plan_document import restore_plan
from reconciler.core.report import Report
from reconciler.core.report_document import restore_report
from reconciler.errors import SavedFileError

_PLAN: Final = "plan.schema.json"
_REPORT: Final = "report.schema.json"
_NEITHER: Final = "neither a plan nor a report"
_WHAT_TO_GIVE: Final = "give what plan --format json printed, or apply --report wrote"
_APPLY_AGAIN: Final = "the tasks are what counts: plan tells what is left to do"


def read_saved(file: str) -> Plan | Report:
    """Read one file, or standard input for ``-``; raises SavedFileError."""
    try:
        return _restore(_read_text(file))
    except SavedFileError as error:
        raise SavedFileError(f"{file}: {error.message}", hint=error.hint) from error
    except RecursionError:
        message = f"{file}: its objects and lists are nested too deep"
        raise SavedFileError(message, hint=_WHAT_TO_GIVE) from None


def read_all_saved(files: Sequence[str]) -> list[tuple[str, Plan | Report]]:
    """Read several files, each after its name; raises SavedFileError, and for one given twice."""
    seen: set[str] = set()
    for file in files:
        place = file if file == STANDARD_INPUT else os.path.realpath(file)
        if place in seen:
            raise SavedFileError(f"{file} is given twice", hint="give each file once")
        seen.add(place)
    return [(file, read_saved(file)) for file in files]


def _read_text(file: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    except OSError as error:
        raise SavedFileError(f"cannot be read: {error.strerror}", hint=_WHAT_TO_GIVE) from error
    except ValueError as error:
        raise SavedFileError("no name that a file can have", hint=_WHAT_TO_GIVE) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SavedFileError("not UTF-8", hint=_WHAT_TO_GIVE) from error
    if not text.strip():
        raise SavedFileError("empty: whatever wrote it did not get far", hint=_WHAT_TO_GIVE)
    return text


def _restore(text: str) -> Plan | Report:
    """Tell a report, an object a line, from a plan, one object on as many lines as it likes."""
    first, _, rest = text.lstrip().partition("\n")
    if not first.startswith("{"):
        raise SavedFileError(_NEITHER, hint=_WHAT_TO_GIVE)
    try:
        document = parse_json(first)
    except SavedFileError:
        document, rest = parse_json(text), ""
    if not isinstance(document, dict) or "format_version" not in document:
        raise SavedFileError(_NEITHER, hint=_WHAT_TO_GIVE)
    check_version(document)
    if document.get("kind") == "report":
        return _restore_report(document, rest)
    if rest.strip():
        raise SavedFileError("more follows after the plan", hint="give each plan as its own file")
    return restore_plan(check_schema(document, _PLAN))


def _restore_report(first: dict[str, Any], rest: str) -> Report:
    if "digests" in first:
        message = "a report as show --format json writes it, which is not read back"
        raise SavedFileError(message, hint="give the lines that apply --report wrote")
    opening = check_schema(first, _REPORT, "first")
    lines: list[dict[str, Any]] = []
    last: dict[str, Any] | None = None
    for number, line in _iterate_lines(rest):
        if last is not None or "kind" in line:
            message = f"line {number}: it goes on where the report has ended, or another begins"
            raise SavedFileError(message, hint="give each report as a file of its own")
        try:
            if "summary" in line:
                last = check_schema(line, _REPORT, "last")
            else:
                kind = "not_started" if "not_started" in line else "task"
                lines.append(check_schema(line, _REPORT, kind))
        except SavedFileError as error:
            raise SavedFileError(f"line {number}: {error.message}", hint=error.hint) from error
    return restore_report(opening, lines, last)


def _iterate_lines(rest: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give each line with its number; one that breaks off at the end of the file is left out."""
    lines = rest.split("\n")
    for number, line in enumerate(lines, 2):
        if not line.strip():
            continue
        try:
            value = parse_json(line)
        except SavedFileError as error:
            if number == len(lines) + 1:
                return
            message = f"line {number}: {error.message}"
            raise SavedFileError(message, hint=_APPLY_AGAIN) from error
        if not isinstance(value, dict):
            raise SavedFileError(f"line {number}: no line of a report", hint=_APPLY_AGAIN)
        yield number, value
