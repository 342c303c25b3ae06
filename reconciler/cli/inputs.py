"""What commands begin with: the manifests of their paths."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

from reconciler.cli.console import Console
from reconciler.engine.load import FoundFiles, check_files, find_files
from reconciler.errors import Problem

_NAMED_MAX: Final = 20
"""Files that are not read and are named, unless all are asked for."""


def find_inputs(paths: Sequence[str], console: Console) -> FoundFiles:
    """Find the manifests of ``paths``, and say what is not read; raises ManifestError for none."""
    files = find_files(paths)
    print_unread(files.unread, console)
    check_files(files)
    return files


def print_unread(unread: Sequence[Problem], console: Console) -> None:
    """Say which files look like manifests and are not read."""
    # Paths may overlap.
    known = dict.fromkeys(unread)
    shown = len(known) if console.verbose else _NAMED_MAX
    for problem in islice(known, shown):
        console.note(str(problem))
    if len(known) > shown:
        console.note(f"{len(known) - shown:,} more files are not read; --verbose names them")
