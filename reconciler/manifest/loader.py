"""Manifests to desired tasks: every file read, checked and combined, all problems at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from reconciler.contract.attributes import Attributes
from reconciler.errors import ManifestError, Problem, Source
from reconciler.manifest.combine import combine
from reconciler.manifest.declarations import Declaration, declarations_of
from reconciler.manifest.document import Complaints, Document
from reconciler.manifest.files import STANDARD_INPUT, find_manifests
from reconciler.manifest.json_lines_reader import read_json_lines
from reconciler.manifest.json_reader import read_json
from reconciler.manifest.rules import emptied_data, rule_problems
from reconciler.manifest.validation import check
from reconciler.manifest.yaml_reader import read_yaml
from reconciler.plan.model import DesiredTask


def load_manifests(paths: Sequence[str], attributes: Attributes) -> tuple[DesiredTask, ...]:
    """Read the manifests that ``paths`` stand for, into one desired task for each task.

    Raises ManifestError with every problem of every file, in order of place.
    """
    files, problems = find_manifests(paths)
    declarations: list[Declaration] = []
    for file in files:
        documents, unread = read_documents(file)
        problems += unread
        told = {(problem.source, problem.path) for problem in unread}
        for document in documents:
            good, found = check_document(document, attributes)
            declarations += good
            problems += (p for p in found if (p.source, p.path) not in told)
    tasks, conflicts = combine(declarations)
    problems += conflicts
    if problems:
        raise ManifestError(tuple(sorted(set(problems))))
    return tuple(tasks)


def read_documents(file: str) -> tuple[list[Document], list[Problem]]:
    """Read the documents of one file, or of standard input for ``-``."""
    complaints = Complaints(file)
    if file != STANDARD_INPUT and Path(file).exists() and not Path(file).is_file():
        hint = "give a pipe as standard input, with -"
        return [], [Problem(Source(file, 1, 1), "", "not a regular file", hint)]
    try:
        raw = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    except OSError as error:
        return [], [Problem(Source(file, 1, 1), "", f"cannot be read: {error.strerror}")]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        lines = error.object[: error.start].decode("utf-8").split("\n")
        complaints.add(len(lines), len(lines[-1]) + 1, "not UTF-8", hint="save the file as UTF-8")
        return [], complaints.problems
    documents = _documents(file, text, complaints)
    if not documents and not complaints.problems:
        complaints.add(1, 1, "no document in this file", hint="write a manifest, or remove it")
    return _without_empty(documents), complaints.problems


def _without_empty(documents: list[Document]) -> list[Document]:
    """Leave out what stands after a last ``---``: nothing. A file of nothing else keeps it."""
    filled = [document for document in documents if document.value is not None]
    return filled or documents[:1]


def check_document(
    document: Document, attributes: Attributes
) -> tuple[list[Declaration], list[Problem]]:
    """Check one document, and give its declarations, without those of tasks with problems."""
    checked = check(document, attributes)
    found, unreadable = rule_problems(document, checked)
    declarations = declarations_of(document, checked, without=unreadable)
    return declarations, [*checked.problems, *found, *emptied_data(declarations)]


def _documents(file: str, text: str, complaints: Complaints) -> list[Document]:
    if not text.strip():
        return []
    if file.endswith(".jsonl"):
        return read_json_lines(text, complaints)
    if file.endswith(".json") or (file == STANDARD_INPUT and text.lstrip().startswith("{")):
        return read_json(text, complaints)
    return read_yaml(text, complaints)
