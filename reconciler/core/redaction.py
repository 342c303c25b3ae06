"""Which paths are redacted, and the markers that are shown in place of their values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from reconciler.core.encoding import encode_canonical
from reconciler.core.notation import format_path, format_value, parse_path, shorten
from reconciler.core.paths import Path, are_nested, is_inside
from reconciler.core.shown_digest import NO_DIGEST_KEY, DigestKey
from reconciler.core.values import Json, NoValue, Redacted, Side, box

_NAMED: Final = frozenset({"id", "project"})
"""Attributes that name what a message is about: without them, no output says anything."""

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def parse_redacted_path(text: str) -> Path:
    """Parse a path to redact; raises ValueError, which does not fit in a task or is in a list."""
    shown = shorten(format_value(text))
    try:
        path = parse_path(text.strip())
    except ValueError:
        in_list = "[" in text and '["' not in text
        hint = (
            "elements of lists have no path: redact the whole list"
            if in_list
            else 'write data.key, or data["a.b"] for a key with a dot'
        )
        raise ValueError(f"{shown} is not a path: {hint}") from None
    if path[0] in _NAMED:
        raise ValueError(f"{shown} cannot be redacted: every output names tasks and projects by it")
    return path


@dataclass(frozen=True, slots=True)
class Redaction:
    """The paths whose values are not shown: ``hidden``, and all but ``shown`` if there are any."""

    hidden: tuple[Path, ...] = ()
    shown: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.hidden or self.shown)

    def join(self, other: Self) -> Self:
        """Return what hides whatever one of the two hides.

        Of two lists of paths to show, those are shown that both show.
        """
        shown = self.shown or other.shown
        if self.shown and other.shown:
            pairs = [(one, two) for one in self.shown for two in other.shown]
            both = [max(one, two, key=len) for one, two in pairs if are_nested(one, two)]
            shown = tuple(dict.fromkeys(both)) or (("",),)
        hidden = tuple(dict.fromkeys((*self.hidden, *other.hidden)))
        return type(self)(hidden, shown)

    def find_root(self, path: Path) -> Path | None:
        """Return the shortest redacted path that is ``path`` or around it; None if it is shown."""
        for length in range(1, len(path) + 1):
            around = path[:length]
            if around in self.hidden or self._is_beside(around):
                return around
        return None

    def touches(self, path: Path) -> bool:
        """Tell whether the value at ``path`` is redacted, or something inside it is."""
        return (
            self.find_root(path) is not None
            or any(is_inside(hidden, path) for hidden in self.hidden)
            or any(len(path) < len(shown) for shown in self.shown if is_inside(shown, path))
        )

    def cut(self, path: Path) -> Path:
        """Return the path without the keys below a redacted path, which are part of its value."""
        return self.find_root(path) or path

    def cut_all(self, paths: Iterable[Path]) -> tuple[Path, ...]:
        """Cut paths, and keep each once."""
        return tuple(dict.fromkeys(map(self.cut, paths)))

    def cut_text(self, text: str, paths: Iterable[Path]) -> str:
        """Cut those ``paths`` that a text names; longer ones first, as they hold shorter ones.

        What is cut alike is listed once: how many keys there are is not told.
        """
        named = {format_path(path): format_path(self.cut(path)) for path in paths}
        for path in sorted(named, key=len, reverse=True):
            if path != named[path]:
                text = text.replace(path, named[path])
        for root in {root for path, root in named.items() if path != root}:
            once = re.escape(root)
            text = re.sub(rf"({once})(?:, {once})+(?![.\w\[])", r"\1", text)
        return text

    def _is_beside(self, path: Path) -> bool:
        """Tell whether nothing of ``path`` is to be shown, although not everything is hidden."""
        return bool(self.shown) and not any(are_nested(path, shown) for shown in self.shown)

    def describe(self) -> str:
        """Say which values are redacted."""
        parts = []
        if self.shown:
            parts.append(f"all but {', '.join(map(format_path, self.shown))}")
        if self.hidden:
            parts.append(", ".join(map(format_path, self.hidden)))
        return ", and ".join(parts)


NOT_REDACTED: Final = Redaction()
"""Everything is shown."""

REDACT_ALL: Final = Redaction(shown=(("",),))
"""No value is shown: there is no attribute without a name."""


@dataclass(frozen=True, slots=True)
class RedactionSettings:
    """What is hidden wherever a plan or a report is shown, and the key for its digests."""

    redaction: Redaction = NOT_REDACTED
    digest_key: DigestKey = NO_DIGEST_KEY

    def __bool__(self) -> bool:
        return bool(self.redaction)

    def join(self, other: Self) -> Self:
        """Return what hides whatever one of the two hides, with the key of either."""
        key = self.digest_key or other.digest_key
        return type(self)(self.redaction.join(other.redaction), key)


SHOW_ALL: Final = RedactionSettings()
"""Nothing is hidden."""


@dataclass(frozen=True, slots=True)
class RedactionNote:
    """What a redacted plan or report says of itself; ``digest`` is that to show, empty for none."""

    redaction: Redaction
    digest: str = ""


class Masks:
    """Masks the values of one output: equal values get the same marker.

    Markers are named in the order in which values are met, so they tell nothing of the values.
    """

    def __init__(self, redaction: Redaction) -> None:
        self.redaction = redaction
        self._markers: dict[bytes, Redacted] = {}
        self._touched: dict[Path, bool] = {}

    def mark(self, value: Side) -> Side:
        """Return the marker of a value; whether it exists, and can be read, is shown."""
        return value if isinstance(value, NoValue) else self._name(encode_canonical([value]))

    def mark_parts(self, parts: Iterable[tuple[Path, Side]]) -> Redacted:
        """Return the marker of some values inside one that is not known as a whole."""
        ordered = sorted(parts, key=lambda part: part[0])
        written: list[Json] = [[list(path), box(value)] for path, value in ordered]
        return self._name(b"parts" + encode_canonical(written))

    def mask(self, path: Path, value: Side) -> Side:
        """Return a value with what is redacted in it masked."""
        if isinstance(value, NoValue) or not self.is_touched(path):
            return value
        if self.redaction.find_root(path) is not None:
            return self.mark(value)
        if isinstance(value, dict):
            masked = ((key, self.mask((*path, key), inner)) for key, inner in value.items())
            return {key: inner for key, inner in masked if not isinstance(inner, NoValue)}
        # No path leads into a list: what is to be redacted may be anywhere in it.
        return self.mark(value) if isinstance(value, list) else value

    def is_touched(self, path: Path) -> bool:
        """Tell whether something at a path is redacted; each path is looked at once."""
        found = self._touched.get(path)
        if found is None:
            found = self._touched[path] = self.redaction.touches(path)
        return found

    def _name(self, written: bytes) -> Redacted:
        marker = self._markers.get(written)
        if marker is None:
            name = _name_number(len(self._markers))
            marker = self._markers[written] = Redacted(f"(redacted {name})")
        return marker


def _name_number(number: int) -> str:
    """Return ``A`` to ``Z``, then ``AA`` and so on."""
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, len(_LETTERS))
        name = _LETTERS[letter] + name
    return name
