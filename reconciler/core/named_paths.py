"""Paths that a user named, looked for in tasks: which of them no task has, and what was meant."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Final

from reconciler.core.notation import format_path, shorten
from reconciler.core.paths import Path, get_value
from reconciler.core.values import ABSENT, Side

_KNOWN_MAX: Final = 200
"""Keys beside a path that are remembered."""

_LISTED_MAX: Final = 3
_NAME_MAX: Final = 200


class NamedPaths:
    """Paths that no task has shown yet, each with the option that names it.

    Only paths inside attributes count: an attribute itself is known from the API description.
    """

    def __init__(self, paths: Mapping[Path, str]) -> None:
        self._waiting = {path: name for path, name in paths.items() if len(path) > 1}
        self._beside: dict[Path, dict[str, None]] = {path: {} for path in self._waiting}

    def note(self, live: Mapping[str, Side]) -> None:
        """Look at one task."""
        if not self._waiting:
            return
        for path in [*self._waiting]:
            if get_value(live, path) is not ABSENT:
                del self._waiting[path]
                continue
            around = get_value(live, path[:-1])
            known = self._beside[path]
            if isinstance(around, dict) and len(known) < _KNOWN_MAX:
                known.update(dict.fromkeys(around))

    def explain_first(self) -> tuple[str, str] | None:
        """Say which path no task has: a message and a hint; None if all were found."""
        for path, option in self._waiting.items():
            shown = shorten(format_path(path), _NAME_MAX)
            return f"none of the tasks to pull has {shown}, which {option} names", self._advise(
                path
            )
        return None

    def _advise(self, path: Path) -> str:
        around, known = path[:-1], self._beside[path]
        if near := find_near_key(path[-1], known):
            return f"did you mean {shorten(format_path((*around, near)), _NAME_MAX)}?"
        if not known:
            return "leave it out, or correct it"
        listed = [shorten(format_path((*around, key)), _NAME_MAX) for key in known][:_LISTED_MAX]
        return f"leave it out, or name a path that tasks have, such as {', '.join(listed)}"


def find_near_key(key: str, known: Collection[str]) -> str:
    """Return the key that is most like another one, case apart; empty if none is."""
    folded = {one.casefold(): one for one in known}
    near = get_close_matches(key.casefold()[:_NAME_MAX], list(folded), n=1)
    return folded[near[0]] if near else ""
