"""What is wrong with a value in a settings file, or with its TOML, and what to write."""

from __future__ import annotations

import re
from typing import Any, Final

from reconciler.core.notation import format_value, shorten
from reconciler.core.server_address import TOKEN_VARIABLE

_EXPECTED: Final = {
    "url": 'an address, such as "https://label-studio.example.org"',
    "concurrency": "a whole number from 1 to 64, such as 8",
    "rps": "a number of updates per second of 0.001 or more, such as 10",
    "max_changes": 'a number of tasks or a percentage, such as 100 or "5%"',
    "allow_plain_http": "true or false",
    "timeout": "seconds, above 0 and at most 86400, such as 30",
    "environments": "tables, such as [environments.staging]",
    "redact": 'a list of paths, such as ["data.patient"]',
    "projects": "a table of names and numbers, such as {reviews = 12}",
}
_PROJECT: Final = "the number of a project, such as 12"
_ENVIRONMENT: Final = "a table, such as [environments.staging] with url below it"
_SECRETS: Final = re.compile(r"token|api_?key|auth|password|secret|credential", re.IGNORECASE)
_AT: Final = re.compile(r"^(?P<what>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)$")
_TWICE: Final = re.compile(r"Cannot declare .* twice")
_AT_END: Final = " (at end of document)"
_HINTS: Final = {
    "Invalid value": (
        'put text in quotes, such as url = "https://label-studio.example.org", and write true and '
        "false in lower case"
    ),
    "Cannot overwrite a value": "this key is set above: keep one of the two",
    "Expected '=' after a key in a key/value pair": "write key = value",
}


def is_secret_name(key: str) -> bool:
    """Tell whether a setting is named as one that would hold a secret."""
    return bool(_SECRETS.search(key))


def explain_secret() -> str:
    """Say that a setting that seems to hold a secret does not exist; never quote its value."""
    return (
        "unknown setting: secrets do not belong in this file, which may be committed (remove it, "
        f"and set {TOKEN_VARIABLE} in the environment)"
    )


def describe_value(place: tuple[str, ...], found: Any) -> str:  # noqa: ANN401 - any TOML value
    """Say what was expected at ``place``, and what was found."""
    expected = _EXPECTED.get(place[-1])
    if "redact" in place[-2:]:
        expected = _EXPECTED["redact"]
    elif len(place) > 2 and place[-2] == "projects":  # noqa: PLR2004 - environments, name, projects
        expected = _PROJECT
    elif place[0] == "environments" and len(place) == 2:  # noqa: PLR2004 - environments, name
        expected = _ENVIRONMENT
    return f"expected {expected or 'another value'}, found {_describe(found)}"


def _describe(found: Any) -> str:  # noqa: ANN401 - as above
    if isinstance(found, dict):
        return "a table"
    if isinstance(found, list):
        return "a list"
    if isinstance(found, str | bool | int | float):
        kind = "the string " if isinstance(found, str) else ""
        return kind + shorten(format_value(found))
    return shorten(str(found))


def explain_toml(path: str, message: str) -> tuple[str, str]:
    """Turn a message of the TOML parser into one with a place: a message and a hint."""
    found = _AT.match(message)
    if not found:
        at_end = message.endswith(_AT_END)
        what = message.removesuffix(_AT_END)
        return f"{path}: not TOML at its end: {what}" if at_end else f"{path}: {message}", ""
    what = found["what"]
    if _TWICE.match(what):
        what, hint = "this table is in the file already", "join the two tables into one"
        return f"{path}:{found['line']}:{found['column']}: {what}", hint
    return f"{path}:{found['line']}:{found['column']}: not TOML: {what}", _HINTS.get(what, "")
