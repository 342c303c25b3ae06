"""The manifests that a command reads."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

from reconciler.cli.console import Console
from reconciler.engine.load import FoundFiles, check_files, find_files
from reconciler.errors import Problem

_NAMED_MAX: Final = 20
"""How many unread files are listed without --verbose."""


def find_inputs(paths: Sequence[str], console: Console) -> FoundFiles:
    """Find the manifests in ``paths``, and list unread files; raises ManifestError for none."""
    files = find_files(paths)
    print_unread(files.unread, console)
    check_files(files)
    return files


def print_unread(unread: Sequence[Problem], console: Console) -> None:
    """List the files that look like manifests and are not read."""
    # Paths may overlap.
    known = dict.fromkeys(unread)
    shown = len(known) if console.verbose else _NAMED_MAX
    for problem in islice(known, shown):
        console.note(str(problem))
    if len(known) > shown:
        console.note(f"{len(known) - shown:,} more files are not read; pass --verbose to list them")
