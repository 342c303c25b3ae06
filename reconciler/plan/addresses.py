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

from reconciler.plan.model import Change
from reconciler.plan.notation import Path
from reconciler.plan.values import Side

RESOLVED_PART: Final = "?fileuri="
"""What every address has that the server made up on reading."""

_RESOLVED: Final = re.compile(r"/(?:tasks|projects)/\d+/(?:resolve|presign)/?\?fileuri=")
_STORED: Final = re.compile(
    r"(?<![\w+.-])(?!(?:https?|data|blob|ftp|file)\b)[a-z][\w+.-]*://\S|^/(?:data|storage-data)/\S"
)
"""A scheme that only storages have, or a path of this server; also inside a longer text, as in an
image of a hypertext."""


def resolved_address(value: Side) -> str | None:
    """Find an address that the server made up on reading, in any string of ``value``."""
    if isinstance(value, str):
        return value if RESOLVED_PART in value and _RESOLVED.search(value) else None
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return next(filter(None, map(resolved_address, value)), None)
    return None


def undeclared_addresses(live: Mapping[str, Side], changes: Collection[Change]) -> tuple[Path, ...]:
    """Name the places in ``data`` that hold stored addresses and that ``changes`` do not touch.

    They are sent along with the changes, as ``data`` is sent whole. An element of a list is named
    by its index, written as text.
    """
    changed = [change.path for change in changes if change.path[0] == "data"]
    if not changed:
        return ()
    return tuple(
        path
        for path, text in _strings(("data",), live.get("data"))
        if _holds_address(text) and not _touched(path, changed)
    )


def lost_addresses(
    known: Collection[Path], live: Mapping[str, Side], changes: Collection[Change]
) -> Iterator[tuple[Path, str]]:
    """Give those of the ``known`` places that hold another text now, with that text.

    Where ``changes`` touch a place, or it holds no text any more, nothing is sent along.
    """
    changed = [change.path for change in changes if change.path[0] == "data"]
    waiting = {path for path in known if not _touched(path, changed)} if changed else set()
    if waiting:
        for path, text in _strings(("data",), live.get("data")):
            if path in waiting and not _holds_address(text):
                yield path, text


def _holds_address(text: str) -> bool:
    return ("://" in text or text.startswith("/")) and _STORED.search(text) is not None


def _touched(path: Path, changed: Collection[Path]) -> bool:
    return any(path[: len(one)] == one[: len(path)] for one in changed)


def _strings(path: Path, value: Side) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings((*path, key), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _strings((*path, str(index)), inner)
