"""What anchors stand for, and how much of it the aliases of one document may have."""

from __future__ import annotations

from array import array
from typing import Final, NamedTuple

from reconciler.core.values import Json

ALIASED_NODES_MAX: Final = 1_000_000
"""Nodes that the aliases of one document may stand for: enough to share, too few to bomb."""

ALIASED_TEXT_MAX: Final = 10_000_000
"""Characters that they may stand for."""


class Anchored(NamedTuple):
    """A value that aliases may stand for, the places of what is inside it, levels, characters."""

    value: Json
    inner: array[int]
    levels: int
    characters: int


class Anchors:
    """The anchors of one document, and what its aliases have stood for so far."""

    def __init__(self) -> None:
        self._by_name: dict[str, Anchored | None] = {}
        self._nodes = 0
        self._characters = 0

    def begin(self, name: str) -> None:
        """Note that the value of an anchor begins: until it ends nothing can stand for it."""
        self._by_name[name] = None

    def end(self, name: str, anchored: Anchored) -> None:
        """Note the value of an anchor; one of the same name before it is forgotten."""
        self._by_name[name] = anchored

    def resolve(self, name: str) -> Anchored | None:
        """Give what an alias stands for, and count it; None where it stands for nothing."""
        anchored = self._by_name.get(name)
        if anchored is not None:
            self._nodes += len(anchored.inner) + 1
            self._characters += anchored.characters
        return anchored

    def explain_failure(self, name: str) -> tuple[str, str]:
        """Tell why an alias stands for nothing, and what to do."""
        if name in self._by_name:
            return f"the alias *{name} stands inside its own anchor", "no value can hold itself"
        return f"no anchor &{name} stands before this alias", "quote it if you mean a string"

    def find_bomb(self) -> tuple[str, str] | None:
        """Tell that aliases stand for more than anybody would write; None while they do not."""
        if self._nodes > ALIASED_NODES_MAX:
            what = f"{ALIASED_NODES_MAX:,} values"
        elif self._characters > ALIASED_TEXT_MAX:
            what = f"{ALIASED_TEXT_MAX:,} characters"
        else:
            return None
        message = f"the aliases of this document stand for more than {what}"
        return message, "write them out, or split the file"
