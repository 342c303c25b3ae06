"""The file of a saved plan: written atomically, and read back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from reconciler.artifacts.saved_file import read_saved
from reconciler.artifacts.whole_file import write_whole_file
from reconciler.core.notation import STANDARD_INPUT
from reconciler.core.plan_document import format_plan
from reconciler.core.plan_model import Plan
from reconciler.core.report import Report
from reconciler.errors import Refused, SavedFileError
from reconciler.progress import NULL_PROGRESS, ProgressListener

_SAVED_BEGINNING: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"(?:format_version|digest)"')

_PLAN_BEGINNING: Final = re.compile(rb'\s*\{\s*"format_version"\s*:\s*"[^"]*"\s*,\s*"digest"')

_BEGINNING_BYTES: Final = 4_096


def write_plan(plan: Plan, file: Path, *, progress: ProgressListener = NULL_PROGRESS) -> None:
    """Write a plan atomically; only its owner can read it, as it holds the values of tasks.

    Raises Refused if it cannot be written, or would overwrite a file that is not a plan.
    """
    written = format_plan(plan, progress=progress)
    try:
        if file.is_file() and file.stat().st_size and not _has_beginning(file, _PLAN_BEGINNING):
            raise Refused(
                f"cannot save the plan to {file}: the file exists and is not a saved plan",
                hint="pass another file to --out, or remove that one",
            )
        write_whole_file(written, file)
    except OSError as error:
        message = error.strerror or str(error)
        raise Refused(
            f"cannot save the plan to {file}: {message}", hint="pass another file to --out"
        ) from error


def read_plan(paths: Sequence[str]) -> Plan | None:
    """Read the saved plan to apply; None if ``paths`` are manifests.

    Raises SavedFileError if the plan is damaged, or is not the only path.
    """
    plans = [path for path in paths if _is_saved(path)]
    if not plans:
        return None
    if len(paths) > 1:
        message = f"{plans[0]} is a saved plan, which cannot be applied together with other files"
        raise SavedFileError(message, hint="apply each saved plan, and the manifests, separately")
    found = read_saved(plans[0])
    if isinstance(found, Report):
        message = f"{plans[0]}: expected a plan or a manifest, found a report"
        raise SavedFileError(message, hint="pass a report to revert or show")
    return found


def _is_saved(path: str) -> bool:
    """Tell a saved plan or report from a manifest by its beginning: it may have been cut off."""
    if path == STANDARD_INPUT or not Path(path).is_file():
        return False
    try:
        return _has_beginning(Path(path), _SAVED_BEGINNING)
    except OSError:
        return False


def _has_beginning(path: Path, beginning: re.Pattern[bytes]) -> bool:
    with path.open("rb") as file:
        return beginning.match(file.read(_BEGINNING_BYTES)) is not None
