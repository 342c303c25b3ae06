"""What a CI job hands to its next steps: how its plan ended, in a folder with what it wrote.

The step that has the token of Label Studio is not the one that has the token of the forge.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from reconciler.core.review_marker import Scope
from reconciler.errors import SavedFileError

_FILE: Final = "run.json"
_REVIEWED: Final = "reviewed.json"
MARKDOWN_FILE: Final = "plan.md"
REPORT_FILE: Final = "report.jsonl"
_T = TypeVar("_T", "PlannedRun", "Reviewed")


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """How a plan ended: ``exit_code`` is that of plan, and ``digest`` is empty if it was 1.

    ``changes`` counts the tasks to update; None if there was no plan, as when a manifest has an
    error or the server does not answer.
    """

    scope: Scope
    exit_code: int
    digest: str = ""
    changes: int | None = None

    @property
    def has_drift(self) -> bool:
        """Whether the server is not as declared."""
        return bool(self.changes) or self.exit_code != 0


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The digest that was reviewed, and where; or why there is none, and what to do."""

    digest: str = ""
    request: int = 0
    refusal: str = ""


def write_planned(folder: Path, planned: PlannedRun) -> None:
    """Write how a plan ended."""
    _write(folder / _FILE, planned)


def read_planned(folder: Path) -> PlannedRun:
    """Read how a plan ended; raises SavedFileError."""
    return _read(
        folder / _FILE, PlannedRun, "run ci plan or ci apply before, with the same --folder"
    )


def write_reviewed(folder: Path, reviewed: Reviewed) -> None:
    """Write what was reviewed."""
    _write(folder / _REVIEWED, reviewed)


def read_reviewed(folder: Path) -> Reviewed:
    """Read what was reviewed; raises SavedFileError."""
    return _read(
        folder / _REVIEWED, Reviewed, "run ci reviewed before, or pass --digest or --fresh"
    )


def _write(file: Path, told: PlannedRun | Reviewed) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.encode(told) + b"\n")


def _read(file: Path, kind: type[_T], hint: str) -> _T:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except FileNotFoundError as error:
        raise SavedFileError(f"{file}: not found", hint=hint) from error
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise SavedFileError(f"{file}: cannot be read: {error}", hint=hint) from error
