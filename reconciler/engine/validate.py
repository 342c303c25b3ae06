"""The problems of manifests, as data, without a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reconciler.core.validation_document import Validation
from reconciler.engine.load import FoundFiles, check_files, count_desired
from reconciler.errors import ManifestError
from reconciler.progress import NULL_PROGRESS, ProgressListener

if TYPE_CHECKING:
    from reconciler.manifest.label_checks import LabelChecks

__all__ = ["Validation", "validate"]


def validate(
    files: FoundFiles,
    *,
    projects: Callable[[str], int] | None = None,
    labels: LabelChecks | None = None,
    progress: ProgressListener = NULL_PROGRESS,
) -> Validation:
    """Read and check all manifests; problems are returned, not raised."""
    try:
        check_files(files)
        counts = count_desired(files, projects=projects, labels=labels, progress=progress)
        return Validation((), *counts)
    except ManifestError as error:
        return Validation(error.problems)
