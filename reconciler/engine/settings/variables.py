"""Variables of the environment that were probably meant to be ours, but are misspelt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

_PREFIX: Final = "RECONCILER_"
_HEADER: Final = f"{_PREFIX}HEADER_"
_KNOWN: Final = tuple(
    _PREFIX + name
    for name in (
        *("TIMEOUT", "CONCURRENCY", "RPS", "MAX_CHANGES", "SHARD", "ALLOW_PLAIN_HTTP", "COMMIT"),
        *("HEADERS_FILE", "CLIENT_CERT", "CLIENT_KEY", "CLIENT_KEY_PASSWORD"),
    )
)
_ELSEWHERE: Final = {
    f"{_PREFIX}URL": "LABEL_STUDIO_URL",
    f"{_PREFIX}API_KEY": "LABEL_STUDIO_API_KEY",
    f"{_PREFIX}TOKEN": "LABEL_STUDIO_API_KEY",
}
"""Names that suggest themselves for variables of another name."""

_SIMILARITY: Final = 0.75
"""From 0 to 1, without the prefix: other programs may have variables with our prefix."""


def find_misspelt(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield a warning for each variable that is not known, but resembles a known one."""
    for name in sorted(environment):
        likely = "" if name in _KNOWN or name.startswith(_HEADER) else _find_likely(name)
        if likely:
            yield f"{name} has no effect: did you mean {likely}?"


def _find_likely(name: str) -> str:
    """Return the known variable that a name resembles most; empty if there is none."""
    if not name.startswith(_PREFIX):
        return ""
    known = [one.removeprefix(_PREFIX) for one in _KNOWN]
    close = get_close_matches(name.removeprefix(_PREFIX), known, n=1, cutoff=_SIMILARITY)
    return _ELSEWHERE.get(name, _PREFIX + close[0] if close else "")
