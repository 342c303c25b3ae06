"""The problems of manifests, as data, without a server."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.core.validation_document import Validation
from reconciler.engine.load import FoundFiles, check_files, count_desired
from reconciler.errors import ManifestError
from reconciler.progress import NULL_PROGRESS, ProgressListener

__all__ = ["Validation", "validate"]


def validate(
    files: FoundFiles,
    *,
    projects: Callable[[str], int] | None = None,
    progress: ProgressListener = NULL_PROGRESS,
) -> Validation:
    """Read and check all manifests; problems are returned, not raised."""
    try:
        check_files(files)
        return Validation((), *count_desired(files, projects=projects, progress=progress))
    except ManifestError as error:
        return Validation(error.problems)
