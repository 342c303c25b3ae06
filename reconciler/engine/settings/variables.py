"""Variables of the environment: what counts as true, and names that look like misspelt ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

TRUE: Final = frozenset({"1", "true", "t", "yes", "y", "on"})
FALSE: Final = frozenset({"0", "false", "f", "no", "n", "off"})
"""The values of flags, in lower case."""

_PREFIX: Final = "RECONCILER_"
_NAMES: Final = (
    *(
        "TIMEOUT",
        "CONCURRENCY",
        "RPS",
        "MAX_CHANGES",
        "SHARD",
        "ALLOW_PLAIN_HTTP",
        "COMMIT",
        "DENY",
        "REDACT",
        "DIGEST_KEY",
    ),
    *("ENV", "HEADERS_FILE", "CLIENT_CERT", "CLIENT_KEY", "CLIENT_KEY_PASSWORD"),
)
"""Our variables without their prefix, except those for single headers."""

_HEADER: Final = "HEADER_"
_HEADERS: Final = "HEADERS_"
_OTHER_NAMES: Final = {
    "URL": "LABEL_STUDIO_URL",
    "API_KEY": "LABEL_STUDIO_API_KEY",
    "API_KEY_FILE": "LABEL_STUDIO_API_KEY_FILE",
    "TOKEN": "LABEL_STUDIO_API_KEY",
    "ENVIRONMENT": "RECONCILER_ENV",
}
"""Names that users may expect to have our prefix, but that do not, or that are longer."""

_SIMILARITY: Final = 0.75
"""From 0 to 1, without the prefix. Less would warn about variables of other programs.

Kubernetes, for example, sets RECONCILER_SERVICE_HOST if a service has our name.
"""


def find_misspelt(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield a warning for each variable that is set and unknown, but resembles a known one."""
    for variable, value in sorted(environment.items()):
        if variable.startswith(_PREFIX) and value.strip():
            known = _find_similar(variable.removeprefix(_PREFIX))
            if known:
                yield f"{variable} has no effect: did you mean {known}?"


def _find_similar(name: str) -> str:
    """Return the known variable that ``name`` resembles most; empty if none, or if it is known."""
    if name in _NAMES or name.startswith(_HEADER):
        return ""
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    if similar := get_close_matches(name, _NAMES, n=1, cutoff=_SIMILARITY):
        return _PREFIX + similar[0]
    if name.startswith(_HEADERS):
        return _PREFIX + _HEADER + name.removeprefix(_HEADERS)
    return ""
