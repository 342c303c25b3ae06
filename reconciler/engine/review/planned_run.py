"""What a CI job hands to its next steps: how its plan ended, in a folder with what it wrote.

The step that has the token of Label Studio is not the one that has the token of the forge. The
folder may be inside the repository, which may hold such files, too: each names the commit that the
job checked out, which no file in that commit can know.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from reconciler.core.notation import shorten
from reconciler.core.review_marker import Scope
from reconciler.core.shown_digest import DIGEST_KEY_VARIABLE, is_digest
from reconciler.errors import Refused, SavedFileError, SettingsError

PLANNED_FILE: Final = "run.json"
REVIEWED_FILE: Final = "reviewed.json"
MARKDOWN_FILE: Final = "plan.md"
REPORT_FILE: Final = "report.jsonl"
SUCCESS: Final = frozenset({0, 2})
"""The exit codes of plan if it can be applied."""

_T = TypeVar("_T", "PlannedRun", "Reviewed")


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """How a plan ended: ``exit_code`` is that of plan, and ``digest`` is empty if it was 1.

    ``changes`` counts the tasks to update; None if there was no plan, as when a manifest has an
    error or the server does not answer. ``server`` is its address, and ``commit`` the SHA of what
    was planned.
    """

    scope: Scope
    exit_code: int
    digest: str = ""
    changes: int | None = None
    server: str = ""
    commit: str = ""

    @property
    def is_applicable(self) -> bool:
        """Whether there is something to apply, and nothing keeps it from being applied."""
        return bool(self.changes) and self.exit_code in SUCCESS

    @property
    def has_drift(self) -> bool:
        """Whether the server is not as declared."""
        return bool(self.changes) or self.exit_code != 0


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The digest that was reviewed for ``commit``, and for which server; or why there is none."""

    digest: str = ""
    server: str = ""
    refusal: str = ""
    commit: str = ""


def find_disagreement(planned: PlannedRun, agreed: Reviewed | None) -> Refused | None:
    """Tell why a plan may not be applied: it is not the agreed one. None agrees to any."""
    if agreed is None or not planned.is_applicable:
        return None
    if not planned.digest:
        return Refused(
            "nothing was applied: the plan is redacted, and has no digest to compare",
            hint=f"set {DIGEST_KEY_VARIABLE} to the same secret for the plan and for the apply",
        )
    reason = agreed.refusal or _compare(planned, agreed)
    if not reason:
        return None
    return Refused(
        f"nothing was applied: {reason}",
        hint=f"if the plan of this run is what you want, run the job by hand with {planned.digest}",
    )


def _compare(planned: PlannedRun, agreed: Reviewed) -> str:
    """Tell how a plan differs from the reviewed one; empty if it does not."""
    if agreed.digest != planned.digest:
        return f"the reviewed plan is {agreed.digest}, and the plan is now {planned.digest}"
    if agreed.server and agreed.server != planned.server:
        return f"the reviewed plan is for {shorten(agreed.server, 200)}, not {planned.server}"
    return ""


def check_digest(digest: str) -> str:
    """Return a digest without the space around it; raises SettingsError if it is not one."""
    if not is_digest(digest.strip()):
        raise SettingsError(
            f"digest: expected that of a plan, such as sha256:2c26b46b..., found {digest!r:.100}",
            hint="copy it from the log of the job that refused to apply",
        )
    return digest.strip()


def write_planned(folder: Path, planned: PlannedRun, commit: str) -> None:
    """Write how the plan of a commit ended."""
    _write(folder / PLANNED_FILE, replace(planned, commit=commit))


def read_planned(folder: Path, commit: str) -> PlannedRun:
    """Read how the plan of a commit ended; raises SavedFileError."""
    hint = "run ci plan or ci apply first, with the same --folder"
    return _read(folder / PLANNED_FILE, PlannedRun, commit, hint)


def write_reviewed(folder: Path, reviewed: Reviewed, commit: str) -> None:
    """Write what was reviewed for a commit."""
    _write(folder / REVIEWED_FILE, replace(reviewed, commit=commit))


def read_reviewed(folder: Path, commit: str) -> Reviewed:
    """Read what was reviewed for a commit; raises SavedFileError."""
    hint = "run ci reviewed first, or pass --digest or --fresh"
    return _read(folder / REVIEWED_FILE, Reviewed, commit, hint)


def _write(file: Path, told: PlannedRun | Reviewed) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.encode(told) + b"\n")


def _read(file: Path, kind: type[_T], commit: str, hint: str) -> _T:
    try:
        found = msgspec.json.decode(file.read_bytes(), type=kind)
    except FileNotFoundError as error:
        raise SavedFileError(f"{file}: not found", hint=hint) from error
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise SavedFileError(f"{file}: cannot be read: {error}", hint=hint) from error
    if found.commit != commit:
        raise SavedFileError(f"{file}: this job did not write it for its commit", hint=hint)
    return found
