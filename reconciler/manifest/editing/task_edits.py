"""Changes of the tasks of one file, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

from reconciler.core.values import Json
from reconciler.manifest.editing.nodes import Node
from reconciler.manifest.editing.splices import CannotEditError
from reconciler.manifest.editing.value_edits import WHOLE, ValueEdits

CHANGED: Final = "the file changed while the command ran"
UNSAFE: Final = "the edited text would not declare what it should"


class TaskEdit(NamedTuple):
    """An entry of ``tasks``, by the numbers of document and entry, as it is and as it must be."""

    document: int
    position: int
    old: dict[str, Json]
    new: dict[str, Json]


class TaskAdditions(NamedTuple):
    """Entries that are added behind the last one of a document, given by its number."""

    document: int
    entries: Sequence[dict[str, Json]]


TaskChange: TypeAlias = TaskEdit | TaskAdditions

Failure: TypeAlias = tuple[TaskChange, str]
"""A change that could not be made, and the reason."""


class EditedFile(NamedTuple):
    """The new bytes of a file, and the changes that could not be made."""

    raw: bytes
    failed: Sequence[Failure]


def edit_task(collected: ValueEdits, node: Node, edit: TaskEdit) -> str:
    """Edit one task; return why that is impossible, or nothing."""
    known = len(collected.splices)
    try:
        collected.edit(node, edit.old, edit.new, WHOLE)
    except CannotEditError as error:
        del collected.splices[known:]
        return str(error)
    return ""
