"""Manifests to desired tasks: reads, checks and combines all files, and reports all problems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.contract.attributes import Attributes
from reconciler.core.server_address import ChosenServer
from reconciler.errors import ManifestError, Problem
from reconciler.manifest.checks import (
    check_absent,
    check_attributes,
    check_defaults,
    check_server,
    find_emptied_data,
)
from reconciler.manifest.combination import find_conflicts
from reconciler.manifest.declarations import read_header
from reconciler.manifest.files import FoundFiles
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import Document
from reconciler.manifest.readers.foreign_content import recognise_value
from reconciler.manifest.readers.manifest_file import read_documents
from reconciler.manifest.readers.memory_reader import read_values
from reconciler.manifest.validation import check_outline, check_task
from reconciler.progress import NULL_PROGRESS, ProgressListener


def load_manifests(
    files: FoundFiles,
    attributes: Attributes,
    *,
    server: ChosenServer | None = None,
    progress: ProgressListener = NULL_PROGRESS,
) -> DesiredIndex:
    """Read manifests, and return what they declare for each task.

    With ``server``, a manifest that declares another server is a problem. Raises ManifestError with
    the problems of all paths and files, in order of place.
    """
    desired = DesiredIndex()
    _load_into(desired, files, attributes, server=server, progress=progress)
    return desired


def check_manifests(
    files: FoundFiles, attributes: Attributes, *, progress: ProgressListener = NULL_PROGRESS
) -> DesiredIndex:
    """Read manifests as `load_manifests` does, for callers that do not compare them."""
    desired = DesiredIndex(fingerprints=False)
    _load_into(desired, files, attributes, server=None, progress=progress)
    return desired


def load_values(
    header: Mapping[str, Any],
    tasks: Iterable[Any],
    attributes: Attributes,
    *,
    name: str,
    progress: ProgressListener = NULL_PROGRESS,
) -> DesiredIndex:
    """Read a manifest from values instead of a file; ``name`` takes the place of a file name.

    Raises ManifestError, as `load_manifests` does.
    """
    desired, diagnostics = DesiredIndex(), Diagnostics(name)
    progress.begin("checking tasks")
    documents = read_values(header, tasks, diagnostics, progress=progress)
    not_json = {problem.path: problem for problem in diagnostics.problems}
    found = _add_file(documents, desired, attributes, diagnostics=diagnostics, server=None)
    # What is not JSON was read as null: other problems at that path mean nothing.
    told = [p for p in found if not_json.get(p.path, p) == p]
    _finish(desired, [replace(p, source=replace(p.source, column=1)) for p in told])
    return desired


def _load_into(
    desired: DesiredIndex,
    files: FoundFiles,
    attributes: Attributes,
    *,
    server: ChosenServer | None,
    progress: ProgressListener,
) -> None:
    problems = [*files.problems]
    progress.begin("checking manifests")
    for file in files.files:
        diagnostics = Diagnostics(file)
        documents = read_documents(file, diagnostics, progress=progress)
        problems += _add_file(
            documents, desired, attributes, diagnostics=diagnostics, server=server
        )
    _finish(desired, problems)


def _add_file(
    documents: Iterable[Document],
    desired: DesiredIndex,
    attributes: Attributes,
    *,
    diagnostics: Diagnostics,
    server: ChosenServer | None,
) -> list[Problem]:
    """Add the documents of one file; where the reader has a problem, others are left out."""
    found = [
        problem
        for document in documents
        for problem in _add_document(
            document, desired, attributes, diagnostics=diagnostics, server=server
        )
    ]
    told = {(problem.source, problem.path) for problem in diagnostics.problems}
    others = (problem for problem in found if (problem.source, problem.path) not in told)
    return [*diagnostics.problems, *others]


def _finish(desired: DesiredIndex, problems: list[Problem]) -> None:
    """Sort the tasks, and raise ManifestError if there are problems."""
    desired.sort()
    for same_task in desired.iterate_repeated():
        problems += find_conflicts(same_task)
    if problems:
        raise ManifestError(tuple(sorted(set(problems))))


def _add_document(
    document: Document,
    desired: DesiredIndex,
    attributes: Attributes,
    *,
    diagnostics: Diagnostics,
    server: ChosenServer | None,
) -> list[Problem]:
    """Check one document, and add the declarations of its tasks without problems.

    A task that could not be read completely is checked as far as possible, but not added: reading
    it again would give another value.
    """
    problems, accepted = check_outline(document, attributes)
    foreign = recognise_value(document.outline) if problems else None
    if foreign:
        return [Problem(document.locate_value(()), "", *foreign)]
    problems += check_server(document, accepted, server)
    problems += check_defaults(document, accepted)
    header = read_header(document, accepted)
    desired.add_document(header)
    told = len(diagnostics.problems)
    for entry in document.read_tasks():
        index, task, _ = entry
        refused, usable = check_task(document, index, task, attributes=attributes)
        if "absent" in usable:
            refused += check_absent(document, index, usable, attributes=attributes)
        problems += check_attributes(document, entry, usable, project=header.project)
        if refused or len(diagnostics.problems) > told:
            problems += refused
            told = len(diagnostics.problems)
            continue
        if "data" in header.replaced and not usable.get("data"):
            problems += find_emptied_data(header.read_declaration(index))
        desired.add(index, usable)
    return problems
