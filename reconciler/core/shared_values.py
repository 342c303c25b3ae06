"""Values that all tasks of a file share, to be declared once for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from reconciler.core.paths import Path, are_nested, get_value, iterate_leaves, set_value
from reconciler.core.values import Json, is_same


class SharedValues:
    """The leaves that all tasks added so far have in common; an empty object is a leaf."""

    def __init__(self) -> None:
        self._leaves: dict[Path, Json] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the tasks share nothing, or none was added."""
        return not self._leaves

    def add(self, declared: Mapping[str, Json]) -> None:
        """Keep only what this task declares as well."""
        if self._leaves is None:
            self._leaves = {
                path: leaf
                for name, value in declared.items()
                for path, leaf in iterate_leaves((name,), value)
            }
            return
        self._leaves = {
            path: value
            for path, value in self._leaves.items()
            if is_same(get_value(declared, path), value)
        }

    def without(self, path: Path) -> Self:
        """Leave out what is at a path, around it or inside it."""
        self._leaves = {p: v for p, v in (self._leaves or {}).items() if not are_nested(p, path)}
        return self

    def list_paths(self) -> tuple[Path, ...]:
        """List the paths of the shared values."""
        return tuple(self._leaves or ())

    def build(self) -> dict[str, Json]:
        """Return the shared values inside the objects that lead to them."""
        built: Json = {}
        for path, value in (self._leaves or {}).items():
            built = set_value(built, path, value)
        return built if isinstance(built, dict) else {}
