"""What commands begin with: the manifests of their paths."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.cli.console import Console
from reconciler.cli.printer import print_unread
from reconciler.engine.load import FoundFiles, check_files, find_files


def find_inputs(paths: Sequence[str], console: Console) -> FoundFiles:
    """Find the manifests of ``paths``, and say what is not read; raises ManifestError for none."""
    files = find_files(paths)
    print_unread(files.unread, console)
    check_files(files)
    return files
