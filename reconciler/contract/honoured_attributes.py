"""What one server honours: its answer to OPTIONS of a task, laid over the table of attributes.

Label Studio describes there the serializer that its PATCH really uses: an attribute that it
does not list, or lists as read-only, is answered with 200 and not stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from reconciler.contract.api_schema import Node, get_child
from reconciler.contract.attributes import Attribute, Attributes

ALWAYS_HONOURED: Final = frozenset({"data", "meta"})
"""What every edition stores: nobody has to be asked about it."""

_UPDATES: Final = ("PATCH", "PUT", "POST")
"""The actions that may be described, those that tell most of a PATCH first."""


def read_honoured_names(answer: object) -> frozenset[str] | None:
    """Name the attributes that an update stores; None where the answer does not tell."""
    actions = get_child(answer, "actions") if isinstance(answer, Mapping) else {}
    described = (get_child(actions, action) for action in _UPDATES)
    rows = next(filter(None, described), {})
    written = frozenset(name for name in rows if _is_written(get_child(rows, name)))
    # Data is stored by every Label Studio: a description without it is one of something else.
    return written if "data" in written else None


def mark_ignored(attributes: Attributes, written: frozenset[str]) -> dict[str, Attribute]:
    """Mark in the table what is not ``written`` as ignored."""
    honoured = written | ALWAYS_HONOURED
    return {
        name: replace(attribute, ignored=name not in honoured)
        for name, attribute in attributes.items()
    }


def _is_written(row: Node) -> bool:
    return bool(row) and row.get("read_only") is not True
