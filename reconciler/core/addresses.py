"""Addresses of files in task data: what Label Studio stores, and what it makes up on reading.

With a cloud storage connected, ``s3://bucket/x.jpg`` may read as an address of the server
(``/tasks/10/resolve/?fileuri=...``), as a signed address of the storage, or as the file itself
(``data:image/jpeg;base64,...``; measured on 1.13.1 and 1.22.0). Written back, any of these takes
the place of the stored address for good.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from reconciler.core.encoding import encode
from reconciler.core.model import Change
from reconciler.core.notation import Path
from reconciler.core.values import Side

RESOLVED_PART: Final = "?fileuri="
"""What every address has that the server made up on reading."""

_RESOLVED: Final = re.compile(r"/(?:tasks|projects)/\d+/(?:resolve|presign)/?\?fileuri=")
_PARTS: Final = (b"://", b'"/')
"""One of which the JSON text of every value has that holds a stored address."""

_STORED: Final = re.compile(
    r"(?<![\w+.-])(?!(?:https?|data|blob|ftp|file)\b)[a-z][\w+.-]*://\S|^/(?:data|storage-data)/\S"
)
"""A scheme that only storages have, or a path of this server; also inside a longer text, as in an
image of a hypertext."""


def find_resolved_address(value: Side) -> str | None:
    """Find an address that the server made up on reading, in any string of ``value``."""
    if isinstance(value, str):
        return value if RESOLVED_PART in value and _RESOLVED.search(value) else None
    if isinstance(value, dict | list) and RESOLVED_PART.encode() in encode(value):
        found = (find_resolved_address(text) for _, text in _iterate_strings((), value))
        return next(filter(None, found), None)
    return None


def find_undeclared_addresses(
    live: Mapping[str, Side], changes: Collection[Change]
) -> tuple[Path, ...]:
    """Name the places in ``data`` that hold stored addresses and that ``changes`` do not touch.

    They are sent along with the changes, as ``data`` is sent whole. An element of a list is named
    by its index, written as text.
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
    """Give those of the ``known`` places that hold another text now, with that text.

    Where ``changes`` touch a place, or it holds no text any more, nothing is sent along.
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
    """Give all strings inside a value but those at or inside the paths ``without``."""
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
