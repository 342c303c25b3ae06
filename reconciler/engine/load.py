"""Manifests in, desired tasks out, with a word about it where it takes long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reconciler.cli.console import Console
from reconciler.cli.progress_bar import ProgressBar
from reconciler.contract.attributes import Attributes
from reconciler.core.server_address import ChosenServer
from reconciler.core.shard import Shard
from reconciler.errors import ManifestError
from reconciler.manifest.files import FoundFiles, find_manifests
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.loader import check_manifests, load_manifests

_NAMED_MAX: Final = 20
"""Files that are not read and are named, unless all are asked for."""


def find_files(paths: Sequence[str], console: Console) -> FoundFiles:
    """Find the manifests of ``paths``, and say what is not read; raises ManifestError for none."""
    files = find_manifests(paths)
    # Paths may overlap.
    unread = list(dict.fromkeys(files.unread))
    shown = len(unread) if console.verbose else _NAMED_MAX
    for problem in unread[:shown]:
        console.note(str(problem))
    if len(unread) > shown:
        console.note(f"{len(unread) - shown:,} more files are not read; --verbose names them")
    if not files.files:
        raise ManifestError(tuple(sorted(set(files.problems))))
    return files


def load_desired(
    files: FoundFiles,
    attributes: Attributes,
    shard: Shard | None = None,
    *,
    server: ChosenServer | None = None,
    console: Console,
) -> DesiredIndex:
    """Read and check all manifests, and give the tasks of a shard; raises ManifestError.

    ``server`` is as `load_manifests` has it.
    """
    with ProgressBar(console) as progress:
        desired = load_manifests(files, attributes, server=server, progress=progress)
    return desired if shard is None else desired.select(shard.holds)


def check_desired(files: FoundFiles, attributes: Attributes, *, console: Console) -> DesiredIndex:
    """Read and check all manifests, where no server is asked; raises ManifestError."""
    with ProgressBar(console) as progress:
        return check_manifests(files, attributes, progress=progress)
