"""The token: from the environment, or from a file that the environment names.

It has no option, which the list of processes would show, and no setting, which might be committed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from reconciler.core.server_address import TOKEN_VARIABLE
from reconciler.engine.settings.environments import name_token_variable
from reconciler.engine.settings.secret_file import read_secret
from reconciler.errors import SettingsError
from reconciler.labelstudio.secret_values import Secrets

_OTHER_VARIABLE: Final = "LABEL_STUDIO_TOKEN"
"""A variable that some set by mistake."""

_CONTENT: Final = "a token from Account & Settings in Label Studio"


def read_api_key(
    environment: Mapping[str, str], warn: Callable[[str], None], *, chosen: str = ""
) -> tuple[str, str]:
    """Return the token, and the variable that it came from; raises SettingsError.

    No error quotes the token.

    ``chosen`` is the environment of the run: the variables with its name come before those of all
    runs.
    """
    variables = list(dict.fromkeys((name_token_variable(chosen), TOKEN_VARIABLE)))
    for variable in variables:
        token = _read_token(environment, variable, warn)
        if token:
            is_file = not environment.get(variable, "").strip()
            return token, f"the content of the file in {variable}_FILE" if is_file else variable
    hint = f"set {' or '.join(variables)} to {_CONTENT}, or {variables[0]}_FILE to a file with one"
    if environment.get(_OTHER_VARIABLE):
        hint = f"{_OTHER_VARIABLE} is not read: set {variables[0]} instead"
    raise SettingsError("no token is set", hint=hint)


def hide_api_keys(text: str, environment: Mapping[str, str], *, chosen: str = "") -> str:
    """Hide the tokens that variables hold, in a message that may quote one."""
    for variable in (name_token_variable(chosen), TOKEN_VARIABLE):
        text = Secrets().hide(text, environment.get(variable, "").strip())
    return text


def _read_token(environment: Mapping[str, str], variable: str, warn: Callable[[str], None]) -> str:
    """Return the token of a variable, or of the file that it names; empty if neither is set."""
    file_variable = f"{variable}_FILE"
    token, file = environment.get(variable, ""), environment.get(file_variable, "")
    if token.strip() and file:
        raise SettingsError(
            f"both {variable} and {file_variable} are set", hint="unset one of them"
        )
    if file:
        token = read_secret(Path(file), file_variable, holding=_CONTENT, warn=warn)
        if not token.strip():
            raise SettingsError(
                f"{file_variable}: {file} is empty", hint=f"put {_CONTENT} into the file"
            )
    return token if token.strip() else ""
