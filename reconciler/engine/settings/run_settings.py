"""Settings from the file, the environment and the options; each overrides the one before."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from types import NoneType
from typing import Any, Final, NoReturn, Self

from reconciler.core.allowances import parse_denials
from reconciler.core.limit import Limit
from reconciler.core.paths import Path
from reconciler.core.problems import Allowance
from reconciler.core.redaction import NOT_REDACTED, Redaction, RedactionSettings
from reconciler.core.server_address import (
    TOKEN_VARIABLE,
    ChosenServer,
    is_plaintext,
    normalize_address,
)
from reconciler.core.shown_digest import NO_DIGEST_KEY, DigestKey
from reconciler.engine.settings.api_key import read_api_key
from reconciler.engine.settings.environments import OWN, check_name
from reconciler.engine.settings.network_settings import read_network
from reconciler.engine.settings.project_numbers import ProjectNumbers
from reconciler.engine.settings.redaction_settings import combine_redaction, read_digest_key
from reconciler.engine.settings.server_choice import choose_address
from reconciler.engine.settings.settings_file import SettingsFiles, name_variable
from reconciler.engine.settings.variables import FALSE, TRUE, find_misspelt
from reconciler.errors import SettingsError
from reconciler.executor.execution_options import DEFAULT_CONCURRENCY
from reconciler.labelstudio.authentication import parse_token
from reconciler.labelstudio.client import DEFAULT_TIMEOUT
from reconciler.labelstudio.network import DIRECT, Network
from reconciler.manifest.files import Place

TIMEOUT_MAX: Final = 86_400
"""Seconds: a day."""

CONCURRENCY_MAX: Final = 64

DENY_VARIABLE: Final = "RECONCILER_DENY"
"""It has no key in settings files: a change of a file must not lift a denial."""

RPS_MIN: Final = 0.001
"""Updates per second: with fewer, a run would wait too long for its plan to stay valid."""

DEFAULTS: Final[Mapping[str, object]] = {
    "concurrency": DEFAULT_CONCURRENCY,
    "timeout": DEFAULT_TIMEOUT,
    "allow_plain_http": False,
}
"""Values of settings that are not set; the other settings have no default."""

OF_PLAN: Final = ("url", "timeout", "max_changes")
"""The settings that a plan depends on."""

OF_PULL: Final = ("url", "timeout")
"""The settings that a pull depends on."""

OF_APPLY: Final = (*OF_PLAN, "concurrency", "rps")
"""The settings that an apply depends on."""


_NUMBER: Final = "a number"
_TYPES: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "url": ((str,), "text"),
    "token": ((str,), "text"),
    "concurrency": ((int,), "a whole number"),
    "rps": ((int, float, NoneType), _NUMBER),
    "timeout": ((int, float), _NUMBER),
    "max_changes": ((Limit, NoneType), 'a limit, such as Limit.parse("5%")'),
    "allow_plain_http": ((bool,), "True or False"),
    "deny": ((tuple,), "a tuple of what parse_denials returns"),
    "network": ((Network,), "the value that from_environment sets"),
    "environment": ((str,), "text"),
    "token_from": ((str,), "text"),
    "redaction": ((Redaction,), "the value that from_environment sets"),
    "digest_key": ((DigestKey,), "the value that from_environment sets"),
    "projects": ((ProjectNumbers, NoneType), "the value that from_environment sets"),
}
"""The types of settings, checked because programs without a type checker may pass anything."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to reach a server, and how fast to change it.

    Only the arguments count: environment variables, files and proxies matter only if
    `from_environment` or `from_file` created the settings. Settings hold a token, so they hide it
    when printed and cannot be pickled: create them in each process.

    Attributes:
        url: Address of the server, such as ``https://label-studio.example.org``.
        token: API token of either kind: a legacy token or a personal access token.
        concurrency: Updates in flight at once, at most; 1 to 64.
        rps: Updates begun per second, at most; None for any number.
        timeout: Seconds to wait for a complete response; up to a day.
        max_changes: Tasks that an apply may change, such as ``Limit.parse("5%")``; None for any.
        allow_plain_http: Whether the token may go to another host over http, in the clear.
        network: Proxy, headers for gateways, and certificates; `from_environment` fills it.
        warnings: Warnings about the settings; none of them stops a run.
        url_from: Where the address came from: a variable, an option, or a line of a file.
        environment: Name of the environment, such as ``"staging"``, for messages, plans and
            reports; empty for none.
        projects: The numbers of the projects that manifests name; None looks names up on the
            server, as exact titles. `from_environment` fills it.
        deny: Problems that nothing may allow; ``RECONCILER_DENY`` lists them, never a file.
        token_from: Where the token came from: a variable, or the file of one; empty if a program
            passed it.
        redaction: The values that outputs do not show: ``redact`` of files, ``RECONCILER_REDACT``
            and options, all together. If there are any, errors do not quote the server.
        digest_key: The key for digests in redacted outputs, from ``RECONCILER_DIGEST_KEY``.

    Raises:
        SettingsError: A value cannot be used.

    """

    url: str
    token: str = field(repr=False)
    concurrency: int = DEFAULT_CONCURRENCY
    rps: float | None = None
    timeout: float = DEFAULT_TIMEOUT
    max_changes: Limit | None = None
    allow_plain_http: bool = False
    network: Network = DIRECT
    warnings: tuple[str, ...] = ()
    url_from: str = "the settings"
    environment: str = ""
    projects: ProjectNumbers | None = None
    deny: tuple[Allowance, ...] = ()
    token_from: str = ""
    redaction: Redaction = NOT_REDACTED
    digest_key: DigestKey = field(default=NO_DIGEST_KEY, repr=False)

    def __post_init__(self) -> None:
        for name, (kinds, expected) in _TYPES.items():
            value = getattr(self, name)
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                found = type(value).__name__
                raise SettingsError(f"{name}: expected {expected}, found a value of type {found}")
        if self.environment:
            check_name(self.environment, "environment")
        parse_token(self.token)
        object.__setattr__(self, "url", normalize_address(self.url))
        _check_encryption(self.url, plain_http=self.allow_plain_http)
        _check_concurrency(self.concurrency)
        _check_rps(self.rps)
        _check_timeout(self.timeout)

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str] | None = None,
        *,
        file: str | FilePath | None = None,
        env: str | None = None,
    ) -> Settings:
        """Read settings from the variables that the command line reads, and from a file.

        ``environment`` replaces the variables of the process. They override ``file``, a
        ``reconciler.toml``; without it, no file is read. ``env`` is the name of an environment of
        the file, and overrides ``RECONCILER_ENV``. Raises SettingsError.
        """
        found = os.environ if environment is None else environment
        files = SettingsFiles.of(file) if file is not None else SettingsFiles.find_above({})
        given = read_overrides(found)
        return settle(files, given if env is None else replace(given, env=_check_env(env)), found)

    @classmethod
    def from_file(cls, file: str | FilePath, *, token: str, env: str | None = None) -> Settings:
        """Read settings only from a ``reconciler.toml``; raises SettingsError.

        ``env`` is the name of one of its environments.
        """
        given = CliOverrides(env=None if env is None else _check_env(env))
        return settle(SettingsFiles.of(file), given, {TOKEN_VARIABLE: token})

    @property
    def server(self) -> ChosenServer:
        """The server of the run, and where its address came from."""
        return ChosenServer(self.url, self.url_from)

    @property
    def hidden(self) -> RedactionSettings:
        """What plans and reports of the run hide wherever they are shown."""
        return RedactionSettings(self.redaction, self.digest_key)

    def hide(self, more: RedactionSettings) -> Settings:
        """Return the settings of a run that also hides ``more``."""
        joined = self.hidden.join(more)
        return replace(self, redaction=joined.redaction, digest_key=joined.digest_key)

    def __reduce__(self) -> NoReturn:
        message = "Settings hold a token and cannot be pickled"
        raise TypeError(f"{message}: create them in each process, from its environment for example")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self


@dataclass(frozen=True, slots=True)
class CliOverrides:
    """The values of options or their variables; None for those that were not passed."""

    url: str | None = None
    timeout: float | None = None
    concurrency: int | None = None
    rps: float | None = None
    max_changes: Limit | None = None
    allow_plain_http: bool | None = None
    env: str | None = None
    redact: tuple[Path, ...] = ()
    show_only: tuple[Path, ...] = ()

    @property
    def redaction(self) -> Redaction:
        """What options redact; files and variables add to it."""
        return Redaction(self.redact, self.show_only)


def find_place_of(folder: FilePath) -> Mapping[Place, str]:
    """Return a folder, which may not exist yet, as the place of manifests for `read_settings`."""
    return {Place(str(folder), os.path.realpath(folder)): str(folder)}


def read_settings(
    places: Mapping[Place, str],
    given: CliOverrides,
    environment: Mapping[str, str],
    *,
    keys: tuple[str, ...] = OF_APPLY,
) -> Settings:
    """Read the settings of a run; raises SettingsError.

    ``places`` are the folders of its manifests, each with one of its manifests. The settings files
    nearest to them must agree on ``keys``, unless options or variables override these.
    """
    return settle(SettingsFiles.find_above(places), given, environment, keys=keys)


def settle(
    files: SettingsFiles,
    given: CliOverrides,
    environment: Mapping[str, str],
    *,
    keys: tuple[str, ...] = OF_APPLY,
) -> Settings:
    """Combine settings: ``given`` overrides ``files``; raises SettingsError.

    The environment provides the token, and says how to reach the server. Warnings are in the
    settings; if there is an error, its notes name the misspelt variables, which may be its cause.
    """
    misspelt = tuple(find_misspelt(environment))
    try:
        return _combine(files, given, environment, keys=keys, warnings=[*misspelt])
    except SettingsError as error:
        for warning in misspelt:
            error.add_note(f"warning: {warning}")
        raise


def _combine(
    files: SettingsFiles,
    given: CliOverrides,
    environment: Mapping[str, str],
    *,
    keys: tuple[str, ...],
    warnings: list[str],
) -> Settings:
    env = given.env or ""
    files = files.choose(env)
    file = files.find_agreed(_list_open_keys(given, keys), DEFAULTS)
    address, url_from = choose_address(
        files, file.get("url"), url=given.url, env=env, environment=environment
    )
    plain_http = given.allow_plain_http
    if plain_http is None:
        plain_http = is_plaintext(address) and _is_plain_http_allowed(files)
    _check_encryption(address, plain_http=plain_http)
    token, token_from = read_api_key(environment, warnings.append, chosen=env)
    return Settings(
        url=address,
        token=token,
        concurrency=given.concurrency or file.get("concurrency") or DEFAULT_CONCURRENCY,
        rps=given.rps or file.get("rps"),
        timeout=given.timeout or file.get("timeout") or DEFAULT_TIMEOUT,
        max_changes=given.max_changes or _parse_limit(file.get("max_changes")),
        allow_plain_http=plain_http,
        network=read_network(address, environment, warn=warnings.append),
        warnings=tuple(warnings),
        url_from=url_from,
        environment=env,
        projects=_build_project_numbers(files, env, file.get("projects")),
        deny=_read_denials(environment),
        token_from=token_from,
        redaction=combine_redaction(files, environment, given.redaction, env=env),
        digest_key=read_digest_key(environment),
    )


def _list_open_keys(given: CliOverrides, keys: tuple[str, ...]) -> list[str]:
    """List the settings in which files must agree.

    The address of an environment is one of them even if it is given, as both must agree.
    """
    if not given.env:
        return [key for key in keys if not getattr(given, key)]
    return [key for key in keys if key in OWN or not getattr(given, key)] + ["projects"]


def read_project_numbers(places: Mapping[Place, str], env: str | None) -> ProjectNumbers | None:
    """Read only the numbers of projects in an environment, for commands without a server.

    Returns None without an environment, or if no environment has projects: then only the server
    knows their numbers. Raises SettingsError.
    """
    if not env:
        return None
    files = SettingsFiles.find_above(places).choose(env)
    found = files.find_agreed(["projects"], DEFAULTS)
    return _build_project_numbers(files, env, found.get("projects"))


def _build_project_numbers(
    files: SettingsFiles, env: str, numbers: Mapping[str, int] | None
) -> ProjectNumbers | None:
    if not files.map_projects():
        return None
    place = files.locate("projects") if env else files.locate_environments()
    return ProjectNumbers(numbers or {}, env, place)


def _read_denials(environment: Mapping[str, str]) -> tuple[Allowance, ...]:
    """Read what the operator denies; raises SettingsError."""
    try:
        return parse_denials(environment.get(DENY_VARIABLE, ""), DENY_VARIABLE)
    except ValueError as error:
        raise SettingsError(f"{DENY_VARIABLE}: {error}") from None


def read_overrides(environment: Mapping[str, str]) -> CliOverrides:
    """Read the variables that override settings files, as the command line does.

    Raises SettingsError with the name of each variable whose value is not valid.
    """
    given: dict[str, Any] = {}
    wrong: list[str] = []
    for key, read in _READERS.items():
        text = environment.get(name_variable(key), "").strip()
        if not text:
            continue
        try:
            given[key] = read(text)
        except ValueError as error:
            wrong.append(f"{name_variable(key)}: {error}")
    if wrong:
        raise SettingsError("\n".join(wrong))
    return CliOverrides(**given)


def _read_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"expected a number, found {text!r}") from None


def _read_integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"expected a whole number, found {text!r}") from None


def _read_truth(text: str) -> bool:
    if text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    raise ValueError(f"expected true or false, found {text!r}")


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "url": str,
    "timeout": _read_number,
    "concurrency": _read_integer,
    "rps": _read_number,
    "max_changes": Limit.parse,
    "allow_plain_http": _read_truth,
    "env": str,
}


def _is_plain_http_allowed(files: SettingsFiles) -> bool:
    """Read a setting that matters only without https: otherwise, files may differ in it."""
    return bool(files.find_agreed(["allow_plain_http"], DEFAULTS).get("allow_plain_http"))


def _check_env(env: str) -> str:
    """Return the name of an environment that a program passes; raises SettingsError if empty."""
    if not env.strip():
        raise SettingsError("env: expected the name of an environment, found an empty one")
    return env


def _parse_limit(written: int | str | None) -> Limit | None:
    """Parse a limit that the schema of the settings file accepts."""
    return None if written is None else Limit.parse(str(written))


def _check_encryption(address: str, *, plain_http: bool) -> None:
    if is_plaintext(address) and not plain_http:
        raise SettingsError(
            f"the token would be sent without encryption: {address} is not an https address",
            hint="use https or, if you trust the network, pass --allow-plain-http or set "
            "allow_plain_http",
        )


def _check_concurrency(concurrency: int) -> None:
    if not 1 <= concurrency <= CONCURRENCY_MAX:
        raise SettingsError(
            f"cannot send {concurrency:,} updates at once",
            hint=f"set concurrency to a number from 1 to {CONCURRENCY_MAX}",
        )


def _check_timeout(seconds: float) -> None:
    if not 0 < seconds <= TIMEOUT_MAX:
        raise SettingsError(
            f"cannot wait {seconds:g} s for a response",
            hint=f"set timeout to more than 0 s, and at most {TIMEOUT_MAX:,} s",
        )


def _check_rps(rps: float | None) -> None:
    if rps is not None and not RPS_MIN <= rps < math.inf:
        raise SettingsError(
            f"cannot send {rps:g} updates per second",
            hint=f"set rps to {RPS_MIN:g} or more, or leave it out",
        )
