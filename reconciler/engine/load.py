"""Manifests in, desired tasks out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from reconciler.contract.openapi import load_contract
from reconciler.core.server_address import ChosenServer
from reconciler.errors import ManifestError
from reconciler.manifest.files import FoundFiles, find_manifests, find_place
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.loader import check_manifests, load_manifests
from reconciler.progress import NULL_PROGRESS, ProgressListener

if TYPE_CHECKING:
    from reconciler.manifest.label_checks import LabelChecks

__all__ = [
    "FoundFiles",
    "check_files",
    "count_desired",
    "find_files",
    "load_desired",
    "locate_saved_files",
]


def find_files(paths: Sequence[str]) -> FoundFiles:
    """Find the manifests of ``paths``, once per run; the result holds problems with paths."""
    return find_manifests(paths)


def locate_saved_files(files: Sequence[str]) -> FoundFiles:
    """Locate saved plans or reports, as `find_files` does for manifests."""
    return FoundFiles([*files], places={find_place(file): file for file in files})


def check_files(files: FoundFiles) -> None:
    """Raise ManifestError if no manifest was found."""
    if not files.files:
        raise ManifestError(tuple(sorted(set(files.problems))))


def load_desired(
    files: FoundFiles,
    *,
    server: ChosenServer | None = None,
    projects: Callable[[str], int] | None = None,
    progress: ProgressListener = NULL_PROGRESS,
) -> DesiredIndex:
    """Read and check all manifests; raises ManifestError.

    See `load_manifests` for ``server`` and ``projects``.
    """
    return load_manifests(
        files, load_contract(), server=server, projects=projects, progress=progress
    )


def count_desired(
    files: FoundFiles,
    *,
    projects: Callable[[str], int] | None = None,
    labels: LabelChecks | None = None,
    progress: ProgressListener = NULL_PROGRESS,
) -> tuple[int, int]:
    """Read and check all manifests without a server, and count the declared tasks and rules.

    See `check_manifests` for ``projects`` and ``labels``. Raises ManifestError.
    """
    desired = check_manifests(
        files, load_contract(), projects=projects, labels=labels, progress=progress
    )
    return len(desired), len(desired.rules)
