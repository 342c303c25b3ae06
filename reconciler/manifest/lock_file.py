"""``reconciler.lock``: found near manifests, read by our own reader, and written as a whole."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from reconciler.contract.schema_check import load_schema_check
from reconciler.core.locked_server import (
    FORMAT_VERSION,
    Lock,
    LockedServer,
    build_lock_document,
    restore_lock,
)
from reconciler.core.notation import format_path, format_value, shorten
from reconciler.core.server_address import normalize_address
from reconciler.core.values import Json
from reconciler.errors import ManifestError, Problem, Refused, SettingsError, Source
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.document import MappedDocument
from reconciler.manifest.readers.source_map import Steps
from reconciler.manifest.readers.yaml_reader import read_yaml
from reconciler.manifest.writers.yaml_scalars import split_block_lines
from reconciler.manifest.writers.yaml_values import format_entry

_SIZE_MAX: Final = 10_000_000
"""Bytes: the label configs of hundreds of projects are smaller."""

_NEW_MODE: Final = 0o644
"""It holds nothing secret, and others who use the repository read it."""

_PROBLEMS_MAX: Final = 20
"""How many problems of one file are listed."""

_BEGINNING: Final = """\
# What reconciler last read of the servers, so that validate can check manifests without them.
# Commit it, and do not edit it: reconciler doctor --update-lock writes it.
"""

_WRITE_AGAIN: Final = "run reconciler doctor --update-lock to write it again"
_UNREADABLE: Final = "remove it, and run reconciler doctor --update-lock"


@dataclass(frozen=True, slots=True)
class LockFile:
    """A lock, and the file that it was read from."""

    path: str
    lock: Lock
    document: MappedDocument

    def locate_honoured(self, environment: str) -> Source:
        """Return the place of the attributes that a server stores."""
        return self.document.locate_key(("environments", environment, "honoured"))

    def locate_line(self, environment: str, number: int, line: int) -> Source:
        """Return the place of a line of a label config, from 1; of its key if it has no lines."""
        steps = self._find_config(environment, number)
        written = _look_up(self.document.outline, steps)
        if isinstance(written, list) and 0 < line <= len(written):
            return self.document.locate_value((*steps, line - 1))
        at = self.document.locate_key(steps)
        if isinstance(written, str) and split_block_lines(written) is not None:
            return Source(at.file, at.line + line, 1)
        return at

    def _find_config(self, environment: str, number: int) -> Steps:
        entries = _look_up(self.document.outline, ("environments", environment, "projects"))
        numbers = [entry["number"] for entry in entries]
        position = numbers.index(number)
        return "environments", environment, "projects", position, "label_config"


def read_lock(path: str) -> LockFile:
    """Read and check a lock; raises ManifestError with the problems of the file."""
    diagnostics = Diagnostics(path)
    text = _read_text(path, diagnostics)
    documents = read_yaml(text, diagnostics) if text else []
    if text:
        # People do not write this file: the advice on how to write YAML is not for them.
        diagnostics.problems[:] = [replace(p, hint=_WRITE_AGAIN) for p in diagnostics.problems]
    if not documents and not diagnostics.problems:
        diagnostics.add_whole("the file is empty", hint=_WRITE_AGAIN)
    if len(documents) > 1:
        diagnostics.add_whole("expected one document, found several", hint=_WRITE_AGAIN)
    if not diagnostics.problems:
        diagnostics.problems += _check_document(documents[0])
    if diagnostics.problems:
        raise ManifestError(tuple(sorted(set(diagnostics.problems))[:_PROBLEMS_MAX]))
    found: Any = documents[0].outline
    return LockFile(path, restore_lock(found), documents[0])


def _read_text(path: str, diagnostics: Diagnostics) -> str:
    """Read a regular file: a link in a pull request may lead to a file of the machine."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            diagnostics.add_whole("not a regular file", hint=_UNREADABLE)
            return ""
        with Path(path).open("rb") as file:
            raw = file.read(_SIZE_MAX + 1)
        if len(raw) > _SIZE_MAX:
            message = f"the file is larger than {_SIZE_MAX:,} bytes"
            diagnostics.add_whole(message, hint=_WRITE_AGAIN)
            return ""
        return raw.decode("utf-8-sig")
    except OSError as error:
        diagnostics.add_whole(f"cannot be read: {error.strerror}", hint=_UNREADABLE)
    except UnicodeDecodeError:
        diagnostics.add_whole("not UTF-8", hint=_WRITE_AGAIN)
    return ""


def _check_document(document: MappedDocument) -> Iterator[Problem]:
    """Check the version first: of another one, nothing else can be judged."""
    outline = document.outline
    version = outline.get("format_version") if isinstance(outline, dict) else None
    if isinstance(version, str) and version != FORMAT_VERSION:
        yield _make_problem(
            document,
            ("format_version",),
            f"the format is {shorten(format_value(version))}, but this version of reconciler "
            f"reads {FORMAT_VERSION}",
            "install the version of reconciler that wrote it, or run reconciler doctor "
            "--update-lock",
        )
        return
    check = load_schema_check("lock.schema.json")
    if not check.accepts(outline):
        for error in check.explain(outline):
            message = shorten(error.message, 200)
            yield _make_problem(document, tuple(error.absolute_path), message, _WRITE_AGAIN)
        return
    yield from _check_servers(document)


def _check_servers(document: MappedDocument) -> Iterator[Problem]:
    """Check what the schema cannot: the addresses, and that no project has two entries."""
    for name, server in _look_up(document.outline, ("environments",)).items():
        steps: Steps = ("environments", name)
        try:
            normalize_address(server["server"])
        except SettingsError as error:
            yield _make_problem(document, (*steps, "server"), error.message, _WRITE_AGAIN)
        seen: set[object] = set()
        for position, project in enumerate(server["projects"]):
            if project["number"] in seen:
                at: Steps = (*steps, "projects", position, "number")
                message = f"duplicate project {project['number']}"
                yield _make_problem(document, at, message, _WRITE_AGAIN)
            seen.add(project["number"])


def _make_problem(document: MappedDocument, steps: Steps, message: str, hint: str) -> Problem:
    return Problem(document.locate_value(steps), format_path(steps), message, hint)


def _look_up(value: Json, steps: Steps) -> Any:  # noqa: ANN401 - as the schema says
    found: Any = value
    for step in steps:
        found = found[step]
    return found


def format_lock(lock: Lock) -> str:
    """Write a lock as YAML, with a label config as lines that git can compare.

    Raises ValueError for what no file can hold: NUL, and halves of surrogate pairs.
    """
    document = build_lock_document(lock)
    entries = (
        format_entry(key, _split_configs(value), indent=0) for key, value in document.items()
    )
    return _BEGINNING + "".join(entries)


def _split_configs(value: Json) -> Json:
    """Split label configs that a block could not show into their lines."""
    if isinstance(value, list):
        return [*map(_split_configs, value)]
    if not isinstance(value, dict):
        return value
    return {
        key: _split_config(inner) if key == "label_config" else _split_configs(inner)
        for key, inner in value.items()
    }


def _split_config(config: Json) -> Json:
    if isinstance(config, str) and "\n" in config and split_block_lines(config) is None:
        return [*config.split("\n")]
    return config


def write_lock(lock: Lock, file: Path) -> None:
    """Write a lock as a whole or not at all; raises Refused if that fails."""
    try:
        text = format_lock(lock)
        if file.is_symlink() or (file.exists() and not file.is_file()):
            raise Refused(
                f"cannot write {file}: it is not a regular file", hint="remove it, and try again"
            )
        _replace_file(file, text)
    except ValueError as error:
        raise Refused(f"cannot write {file}: a label config holds {error}") from error
    except OSError as error:
        raise Refused(
            f"cannot write {file}: {error.strerror or error}",
            hint="check the permissions of the folder",
        ) from error


def _replace_file(file: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        Path(name).chmod(stat.S_IMODE(file.stat().st_mode) if file.exists() else _NEW_MODE)
        Path(name).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def choose_servers(lock: Lock, environment: str) -> Mapping[str, LockedServer]:
    """Return the entry of an environment, if there is one; all entries without an environment."""
    if not environment:
        return lock.environments
    found = lock.environments.get(environment)
    return {} if found is None else {environment: found}
