"""Manifests to desired tasks: every file read, checked and combined, all problems at once."""

from __future__ import annotations

import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from reconciler.contract.attributes import Attributes
from reconciler.core.server_address import ChosenServer
from reconciler.errors import ManifestError, Problem
from reconciler.manifest.checks import (
    absent_problems,
    defaults_problems,
    emptied_data,
    server_problems,
    task_problems,
)
from reconciler.manifest.combination import conflicts
from reconciler.manifest.declarations import header_of
from reconciler.manifest.file_names import STANDARD_INPUT, is_json, is_json_lines
from reconciler.manifest.files import FoundFiles, find_manifests
from reconciler.manifest.index import Desired
from reconciler.manifest.readers.document import Complaints, Document
from reconciler.manifest.readers.json_document import read_json_document
from reconciler.manifest.readers.json_lines_reader import read_json_lines
from reconciler.manifest.readers.lines import BOM, LineFile
from reconciler.manifest.readers.yaml_reader import read_yaml
from reconciler.manifest.validation import check_outline, check_task
from reconciler.progress import NOBODY, Watch


def load_manifests(
    paths: Sequence[str], attributes: Attributes, *, watch: Watch = NOBODY
) -> Desired:
    """Read the manifests that ``paths`` stand for, as ``load_files`` does."""
    return load_files(find_manifests(paths), attributes, watch=watch)


def load_files(
    found_files: FoundFiles,
    attributes: Attributes,
    *,
    server: ChosenServer | None = None,
    watch: Watch = NOBODY,
    compared: bool = True,
) -> Desired:
    """Read manifests into one desired task for each task.

    With ``server``, manifests that declare another one are a problem. ``compared`` tells whether
    they will be compared with a server, for which fingerprints are taken. Raises ManifestError
    with every problem of every file, and of what leads to them, in order of place.
    """
    problems = [*found_files.problems]
    desired = Desired(compared=compared)
    watch.begin("checking manifests")
    for file in found_files.files:
        complaints = Complaints(file)
        found = [
            problem
            for document in read_documents(file, complaints, watch=watch)
            for problem in add_document(
                document, desired, attributes, complaints=complaints, server=server
            )
        ]
        problems += complaints.problems
        told = {(problem.source, problem.path) for problem in complaints.problems}
        problems += (problem for problem in found if (problem.source, problem.path) not in told)
    desired.sort()
    for same_task in desired.repeated():
        problems += conflicts(same_task)
    if problems:
        raise ManifestError(tuple(sorted(set(problems))))
    return desired


def read_documents(
    file: str, complaints: Complaints, *, watch: Watch = NOBODY
) -> Sequence[Document]:
    """Read the documents of one file, or of standard input for ``-``."""
    try:
        if file != STANDARD_INPUT and not stat.S_ISREG(Path(file).stat().st_mode):
            hint = "give a pipe as standard input, with -"
            complaints.add(1, 1, "not a regular file", hint=hint)
            return []
        documents = _documents(file, complaints, watch=watch)
    except OSError as error:
        complaints.add(1, 1, f"cannot be read: {error.strerror}")
        return []
    if not documents and not complaints.problems:
        complaints.add(1, 1, "no document in this file", hint="write a manifest, or remove it")
    return documents


def add_document(
    document: Document,
    desired: Desired,
    attributes: Attributes,
    *,
    complaints: Complaints,
    server: ChosenServer | None = None,
) -> list[Problem]:
    """Check one document, and add its declarations, without those of tasks with problems.

    A task that is complained of while it is read is checked as far as it can be, but is not what
    another look at it would find.
    """
    problems, accepted = check_outline(document, attributes)
    problems += server_problems(document, accepted, server)
    problems += defaults_problems(document, accepted)
    header = header_of(document, accepted)
    desired.add_document(header)
    told = len(complaints.problems)
    for entry in document.tasks():
        index, task, _ = entry
        refused, usable = check_task(document, index, task, attributes=attributes)
        if "absent" in usable:
            refused += absent_problems(document, index, usable)
        problems += task_problems(document, entry, usable, project=header.project)
        if refused or len(complaints.problems) > told:
            problems += refused
            told = len(complaints.problems)
            continue
        if "data" in header.replaced and not usable.get("data"):
            problems += emptied_data(header.declaration(index))
        desired.add(index, usable)
    return problems


def _documents(file: str, complaints: Complaints, *, watch: Watch) -> Sequence[Document]:
    if is_json_lines(file):
        return read_json_lines(LineFile(Path(file)), complaints, watch=watch)
    raw = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    raw = raw.removeprefix(BOM)
    text = _text(raw, complaints)
    if not text or text.isspace():
        return []
    if is_json(file) or (file == STANDARD_INPUT and text.lstrip().startswith("{")):
        del text
        return read_json_document(raw, complaints, watch=watch)
    return _without_empty(read_yaml(text, complaints, watch=watch))


def _text(raw: bytes, complaints: Complaints) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        lines = error.object[: error.start].decode().split("\n")
        complaints.add(len(lines), len(lines[-1]) + 1, "not UTF-8", hint="save the file as UTF-8")
        return ""


def _without_empty(documents: Sequence[Document]) -> Sequence[Document]:
    """Leave out what stands after a last ``---``: nothing. A file of nothing else keeps it."""
    filled = [document for document in documents if document.outline is not None]
    return filled or documents[:1]
