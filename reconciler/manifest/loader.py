"""Manifests to desired tasks: every file read, checked and combined, all problems at once."""

from __future__ import annotations

import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from reconciler.contract.attributes import Attributes
from reconciler.core.notation import STANDARD_INPUT
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
from reconciler.manifest.file_names import is_json, is_json_lines
from reconciler.manifest.files import FoundFiles, find_manifests
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.readers.document import Diagnostics, Document
from reconciler.manifest.readers.json_document import read_json_document
from reconciler.manifest.readers.json_lines_reader import read_json_lines
from reconciler.manifest.readers.lines import BOM, LineFile
from reconciler.manifest.readers.yaml_reader import read_yaml
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


def read_documents(
    file: str, diagnostics: Diagnostics, *, progress: ProgressListener = NULL_PROGRESS
) -> Sequence[Document]:
    """Read the documents of one file, or of standard input for ``-``."""
    try:
        if file != STANDARD_INPUT and not stat.S_ISREG(Path(file).stat().st_mode):
            hint = "give a pipe as standard input, with -"
            diagnostics.add(1, 1, "not a regular file", hint=hint)
            return []
        documents = _read_documents(file, diagnostics, progress=progress)
    except OSError as error:
        diagnostics.add(1, 1, f"cannot be read: {error.strerror}")
        return []
    if not documents and not diagnostics.problems:
        diagnostics.add(1, 1, "no document in this file", hint="write a manifest, or remove it")
    return documents


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


def _read_documents(
    file: str, diagnostics: Diagnostics, *, progress: ProgressListener
) -> Sequence[Document]:
    if is_json_lines(file):
        return read_json_lines(LineFile(Path(file)), diagnostics, progress=progress)
    raw = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    raw = raw.removeprefix(BOM)
    text = _read_text(raw, diagnostics)
    if not text or text.isspace():
        return []
    if is_json(file) or (file == STANDARD_INPUT and text.lstrip().startswith("{")):
        del text
        return read_json_document(raw, diagnostics, progress=progress)
    return _drop_empty(read_yaml(text, diagnostics, progress=progress))


def _read_text(raw: bytes, diagnostics: Diagnostics) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        lines = error.object[: error.start].decode().split("\n")
        diagnostics.add(len(lines), len(lines[-1]) + 1, "not UTF-8", hint="save the file as UTF-8")
        return ""


def _drop_empty(documents: Sequence[Document]) -> Sequence[Document]:
    """Leave out what stands after a last ``---``: nothing. A file of nothing else keeps it."""
    filled = [document for document in documents if document.outline is not None]
    return filled or documents[:1]
