"""Manifests in, desired tasks out."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.contract.attributes import Attributes
from reconciler.core.server_address import ChosenServer
from reconciler.core.shard import Shard
from reconciler.errors import ManifestError
from reconciler.manifest.files import FoundFiles, find_manifests
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.loader import load_files
from reconciler.progress import NULL_PROGRESS, ProgressListener


def find_files(paths: Sequence[str]) -> FoundFiles:
    """Find the manifests of ``paths``, once a run; what is wrong with paths is in the result."""
    return find_manifests(paths)


def check_files(files: FoundFiles) -> None:
    """Raise ManifestError where no manifest was found."""
    if not files.files:
        raise ManifestError(tuple(sorted(set(files.problems))))


def load_desired(
    files: FoundFiles,
    attributes: Attributes,
    *,
    shard: Shard | None = None,
    server: ChosenServer | None = None,
    progress: ProgressListener = NULL_PROGRESS,
    compared: bool = True,
) -> DesiredIndex:
    """Read and check all manifests, and give the tasks of a shard; raises ManifestError.

    ``server`` and ``compared`` are as `load_files` has them.
    """
    desired = load_files(files, attributes, server=server, progress=progress, compared=compared)
    return desired if shard is None else desired.part(shard.holds)
