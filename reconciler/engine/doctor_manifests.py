"""The manifests that `doctor` checks: what they declare, or their problems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from reconciler.contract.attributes import Attributes
from reconciler.core.observations import Declared, Failure
from reconciler.engine.load import FoundFiles, check_files, load_desired
from reconciler.engine.settings.run_settings import Settings
from reconciler.errors import ManifestError
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.loader import number_projects
from reconciler.progress import ProgressListener


@dataclass(frozen=True, slots=True)
class ExaminedManifests:
    """What the manifests declare; ``desired`` is None if there are none, or with problems."""

    declared: Declared | tuple[Failure, ...] | None = None
    desired: DesiredIndex | None = None


def load_examined(
    files: FoundFiles, settings: Settings | None, progress: ProgressListener
) -> ExaminedManifests:
    """Read the manifests; names of projects have no numbers yet."""
    try:
        check_files(files)
        desired = load_desired(
            files, server=settings.server if settings else None, progress=progress
        )
    except ManifestError as error:
        return ExaminedManifests(_list_failures(error))
    return ExaminedManifests(_declare(desired, len(files.files)), desired)


def number_manifests(
    manifests: ExaminedManifests, attributes: Attributes, projects: Callable[[str], int]
) -> ExaminedManifests:
    """Turn names of projects into numbers; ``projects`` raises UnknownProjectName."""
    declared, desired = manifests.declared, manifests.desired
    if not isinstance(declared, Declared) or desired is None or not desired.has_project_names:
        return manifests
    try:
        numbered = number_projects(desired, attributes, projects)
    except ManifestError as error:
        return ExaminedManifests(_list_failures(error))
    return ExaminedManifests(_declare(numbered, declared.files), numbered)


def _list_failures(error: ManifestError) -> tuple[Failure, ...]:
    return tuple(
        Failure(str(replace(problem, hint="")), problem.hint) for problem in error.problems
    )


def _declare(desired: DesiredIndex, files: int) -> Declared:
    return Declared(
        tasks=len(desired),
        rules=len(desired.rules),
        files=files,
        read=desired.names(),
        written=desired.list_written_names(),
        projects=desired.list_projects(),
    )
