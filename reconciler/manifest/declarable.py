"""What of a live task a manifest can declare, by the checks that manifests themselves pass.

Most tasks are declared as they are, and one look at their JSON text shows that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from reconciler.core.addresses import RESOLVED_PART, find_resolved_address
from reconciler.core.encoding import encode_sorted
from reconciler.core.paths import Path
from reconciler.core.values import ABSENT, Json, Maybe, NoValue, is_too_deep
from reconciler.manifest.checks import UNDEFINED
from reconciler.manifest.declarations import MERGEABLE
from reconciler.manifest.readers.document import MAX_DEPTH
from reconciler.manifest.readers.scalars import MAX_DIGITS, find_text_problem
from reconciler.manifest.validation import get_task_check

LEVELS_MAX: Final = MAX_DEPTH - 3
"""Levels of an attribute: those of the document, its list of tasks and the task come before."""

_SUSPICIOUS: Final = (b"\\u0000", RESOLVED_PART.encode(), UNDEFINED.encode())
_LONG_INTEGER: Final = re.compile(rb"[0-9]{%d}" % (MAX_DIGITS + 1))
_BITS_MIN: Final = 14_000
"""Integers with fewer bits have fewer than `MAX_DIGITS` digits."""


class Undeclarable(NamedTuple):
    """A path of a task that cannot be declared, and why."""

    path: Path
    reason: str


class Declarable(NamedTuple):
    """What can be declared, its JSON text with sorted keys, and what cannot."""

    attributes: Mapping[str, Json]
    text: bytes
    refused: tuple[Undeclarable, ...] = ()


def find_declarable(attributes: Mapping[str, Json]) -> Declarable:
    """Return what of the attributes can be declared, and what must be left out."""
    text = _encode(attributes)
    if text is not None and not _is_suspicious(text, attributes):
        return Declarable(attributes, text)
    refused: list[Undeclarable] = []
    left = {
        name: value
        for name, found in attributes.items()
        if not isinstance(value := _prune((name,), found, refused), NoValue)
    }
    return Declarable(left, encode_sorted(left), tuple(refused))


def _encode(attributes: Mapping[str, Json]) -> bytes | None:
    """Write the attributes as JSON; None if they hold what cannot be written."""
    try:
        return encode_sorted(attributes)
    except (ValueError, RecursionError):
        return None  # half of a surrogate pair, an integer of too many digits, or too deep


def _is_suspicious(text: bytes, attributes: Mapping[str, Json]) -> bool:
    """Tell whether a value may be one that cannot be declared."""
    if any(part in text for part in _SUSPICIOUS):
        return True
    if len(text) > MAX_DIGITS and _LONG_INTEGER.search(text):
        return True
    if text.count(b"{") + text.count(b"[") > LEVELS_MAX and any(
        is_too_deep(value, LEVELS_MAX) for value in attributes.values()
    ):
        return True
    others = {name: value for name, value in attributes.items() if name not in MERGEABLE}
    return bool(others) and not _accepts(others)


def _accepts(attributes: Mapping[str, Json]) -> bool:
    return get_task_check().accepts({"id": 1, **attributes})


def _prune(path: Path, value: Json, refused: list[Undeclarable]) -> Maybe:
    """Return a value without what cannot be declared; ABSENT if nothing is left of it."""
    if isinstance(value, dict) and value and path[0] in MERGEABLE:
        left = dict(_prune_object(path, value, refused))
        return left or ABSENT
    reason = _find_reason(path, value)
    if reason:
        refused.append(Undeclarable(path, reason))
        return ABSENT
    return value


def _prune_object(
    path: Path, value: Mapping[str, Json], refused: list[Undeclarable]
) -> Iterator[tuple[str, Json]]:
    for key, inner in value.items():
        at = (*path, key)
        reason = _find_key_reason(at)
        if reason:
            refused.append(Undeclarable(at, reason))
            continue
        left = _prune(at, inner, refused)
        if not isinstance(left, NoValue):
            yield key, left


def _find_key_reason(path: Path) -> str:
    problem = find_text_problem(path[-1])
    if problem:
        return f"its key cannot be declared: {problem[0]}"
    if path == ("data", UNDEFINED):
        return "the server stores the value of this key under another one"
    if len(path) > LEVELS_MAX:
        return _TOO_DEEP
    return ""


_TOO_DEEP: Final = f"objects and lists nested more than {MAX_DEPTH} deep"


def _find_reason(path: Path, value: Json) -> str:
    """Say why a value that is declared as a whole cannot be; empty if it can."""
    if is_too_deep(value, LEVELS_MAX - len(path) + 1):
        return _TOO_DEEP
    reason = next(filter(None, map(_find_scalar_reason, _iterate_scalars(value))), "")
    if reason:
        return reason
    if path[0] in MERGEABLE:
        found = find_resolved_address(value)
        return "an address that the server generated" if found else ""
    return "" if _accepts({path[0]: value}) else "a value that manifests do not allow"


def _iterate_scalars(value: Json) -> Iterator[Json]:
    """Yield all scalars inside a value, and the keys of its objects."""
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict):
            waiting += inner.keys()
            waiting += inner.values()
        elif isinstance(inner, list):
            waiting += inner
        else:
            yield inner


def _find_scalar_reason(value: Json) -> str:
    if isinstance(value, str):
        problem = find_text_problem(value)
        return problem[0] if problem else ""
    if type(value) is int and value.bit_length() > _BITS_MIN and abs(value) >= 10**MAX_DIGITS:
        return f"an integer with more than {MAX_DIGITS:,} digits"
    return ""
