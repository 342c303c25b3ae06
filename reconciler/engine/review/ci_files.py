"""The files of a CI run: its formats, and what GitHub reads to show them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from reconciler.core.review_marker import MARKER_MAX, Scope
from reconciler.engine.review.ci_run import CiRun, ForgeKind
from reconciler.engine.review.planned_run import (
    MARKDOWN_FILE,
    PLANNED_FILE,
    REVIEWED_FILE,
    SUCCESS,
    PlannedRun,
)
from reconciler.errors import SettingsError
from reconciler.renderers.markdown_text import format_code

FOLDER_VARIABLE: Final = "RECONCILER_CI_FOLDER"
DEFAULT_FOLDER: Final = ".reconciler-ci"

ANNOTATIONS_FILE: Final = "annotations.txt"
_PLAN_FILE: Final = "plan.json"
_FILES: Final = {
    "json": _PLAN_FILE,
    "markdown": MARKDOWN_FILE,
    "html": "plan.html",
    "github": ANNOTATIONS_FILE,
    "gitlab": "gl-code-quality.json",
    "gitlab-terraform": "gl-terraform.json",
    "junit": "junit.xml",
}
_FOREIGN: Final = {
    ForgeKind.GITHUB: {"gitlab", "gitlab-terraform", "junit"},
    ForgeKind.GITLAB: {"github"},
}
_UNKNOWN: Final = {"plan": set(), "apply": {"json"}, "validate": {"json", "gitlab-terraform"}}
"""Formats that a command does not write, or that nobody would read."""

_REFUSAL_MAX: Final = 1000
_LEAD_MAX: Final = 1000
"""Most characters that a comment or an issue adds to its plan."""
_COMMENT_MAX: Final = {ForgeKind.GITHUB: 65_536, ForgeKind.GITLAB: 1_000_000}


def prepare_folder(folder: Path, environment: Mapping[str, str]) -> None:
    """Make the folder, which git does not see; what an earlier run left is deleted.

    Its reports stay: revert needs them. Raises SettingsError for a link, which a repository may
    hold, and which may lead anywhere.
    """
    if folder.is_symlink():
        raise SettingsError(f"{folder}: expected a folder, found a link", hint="delete it")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in (*_FILES.values(), PLANNED_FILE, REVIEWED_FILE):
        (folder / name).unlink(missing_ok=True)
    if not environment.get(FOLDER_VARIABLE):
        (folder / ".gitignore").unlink(missing_ok=True)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def list_format_options(
    kind: ForgeKind, folder: Path, command: str, *, limit: str | None = None
) -> list[str]:
    """List the options that make plan, apply or validate write each format to a file.

    ``limit`` is that of a comment, in place of the forge's own.
    """
    left_out = _FOREIGN[kind] | _UNKNOWN[command]
    files = {form: folder / file for form, file in _FILES.items() if form not in left_out}
    longest = limit or _COMMENT_MAX[kind] - MARKER_MAX - _LEAD_MAX
    return [*(f"--format={form}={file}" for form, file in files.items()), f"--limit={longest}"]


def read_plan_result(folder: Path, scope: Scope, exit_code: int) -> PlannedRun:
    """Read how a plan ended, and delete its JSON, which holds the values of tasks.

    A plan that may not be applied has no digest.
    """
    file = folder / _PLAN_FILE
    try:
        told = json.loads(file.read_bytes())
        digest, changes = told["digest"] or "", told["summary"]["update"]
        server = told["server"]["url"]
    except (OSError, ValueError, KeyError, TypeError):
        return PlannedRun(scope, exit_code or 1)
    file.unlink()
    return PlannedRun(scope, exit_code, digest if exit_code in SUCCESS else "", changes, server)


def show_on_github(
    folder: Path, planned: PlannedRun, environment: Mapping[str, str], *, refusal: str = ""
) -> None:
    """Append the plan to the summary of the step, and what came out to its outputs.

    ``refusal`` says why the plan was not applied; it comes first.
    """
    if (summary := environment.get("GITHUB_STEP_SUMMARY")) and (folder / MARKDOWN_FILE).exists():
        text = (folder / MARKDOWN_FILE).read_text(encoding="utf-8")
        why = f"- ❌ {format_code(refusal, _REFUSAL_MAX)}\n\n" if refusal else ""
        _append(Path(summary), f"{why}{text}\n")
    if output := environment.get("GITHUB_OUTPUT"):
        changes = "" if planned.changes is None else planned.changes
        lines = f"digest={planned.digest}\nchanges={changes}\nexit-code={planned.exit_code}\n"
        _append(Path(output), lines)


def is_github(run: CiRun) -> bool:
    """Tell whether a run is one of GitHub."""
    return run.kind is ForgeKind.GITHUB


def _append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as opened:
        opened.write(text)
