"""The attributes that one server stores, by its answer to OPTIONS of a task.

Label Studio describes there the serializer that its PATCH really uses. For an attribute that it
does not list, or lists as read-only, it returns 200 and stores nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from reconciler.contract.api_schema import Node, get_child
from reconciler.contract.attributes import Attribute, Attributes

ALWAYS_HONOURED: Final = frozenset({"data", "meta"})
"""The attributes that every edition stores."""

_UPDATES: Final = ("PATCH", "PUT", "POST")
"""The actions that may be described, the most telling for a PATCH first."""


def read_honoured_names(answer: object) -> frozenset[str] | None:
    """Return the attributes that an update stores; None if the answer does not say."""
    actions = get_child(answer, "actions") if isinstance(answer, Mapping) else {}
    described = (get_child(actions, action) for action in _UPDATES)
    rows = next(filter(None, described), {})
    written = frozenset(name for name in rows if _is_written(get_child(rows, name)))
    # Every Label Studio stores data: a description without it describes something else.
    return written if "data" in written else None


def mark_ignored(attributes: Attributes, written: frozenset[str]) -> dict[str, Attribute]:
    """Mark the attributes that are not in ``written`` as ignored."""
    honoured = written | ALWAYS_HONOURED
    return {
        name: replace(attribute, ignored=name not in honoured)
        for name, attribute in attributes.items()
    }


def _is_written(row: Node) -> bool:
    return bool(row) and row.get("read_only") is not True
