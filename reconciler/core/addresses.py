"""Addresses of files in task data: those that Label Studio stores, and those that it generates.

With a cloud storage connected, ``s3://bucket/x.jpg`` may read as an address of the server
(``/tasks/10/resolve/?fileuri=...``), as a signed address of the storage, or as the file itself
(``data:image/jpeg;base64,...``; measured on 1.13.1 and 1.22.0). If one of these is written back,
it replaces the stored address for good.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from reconciler.core.encoding import encode
from reconciler.core.model import Change
from reconciler.core.paths import Path
from reconciler.core.values import Side

RESOLVED_PART: Final = "?fileuri="
"""A part of every address that the server generates when a task is read."""

_RESOLVED: Final = re.compile(r"/(?:tasks|projects)/\d+/(?:resolve|presign)/?\?fileuri=")
_PARTS: Final = (b"://", b'"/')
"""The JSON text of a value that holds a stored address has at least one of these parts."""

_STORED: Final = re.compile(
    r"(?<![\w+.-])(?!(?:https?|data|blob|ftp|file)\b)[a-z][\w+.-]*://\S|^/(?:data|storage-data)/\S"
)
"""A scheme that only storages use, or a path of this server; the scheme may also be inside a longer
text, such as HTML with an image."""


def find_resolved_address(value: Side) -> str | None:
    """Find an address that the server generated when the task was read, in any string inside."""
    if isinstance(value, str):
        return value if RESOLVED_PART in value and _RESOLVED.search(value) else None
    if isinstance(value, dict | list) and RESOLVED_PART.encode() in encode(value):
        found = (find_resolved_address(text) for _, text in _iterate_strings((), value))
        return next(filter(None, found), None)
    return None


def find_stored_address(value: Side) -> str | None:
    """Find a storage address, or a path of the server, in any string inside a value."""
    return next((text for _, text in _iterate_strings((), value) if _holds_address(text)), None)


def find_undeclared_addresses(
    live: Mapping[str, Side], changes: Collection[Change]
) -> tuple[Path, ...]:
    """List the paths in ``data`` that hold stored addresses and that ``changes`` do not touch.

    They are sent along with the changes, because ``data`` is sent as a whole. In these paths, an
    element of a list has its index, as text.
    """
    data, changed = live.get("data"), _list_changed_paths(changes)
    if not changed or not isinstance(data, dict):
        return ()
    written = encode(data)
    if not any(part in written for part in _PARTS):
        return ()
    return tuple(
        path for path, text in _iterate_strings(("data",), data, changed) if _holds_address(text)
    )


def find_lost_addresses(
    known: Collection[Path], live: Mapping[str, Side], changes: Collection[Change]
) -> Iterator[tuple[Path, str]]:
    """Yield the ``known`` paths that now hold text other than a stored address, with that text.

    Paths that ``changes`` touch, or that no longer hold text, are left out.
    """
    changed = _list_changed_paths(changes)
    if known and changed:
        for path, text in _iterate_strings(("data",), live.get("data"), changed):
            if path in known and not _holds_address(text):
                yield path, text


def _list_changed_paths(changes: Collection[Change]) -> frozenset[Path]:
    return frozenset(change.path for change in changes if change.path[0] == "data")


def _holds_address(text: str) -> bool:
    return ("://" in text or text.startswith("/")) and _STORED.search(text) is not None


def _iterate_strings(
    path: Path, value: Side, without: Collection[Path] = ()
) -> Iterator[tuple[Path, str]]:
    """Yield all strings inside a value, except those at or inside the paths ``without``."""
    waiting: list[tuple[Path, Side]] = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        if path in without:
            continue
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            waiting += (((*path, key), inner) for key, inner in reversed(value.items()))
        elif isinstance(value, list):
            inside = [((*path, str(index)), inner) for index, inner in enumerate(value)]
            waiting += reversed(inside)
