"""Names of files that are safe on every system, made of titles and values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final
from unicodedata import normalize

from reconciler.core.encoding import encode
from reconciler.core.values import Json

REST: Final = "rest"
"""The name of the file for tasks without the value that the others are split by."""

_OTHERS: Final = re.compile(r"[^\w.-]+")
_LENGTH_MAX: Final = 80
"""Characters; in UTF-8 at most 240 bytes for letters, and file systems accept 255."""

_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")
"""Names of devices on Windows."""


def make_name(text: str) -> str:
    """Make a name of text: lower case, with hyphens for what is no letter or digit.

    Empty if nothing is left.
    """
    name = _OTHERS.sub("-", normalize("NFC", text.lower()))[:_LENGTH_MAX].strip("-._")
    while len(name.encode()) > 3 * _LENGTH_MAX:
        name = name[:-1]
    return f"{name}-" if _RESERVED.fullmatch(name) else name


def name_values(values: Iterable[Json]) -> Sequence[str]:
    """Name a file for each value; no two names differ only in case, and none is `REST`.

    The names depend only on the values, not on their order: returned in that of the values.
    """
    found = list(values)
    taken = {REST}
    names = [""] * len(found)
    for place in sorted(range(len(found)), key=lambda place: encode(found[place])):
        names[place] = _choose_free(_describe(found[place]), taken)
    return names


def _describe(value: Json) -> str:
    text = value if isinstance(value, str) else encode(value).decode(errors="replace")
    return make_name(text) or "value"


def _choose_free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free.casefold() in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free.casefold())
    return free
