"""``reconciler pull PATH... --update``: what it does and prints."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from typing import Final

from reconciler.cli.console import Console, print_outcome, print_result
from reconciler.cli.exit_codes import DONE, ERROR
from reconciler.cli.inputs import find_inputs
from reconciler.cli.progress_bar import ProgressBar
from reconciler.cli.server_access import connect_to_server
from reconciler.engine.additions import AddOptions
from reconciler.engine.manifest_update import FileUpdate, Update, compare_files, write_update
from reconciler.engine.redacted_errors import redact_errors
from reconciler.engine.settings.run_settings import OF_PLAN, CliOverrides, read_settings
from reconciler.renderers.pulled import format_remarks

_SHOWN_MAX: Final = 50
"""Values left as declared that are listed, unless the user asks for all."""


def update_manifests(
    paths: Sequence[str],
    overrides: CliOverrides,
    *,
    dry_run: bool,
    add: AddOptions | None = None,
    full: bool,
    console: Console,
) -> int:
    """Bring manifests to the live values, or only show how; returns the exit code."""
    files = find_inputs(paths, console)
    settings = read_settings(files.places, overrides, os.environ, keys=OF_PLAN)
    with (
        redact_errors(lambda: settings.redaction),
        connect_to_server(settings, console) as connection,
        ProgressBar(console) as progress,
    ):
        update = compare_files(
            files,
            settings,
            connection,
            redact=settings.redaction.hidden,
            add=add,
            progress=progress,
        )
    remarks = format_remarks(
        undeclared=update.undeclared, by_id=update.by_id, left_out=update.left_out, full=full
    )
    if dry_run:
        for file in update.files:
            print_result(file.format_diff())
        for line in remarks.splitlines():
            console.note(line)
    else:
        update = write_update(update)
        print_outcome(_describe(update) + remarks)
    _print_left(update, full=full, console=console)
    return ERROR if update.left else DONE


def _describe(update: Update) -> str:
    """Say which files were edited, a line each."""
    lines = [f"{file.file}: {_describe_file(file)}\n" for file in update.files]
    if not lines and not update.left:
        return "The manifests have the live values; nothing to update.\n"
    return "".join(lines)


def _describe_file(file: FileUpdate) -> str:
    counts = {"value{} updated": len(file.changes), "task{} added": file.added}
    return ", ".join(
        f"{count:,} {what.format('s' * (count != 1))}" for what, count in counts.items() if count
    )


def _print_left(update: Update, *, full: bool, console: Console) -> None:
    """Say what was not updated, and why, with its place."""
    count = len(update.left)
    shown = count if full else min(count, _SHOWN_MAX)
    for problem in islice(update.left, shown):
        console.warn(str(problem))
    if count > shown:
        console.warn(f"{count - shown:,} more are left as they are; pass --full to list them")
    if count:
        console.warn(f"reconciler: {count:,} value{'s' * (count != 1)} left as declared")
