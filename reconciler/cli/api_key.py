"""The token: from the environment, or from a file that is named there; from nowhere else.

An option would show in the list of processes, and a settings file be committed.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from reconciler.errors import SettingsError
from reconciler.server.answers import TOKEN_VARIABLE

FILE_VARIABLE: Final = f"{TOKEN_VARIABLE}_FILE"
SIZE_MAX: Final = 65_536
"""Bytes: no token is so long, and nothing else is to be read by mistake."""

_WHERE: Final = "a token from Account & Settings in Label Studio"


def read_api_key() -> str:
    """Return the token; raises SettingsError, which never quotes it."""
    token = os.environ.get(TOKEN_VARIABLE, "")
    file = os.environ.get(FILE_VARIABLE, "")
    if token.strip() and file:
        raise SettingsError(
            f"both {TOKEN_VARIABLE} and {FILE_VARIABLE} are set", hint="set one of them"
        )
    if file:
        token = _of_file(Path(file))
    if not token.strip():
        raise SettingsError(
            "no token is given",
            hint=f"set {TOKEN_VARIABLE} to {_WHERE}, or {FILE_VARIABLE} to a file with one",
        )
    return token


def _of_file(path: Path) -> str:
    """Read a file that nobody else can read; one that others can is no secret any more."""
    try:
        # A pipe that nobody writes to is empty, and not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(descriptor, True)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_mode & 0o077:
                raise SettingsError(
                    f"{path}, named by {FILE_VARIABLE}, can be read or written by other users",
                    hint=f"chmod 600 {path}",
                )
            raw = file.read(SIZE_MAX + 1)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or "no name that a file can have"
        raise SettingsError(
            f"{path}, named by {FILE_VARIABLE}, cannot be read: {said}",
            hint=f"put {_WHERE} into it",
        ) from error
    if len(raw) > SIZE_MAX:
        raise SettingsError(
            f"{path}, named by {FILE_VARIABLE}, is too large to be a token",
            hint=f"put {_WHERE} into it",
        )
    return raw.decode("ascii", "replace")
