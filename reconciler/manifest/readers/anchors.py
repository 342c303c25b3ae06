"""The values of anchors, and a limit to what the aliases of one document may repeat."""

from __future__ import annotations

from array import array
from typing import Final, NamedTuple

from reconciler.core.values import Json

ALIASED_NODES_MAX: Final = 1_000_000
"""Nodes that the aliases of one document may repeat: too few to exhaust the memory."""

ALIASED_TEXT_MAX: Final = 10_000_000
"""Characters that they may repeat."""


class Anchored(NamedTuple):
    """A value that aliases may repeat, the places of its inner nodes, its levels and characters."""

    value: Json
    inner: array[int]
    levels: int
    characters: int


class Anchors:
    """The anchors of one document, and how much its aliases have repeated so far."""

    def __init__(self) -> None:
        self._by_name: dict[str, Anchored | None] = {}
        self._nodes = 0
        self._characters = 0

    @property
    def has_any(self) -> bool:
        """Whether the document has an anchor."""
        return bool(self._by_name)

    def begin(self, name: str) -> None:
        """Begin the value of an anchor: no alias may repeat it before it ends."""
        self._by_name[name] = None

    def end(self, name: str, anchored: Anchored) -> None:
        """Keep the value of an anchor; it replaces an earlier one of the same name."""
        self._by_name[name] = anchored

    def resolve(self, name: str) -> Anchored | None:
        """Return the value of an alias, and count it; None if there is none."""
        anchored = self._by_name.get(name)
        if anchored is not None:
            self._nodes += len(anchored.inner) + 1
            self._characters += anchored.characters
        return anchored

    def explain_failure(self, name: str) -> tuple[str, str]:
        """Say why an alias has no value: a message and a hint."""
        if name in self._by_name:
            return f"the alias *{name} lies inside its own anchor", "a value cannot contain itself"
        return f"no anchor &{name} before this alias", "quote it if you mean a string"

    def find_bomb(self) -> tuple[str, str] | None:
        """Check whether aliases repeat more than allowed: a message and a hint, or None."""
        if self._nodes > ALIASED_NODES_MAX:
            what = f"{ALIASED_NODES_MAX:,} values"
        elif self._characters > ALIASED_TEXT_MAX:
            what = f"{ALIASED_TEXT_MAX:,} characters"
        else:
            return None
        message = f"the aliases of this document repeat more than {what}"
        return message, "write them out, or split the file"
