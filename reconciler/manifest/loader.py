"""Manifests to desired tasks: every file read, checked and combined, all problems at once."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.contract.attributes import Attributes
from reconciler.core.server_address import ChosenServer
from reconciler.errors import ManifestError, Problem
from reconciler.manifest.checks import (
    check_absent,
    check_defaults,
    check_server,
    check_task_rules,
    find_emptied_data,
)
from reconciler.manifest.combination import find_conflicts
from reconciler.manifest.declarations import read_header
from reconciler.manifest.files import FoundFiles, find_manifests
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.readers.document import Diagnostics, Document
from reconciler.manifest.readers.manifest_file import read_documents
from reconciler.manifest.validation import check_outline, check_task
from reconciler.progress import NULL_PROGRESS, ProgressListener


def load_manifests(
    paths: Sequence[str], attributes: Attributes, *, progress: ProgressListener = NULL_PROGRESS
) -> DesiredIndex:
    """Read the manifests that ``paths`` stand for, as ``load_files`` does."""
    return load_files(find_manifests(paths), attributes, progress=progress)


def load_files(
    found_files: FoundFiles,
    attributes: Attributes,
    *,
    server: ChosenServer | None = None,
    progress: ProgressListener = NULL_PROGRESS,
    compared: bool = True,
) -> DesiredIndex:
    """Read manifests into one desired task for each task.

    With ``server``, manifests that declare another one are a problem. ``compared`` tells whether
    they will be compared with a server, for which fingerprints are taken. Raises ManifestError
    with every problem of every file, and of what leads to them, in order of place.
    """
    problems = [*found_files.problems]
    desired = DesiredIndex(compared=compared)
    progress.begin("checking manifests")
    for file in found_files.files:
        diagnostics = Diagnostics(file)
        found = [
            problem
            for document in read_documents(file, diagnostics, progress=progress)
            for problem in add_document(
                document, desired, attributes, diagnostics=diagnostics, server=server
            )
        ]
        problems += diagnostics.problems
        told = {(problem.source, problem.path) for problem in diagnostics.problems}
        problems += (problem for problem in found if (problem.source, problem.path) not in told)
    desired.sort()
    for same_task in desired.repeated():
        problems += find_conflicts(same_task)
    if problems:
        raise ManifestError(tuple(sorted(set(problems))))
    return desired


def add_document(
    document: Document,
    desired: DesiredIndex,
    attributes: Attributes,
    *,
    diagnostics: Diagnostics,
    server: ChosenServer | None = None,
) -> list[Problem]:
    """Check one document, and add its declarations, without those of tasks with problems.

    A task that is complained of while it is read is checked as far as it can be, but is not what
    another look at it would find.
    """
    problems, accepted = check_outline(document, attributes)
    problems += check_server(document, accepted, server)
    problems += check_defaults(document, accepted)
    header = read_header(document, accepted)
    desired.add_document(header)
    told = len(diagnostics.problems)
    for entry in document.tasks():
        index, task, _ = entry
        refused, usable = check_task(document, index, task, attributes=attributes)
        if "absent" in usable:
            refused += check_absent(document, index, usable)
        problems += check_task_rules(document, entry, usable, project=header.project)
        if refused or len(diagnostics.problems) > told:
            problems += refused
            told = len(diagnostics.problems)
            continue
        if "data" in header.replaced and not usable.get("data"):
            problems += find_emptied_data(header.declaration(index))
        desired.add(index, usable)
    return problems
