"""The environments of settings files: their names, and the variables named after them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Final

from reconciler.core.server_address import TOKEN_VARIABLE
from reconciler.errors import SettingsError

OWN: Final = ("url", "projects")
"""Settings that an environment never takes from the top of the file.

They say which server and which projects are meant: those of another one would be the wrong ones.
"""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FILE_SUFFIX: Final = "_FILE"
_EXPECTED_NAME: Final = (
    "expected a name of at most 64 letters, digits, dots, hyphens and underscores, which begins "
    "with a letter or digit"
)


def name_token_variable(environment: str) -> str:
    """Return the variable with the token of an environment; without one, that of all runs."""
    suffix = re.sub(r"[^A-Z0-9]", "_", environment.upper())
    return f"{TOKEN_VARIABLE}_{suffix}" if environment else TOKEN_VARIABLE


def check_name(name: str, what: str) -> None:
    """Raise SettingsError for a name that no environment can have."""
    if not _NAME.fullmatch(name):
        raise SettingsError(f"{what}: expected the name of an environment, found {name!r:.100}")


def find_unusable_names(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each name that an environment cannot have, and why."""
    variables: dict[str, str] = {}
    for name in names:
        variable = name_token_variable(name)
        if not _NAME.fullmatch(name):
            yield name, _EXPECTED_NAME
        elif variable.endswith(_FILE_SUFFIX):
            yield name, f"{variable} would name a file with a token (choose another name)"
        elif (first := variables.setdefault(variable, name)) != name:
            yield name, f"its token would be in {variable}, as that of {first} (rename one of them)"


def suggest_nearest(name: str, known: Iterable[str]) -> str:
    """Ask whether the nearest of the known names is meant; empty if none is near."""
    found = get_close_matches(name, list(known), n=1)
    return f"did you mean {found[0]}?" if found else ""
