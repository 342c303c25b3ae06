"""Reading saved plans and reports: files in, data out, and each error with the file's name."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from reconciler.artifacts.strict_json import checked, parsed, refuse_other_version
from reconciler.core.model import Plan
from reconciler.core.plan_restoring import restored_plan
from reconciler.core.report import Report
from reconciler.core.report_document import restored_report
from reconciler.errors import SavedFileError
from reconciler.manifest.file_names import STANDARD_INPUT

_PLAN: Final = "plan.schema.json"
_REPORT: Final = "report.schema.json"
_NEITHER: Final = "neither a plan nor a report"
_WHAT_TO_GIVE: Final = "give what plan --format json printed, or apply --report wrote"
_APPLY_AGAIN: Final = "the tasks are what counts: plan tells what is left to do"


def read_saved(file: str) -> Plan | Report:
    """Read one file, or standard input for ``-``; raises SavedFileError."""
    try:
        return _restored(_text(file))
    except SavedFileError as error:
        raise SavedFileError(f"{file}: {error.message}", hint=error.hint) from error
    except RecursionError:
        said = f"{file}: its objects and lists are nested too deep"
        raise SavedFileError(said, hint=_WHAT_TO_GIVE) from None


def read_all_saved(files: Sequence[str]) -> list[tuple[str, Plan | Report]]:
    """Read several files, each after its name; raises SavedFileError, and for one given twice."""
    seen: set[str] = set()
    for file in files:
        place = file if file == STANDARD_INPUT else os.path.realpath(file)
        if place in seen:
            raise SavedFileError(f"{file} is given twice", hint="give each file once")
        seen.add(place)
    return [(file, read_saved(file)) for file in files]


def _text(file: str) -> str:
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


def _restored(text: str) -> Plan | Report:
    """Tell a report, an object a line, from a plan, one object on as many lines as it likes."""
    first, _, rest = text.lstrip().partition("\n")
    if not first.startswith("{"):
        raise SavedFileError(_NEITHER, hint=_WHAT_TO_GIVE)
    try:
        document = parsed(first)
    except SavedFileError:
        document, rest = parsed(text), ""
    if not isinstance(document, dict) or "format_version" not in document:
        raise SavedFileError(_NEITHER, hint=_WHAT_TO_GIVE)
    refuse_other_version(document)
    if document.get("kind") == "report":
        return _report(document, rest)
    if rest.strip():
        raise SavedFileError("more follows after the plan", hint="give each plan as its own file")
    return restored_plan(checked(document, _PLAN))


def _report(first: dict[str, Any], rest: str) -> Report:
    if "digests" in first:
        said = "a report as show --format json writes it, which is not read back"
        raise SavedFileError(said, hint="give the lines that apply --report wrote")
    opening = checked(first, _REPORT, "first")
    lines: list[dict[str, Any]] = []
    last: dict[str, Any] | None = None
    for number, line in _lines(rest):
        if last is not None or "kind" in line:
            said = f"line {number}: it goes on where the report has ended, or another begins"
            raise SavedFileError(said, hint="give each report as a file of its own")
        try:
            if "summary" in line:
                last = checked(line, _REPORT, "last")
            else:
                kind = "not_started" if "not_started" in line else "task"
                lines.append(checked(line, _REPORT, kind))
        except SavedFileError as error:
            raise SavedFileError(f"line {number}: {error.message}", hint=error.hint) from error
    return restored_report(opening, lines, last)


def _lines(rest: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give each line with its number; one that breaks off at the end of the file is left out."""
    lines = rest.split("\n")
    for number, line in enumerate(lines, 2):
        if not line.strip():
            continue
        try:
            value = parsed(line)
        except SavedFileError as error:
            if number == len(lines) + 1:
                return
            said = f"line {number}: {error.message}"
            raise SavedFileError(said, hint=_APPLY_AGAIN) from error
        if not isinstance(value, dict):
            raise SavedFileError(f"line {number}: no line of a report", hint=_APPLY_AGAIN)
        yield number, value
