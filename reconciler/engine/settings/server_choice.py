"""The server of a run: which address counts, and which of them must agree.

Files are part of what a pull request can change, so an address in one of them never decides alone
where the token goes: in CI the operator names the server, and an environment must agree with that.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.server_address import is_same_server, normalize_address
from reconciler.engine.settings.api_key import hide_api_keys
from reconciler.engine.settings.settings_file import FILE, SettingsFiles, name_variable
from reconciler.engine.settings.variables import FALSE
from reconciler.errors import SettingsError

_URL_VARIABLE = name_variable("url")


def choose_address(
    files: SettingsFiles,
    in_files: str | None,
    *,
    url: str | None,
    env: str,
    environment: Mapping[str, str],
) -> tuple[str, str]:
    """Return the address of the run, and what named it; raises SettingsError.

    ``url`` is the address of the option or its variable; it overrides the one ``in_files``, unless
    that is the address of the environment ``env``: then both must lead to the same server.
    """
    if not url:
        return _take_from_file(files, in_files, env=env, environment=environment)
    url_from = _URL_VARIABLE if environment.get(_URL_VARIABLE) == url else "--url"
    address = _normalize(url, url_from, env=env, environment=environment)
    if env and in_files:
        place = files.locate("url")
        declared = _normalize(in_files, place, env=env, environment=environment)
        if not is_same_server(address, declared):
            raise SettingsError(
                f"{url_from} is {address}, but environment {env} is {declared}, {place}",
                hint=f"choose the environment of that server, or correct or unset {url_from}",
            )
    return address, url_from


def _take_from_file(
    files: SettingsFiles, in_files: str | None, *, env: str, environment: Mapping[str, str]
) -> tuple[str, str]:
    if not in_files:
        raise SettingsError("no server is set", hint=_advise(files))
    place = files.locate("url")
    address = _normalize(in_files, place, env=env, environment=environment)
    if _is_ci(environment):
        raise SettingsError(
            f"{place}: in CI the address of the server cannot come from this file alone: a pull "
            "request could change it, and receive the token",
            hint=f"set {_URL_VARIABLE} to the same server in the settings of CI, outside of the "
            "repository",
        )
    return address, place


def _normalize(address: str, place: str, *, env: str, environment: Mapping[str, str]) -> str:
    try:
        return normalize_address(address)
    except SettingsError as error:
        # Users easily swap the two variables: the address may be the token.
        message = hide_api_keys(error.message, environment, chosen=env)
        raise SettingsError(f"{place}: {message}", hint=error.hint) from None


def _advise(files: SettingsFiles) -> str:
    """Say how to name the server: by an environment, if a file has some."""
    known = files.list_environments()
    if not known:
        return f"set {_URL_VARIABLE}, pass --url, or set url in {FILE}"
    return (
        f"choose an environment with --env or {name_variable('env')}: {', '.join(known)}, in "
        f"{files.locate_environments()}"
    )


def _is_ci(environment: Mapping[str, str]) -> bool:
    """Tell whether this is a job of a CI: all common ones set CI, most of them to true."""
    found = environment.get("CI", "").strip().lower()
    return bool(found) and found not in FALSE
