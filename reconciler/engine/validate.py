"""What is wrong with manifests, as data; no server is asked."""

from __future__ import annotations

from reconciler.core.validation_document import Validation
from reconciler.engine.load import FoundFiles, check_files, count_desired
from reconciler.errors import ManifestError
from reconciler.progress import NULL_PROGRESS, ProgressListener

__all__ = ["Validation", "validate"]


def validate(files: FoundFiles, *, progress: ProgressListener = NULL_PROGRESS) -> Validation:
    """Read and check all manifests: the problems are in the result, and none is raised."""
    try:
        check_files(files)
        return Validation((), count_desired(files, progress=progress))
    except ManifestError as error:
        return Validation(error.problems)
