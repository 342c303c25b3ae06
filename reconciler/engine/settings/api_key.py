"""The token: from the environment, or from a file that the environment names.

It has no option, which the list of processes would show, and no setting, which might be committed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from reconciler.engine.settings.secret_file import read_secret
from reconciler.errors import SettingsError
from reconciler.labelstudio.response import TOKEN_VARIABLE

FILE_VARIABLE: Final = f"{TOKEN_VARIABLE}_FILE"

_OTHER_VARIABLE: Final = "LABEL_STUDIO_TOKEN"
"""A variable that some set by mistake."""

_CONTENT: Final = "a token from Account & Settings in Label Studio"


def read_api_key(environment: Mapping[str, str], warn: Callable[[str], None]) -> str:
    """Return the token; raises SettingsError, which never quotes it."""
    token = environment.get(TOKEN_VARIABLE, "")
    file = environment.get(FILE_VARIABLE, "")
    if token.strip() and file:
        raise SettingsError(
            f"both {TOKEN_VARIABLE} and {FILE_VARIABLE} are set", hint="unset one of them"
        )
    if file:
        token = read_secret(Path(file), FILE_VARIABLE, holding=_CONTENT, warn=warn)
        if not token.strip():
            raise SettingsError(
                f"{FILE_VARIABLE}: {file} is empty", hint=f"put {_CONTENT} into the file"
            )
    if not token.strip():
        hint = f"set {TOKEN_VARIABLE} to {_CONTENT}, or {FILE_VARIABLE} to a file with one"
        if environment.get(_OTHER_VARIABLE):
            hint = f"{_OTHER_VARIABLE} is not read: set {TOKEN_VARIABLE} instead"
        raise SettingsError("no token is set", hint=hint)
    return token
