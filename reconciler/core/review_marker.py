"""The hidden first line of a comment or an issue: which plan it shows, and of which commit.

Anybody may post such a line, and those who may write to a repository may edit the comments of
others. So a marker counts only in a post of the account that reads it, if the text below is still
the one it was written for, and, where a key is set, if it is signed with that key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from hmac import compare_digest
from pathlib import PurePosixPath
from typing import Final, Self

import msgspec

from reconciler.core.shown_digest import DIGEST_KEY_VARIABLE, DigestKey

_START: Final = "<!-- reconciler "
_END: Final = " -->"
_SCOPE_MAX: Final = 400
_HIDDEN: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
"""An HTML comment ends at ``-->``, whatever it holds."""

MARKER_MAX: Final = 8_000
"""Most characters of a marker."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a plan is about: each environment, and each selection of files, has its own post."""

    environment: str = ""
    paths: tuple[str, ...] = ()

    @classmethod
    def of(cls, environment: str, paths: Iterable[str]) -> Self:
        """Return the scope of some paths, however they are ordered and written.

        ``manifests`` is the same folder as ``./manifests/``.
        """
        return cls(environment, tuple(sorted({str(PurePosixPath(path)) for path in paths})))


@dataclass(frozen=True, slots=True)
class Marker:
    """What a post says of the plan that it shows.

    ``digest`` is empty if the plan cannot be applied as it is, and ``server`` is the address that
    it is of. ``head`` and ``base`` are the SHAs of the commits of a merge request, and ``run`` is
    the number and the attempt of the CI run that made the plan: later runs have larger ones.
    ``is_drift`` is true in an issue about drift.
    """

    scope: Scope
    digest: str = ""
    server: str = ""
    head: str = ""
    base: str = ""
    run: tuple[int, int] = (0, 0)
    is_drift: bool = False


@dataclass(frozen=True, slots=True)
class MarkedPost:
    """A marker that was read, and why it must not be believed; empty if it may be."""

    marker: Marker
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class _Told:
    """What stands in a post: the marker, the hash of the text below it, and the signature."""

    marker: Marker
    text: str
    signature: str = ""

    def sign(self, key: DigestKey) -> str:
        """Return the signature to have; empty without a key."""
        return key.sign(f"review marker {_encode(replace(self, signature=''))}")


def write_post(marker: Marker, text: str, key: DigestKey) -> str:
    """Write a post: its marker, then its text."""
    told = _Told(replace(marker, scope=_shorten(marker.scope)), _hash_text(text))
    hidden = _encode(replace(told, signature=told.sign(key))).translate(_HIDDEN)
    return f"{_START}{hidden}{_END}\n{text}"


def read_post(body: str, key: DigestKey) -> MarkedPost | None:
    """Read the marker of a post; None if its first line is not a marker."""
    first, _, text = body.partition("\n")
    first = first.rstrip("\r")
    if len(first) > MARKER_MAX or not (first.startswith(_START) and first.endswith(_END)):
        return None
    try:
        told = msgspec.json.decode(first[len(_START) : -len(_END)], type=_Told)
    except (msgspec.MsgspecError, ValueError):
        return None
    return MarkedPost(told.marker, _find_doubt(told, text, key))


def _encode(told: _Told) -> str:
    return msgspec.json.encode(told).decode()


def _find_doubt(told: _Told, text: str, key: DigestKey) -> str:
    """Tell why a marker must not be believed."""
    if told.signature and not key:
        return f"it is signed, and {DIGEST_KEY_VARIABLE} is not set"
    if not compare_digest(told.sign(key).encode(), told.signature.encode()):
        return f"it is not signed with {DIGEST_KEY_VARIABLE}"
    return "its text was edited" if told.text != _hash_text(text) else ""


def _hash_text(text: str) -> str:
    """Hash a text, but not its line ends and the space at the end, which forges may change."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    return sha256(lines.encode(errors="surrogatepass")).hexdigest()


def is_of_scope(marker: Marker, scope: Scope) -> bool:
    """Tell whether a marker is about a scope."""
    return marker.scope == _shorten(scope)


def _shorten(scope: Scope) -> Scope:
    """Return the scope, or its hash if it is so long that no marker could hold it."""
    written = json.dumps([scope.environment, *scope.paths])
    if len(written) <= _SCOPE_MAX:
        return scope
    return Scope(paths=(f"sha256:{sha256(written.encode()).hexdigest()}",))
