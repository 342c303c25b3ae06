"""One file to its documents, with the reader that its name selects."""

from __future__ import annotations

import stat
import sys
from codecs import BOM_UTF8
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

from reconciler.core.notation import STANDARD_INPUT
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import Document, MappedDocument
from reconciler.manifest.readers.foreign_content import recognise_text
from reconciler.manifest.readers.json_reader import read_json
from reconciler.manifest.readers.jsonl_reader import LineFile, read_jsonl
from reconciler.manifest.readers.yaml_reader import read_yaml
from reconciler.progress import NULL_PROGRESS, ProgressListener

_NO_MANIFEST: Final = ("no manifest in this file", "write one, or remove the file")
_NO_INPUT: Final = ("standard input has no manifest", "pipe one into it, or pass a file or folder")


def read_documents(
    file: str, diagnostics: Diagnostics, *, progress: ProgressListener = NULL_PROGRESS
) -> Sequence[Document]:
    """Read the documents of one file, or of standard input for ``-``."""
    try:
        if file != STANDARD_INPUT and not stat.S_ISREG(Path(file).stat().st_mode):
            hint = "pass a pipe as standard input, with -"
            diagnostics.add_whole("not a regular file", hint=hint)
            return []
        documents = _read_by_name(file, diagnostics, progress=progress)
    except OSError as error:
        diagnostics.add_whole(f"cannot be read: {error.strerror}")
        return []
    if not documents and not diagnostics.problems:
        message, hint = _NO_INPUT if file == STANDARD_INPUT else _NO_MANIFEST
        diagnostics.add_whole(message, hint=hint)
    return documents


def _read_by_name(
    file: str, diagnostics: Diagnostics, *, progress: ProgressListener
) -> Sequence[Document]:
    if file.lower().endswith(".jsonl"):
        return read_jsonl(LineFile(Path(file)), diagnostics, progress=progress)
    raw = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    return parse_documents(file, raw, diagnostics, progress=progress)


def read_contents(file: str, contents: bytes, diagnostics: Diagnostics) -> Sequence[Document]:
    """Read the documents of a file from ``contents`` that it had at another time."""
    if file.lower().endswith(".jsonl"):
        return read_jsonl(LineFile(Path(file), contents), diagnostics)
    return parse_documents(file, contents, diagnostics)


def parse_documents(
    file: str,
    raw: bytes,
    diagnostics: Diagnostics,
    *,
    progress: ProgressListener = NULL_PROGRESS,
) -> Sequence[Document]:
    """Read the documents of a YAML or JSON file from its bytes; ``file`` is its name."""
    raw = raw.removeprefix(BOM_UTF8)
    text = _decode(raw, diagnostics)
    if not text or text.isspace():
        return []
    if file.lower().endswith(".json") or (file == STANDARD_INPUT and text.lstrip().startswith("{")):
        del text
        return read_json(raw, diagnostics, progress=progress)
    documents = read_yaml(text, diagnostics, progress=progress)
    if any(isinstance(document.outline, str) for document in documents):
        # To YAML, much that is not YAML is one long string.
        foreign = recognise_text(text)
        if foreign:
            diagnostics.add_mistake(foreign)
            return []
    digest = compute_digest(raw)
    for document in documents:
        document.digest = digest
    return _drop_empty(documents)


def compute_digest(raw: bytes) -> bytes:
    """Return what `MappedDocument.digest` is for a file of these bytes, byte order mark or not."""
    return blake2b(raw.removeprefix(BOM_UTF8), digest_size=16).digest()


def _decode(raw: bytes, diagnostics: Diagnostics) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        lines = error.object[: error.start].decode().split("\n")
        diagnostics.add(len(lines), len(lines[-1]) + 1, "not UTF-8", hint="save the file as UTF-8")
        return ""


def _drop_empty(documents: Sequence[MappedDocument]) -> Sequence[Document]:
    """Drop empty documents, as after a last ``---``; a file of empty documents keeps one."""
    filled = [document for document in documents if document.outline is not None]
    return filled or documents[:1]
