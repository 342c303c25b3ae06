"""Settings: from the file, then the environment, then the options, each over the one before."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any, Final, NoReturn, Self

from reconciler.core.limit import Limit
from reconciler.core.server_address import ChosenServer, is_plaintext, normalize_address
from reconciler.engine.settings.api_key import read_api_key
from reconciler.engine.settings.network_settings import read_network
from reconciler.engine.settings.settings_file import FILE, SettingsFiles, name_variable
from reconciler.errors import SettingsError
from reconciler.executor.execution_options import DEFAULT_CONCURRENCY
from reconciler.labelstudio.authentication import parse_token
from reconciler.labelstudio.client import DEFAULT_TIMEOUT
from reconciler.labelstudio.network import DIRECT, Network
from reconciler.labelstudio.response import TOKEN_VARIABLE
from reconciler.labelstudio.secret_values import Secrets
from reconciler.manifest.files import Place

TIMEOUT_MAX: Final = 86_400
"""Seconds: a day."""

CONCURRENCY_MAX: Final = 64

RPS_MIN: Final = 0.001
"""Updates a second: fewer would keep a run waiting for longer than servers stay the same."""

DEFAULTS: Final[Mapping[str, object]] = {
    "concurrency": DEFAULT_CONCURRENCY,
    "timeout": DEFAULT_TIMEOUT,
    "allow_plain_http": False,
}
"""What counts for a setting that is not set; for those not named here, nothing."""

OF_PLAN: Final = ("url", "timeout", "max_changes")
"""The settings that a plan depends on."""

OF_APPLY: Final = (*OF_PLAN, "concurrency", "rps")
"""The settings that carrying a plan out depends on, too."""


_NUMBER: Final = "a number"
_TYPES: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "url": ((str,), "text"),
    "token": ((str,), "text"),
    "concurrency": ((int,), "a whole number"),
    "rps": ((int, float, NoneType), _NUMBER),
    "timeout": ((int, float), _NUMBER),
    "max_changes": ((Limit, NoneType), 'a limit, such as Limit.parse("5%")'),
    "allow_plain_http": ((bool,), "True or False"),
    "network": ((Network,), "what from_environment finds"),
}
"""What settings can be: programs without a type checker pass anything."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to reach a server, and how fast to change it.

    Only what is passed here counts: no environment variable, no file and no proxy is looked at,
    unless `from_environment` or `from_file` made the settings. They hold a token, so they hide it
    when printed and refuse to be pickled: each process makes its own.

    Attributes:
        url: Address of the server, such as ``https://label-studio.example.org``.
        token: API token of either kind: a legacy token or a personal access token.
        concurrency: Updates under way at once, at most; 1 to 64.
        rps: Updates begun per second, at most; None for any number.
        timeout: Seconds to wait for an answer, to its end; up to a day.
        max_changes: Tasks that an apply may change, such as ``Limit.parse("5%")``; None for any.
        allow_plain_http: Whether the token may go to another host over http, in the clear.
        network: Proxy, headers for gateways, and certificates; `from_environment` fills it.
        warnings: What the reader of these settings should know; none of it stops a run.
        url_from: What named the server: a variable, an option, or a line of a file.

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

    def __post_init__(self) -> None:
        for name, (kinds, expected) in _TYPES.items():
            value = getattr(self, name)
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                found = type(value).__name__
                raise SettingsError(f"{name} must be {expected}, and this is of type {found}")
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
        file: str | Path | None = None,
    ) -> Settings:
        """Read settings from the variables that the command line reads, and from a file.

        ``environment`` takes the place of the process's own. Variables go over ``file``, a
        ``reconciler.toml``; without one, no file is read. Raises SettingsError.
        """
        found = os.environ if environment is None else environment
        files = SettingsFiles.of(file) if file is not None else SettingsFiles.find_above({})
        return settle(files, read_overrides(found), found)

    @classmethod
    def from_file(cls, file: str | Path, *, token: str) -> Settings:
        """Read settings from a ``reconciler.toml`` alone; raises SettingsError."""
        return settle(SettingsFiles.of(file), CliOverrides(), {TOKEN_VARIABLE: token})

    @property
    def server(self) -> ChosenServer:
        """The server of the run, and what named it."""
        return ChosenServer(self.url, self.url_from)

    def __reduce__(self) -> NoReturn:
        message = "Settings hold a token, and are not pickled"
        raise TypeError(f"{message}: make them where they are used, as from the environment there")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self


@dataclass(frozen=True, slots=True)
class CliOverrides:
    """What was given as options, or by their variables; None for what was not."""

    url: str | None = None
    timeout: float | None = None
    concurrency: int | None = None
    rps: float | None = None
    max_changes: Limit | None = None
    allow_plain_http: bool = False


def read_settings(
    places: Mapping[Place, str],
    given: CliOverrides,
    environment: Mapping[str, str],
    *,
    keys: tuple[str, ...] = OF_APPLY,
) -> Settings:
    """Settle what a run uses; raises SettingsError.

    ``places`` are the folders of its manifests, with one of each. The settings files nearest to
    them must agree on ``keys``, those that the run depends on, where nothing goes over them.
    """
    return settle(SettingsFiles.find_above(places), given, environment, keys=keys)


def settle(
    files: SettingsFiles,
    given: CliOverrides,
    environment: Mapping[str, str],
    *,
    keys: tuple[str, ...] = OF_APPLY,
) -> Settings:
    """Put settings together: what is ``given`` goes over ``files``; raises SettingsError.

    The environment gives the token, and says how the server is reached.
    """
    open_keys = [key for key in keys if not getattr(given, key)]
    file = files.find_agreed(open_keys, DEFAULTS)
    address = given.url or file.get("url")
    if not address:
        raise SettingsError(
            "no server is named", hint=f"set LABEL_STUDIO_URL, or url in {FILE}, or --url"
        )
    try:
        address = normalize_address(address)
    except SettingsError as error:
        # The two variables are easily swapped.
        token = environment.get(TOKEN_VARIABLE, "")
        raise SettingsError(Secrets().hide(error.message, token), hint=error.hint) from None
    plain_http = given.allow_plain_http or (is_plaintext(address) and _is_plain_http_allowed(files))
    _check_encryption(address, plain_http=plain_http)
    warnings: list[str] = []
    return Settings(
        url=address,
        token=read_api_key(environment, warnings.append),
        concurrency=given.concurrency or file.get("concurrency") or DEFAULT_CONCURRENCY,
        rps=given.rps or file.get("rps"),
        timeout=given.timeout or file.get("timeout") or DEFAULT_TIMEOUT,
        max_changes=given.max_changes or _parse_limit(file.get("max_changes")),
        allow_plain_http=plain_http,
        network=read_network(address, environment, warn=warnings.append),
        warnings=tuple(warnings),
        url_from=_name_source(given.url, environment) if given.url else files.locate("url"),
    )


def read_overrides(environment: Mapping[str, str]) -> CliOverrides:
    """Read the variables that go over settings files, as the command line does.

    Raises SettingsError with the name of each variable that cannot be read.
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
        raise ValueError(f"{text!r} is not a number") from None


def _read_integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number") from None


def _read_truth(text: str) -> bool:
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ValueError(f"{text!r} is neither true nor false")


_TRUE: Final = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE: Final = frozenset({"0", "false", "f", "no", "n", "off"})
_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "url": str,
    "timeout": _read_number,
    "concurrency": _read_integer,
    "rps": _read_number,
    "max_changes": Limit.parse,
    "allow_plain_http": _read_truth,
}


def _is_plain_http_allowed(files: SettingsFiles) -> bool:
    """Look at what matters to few servers alone: elsewhere, files may differ in it."""
    return bool(files.find_agreed(["allow_plain_http"], DEFAULTS).get("allow_plain_http"))


def _name_source(url: str, environment: Mapping[str, str]) -> str:
    """Tell whether an address was given as a variable or as an option."""
    variable = name_variable("url")
    return variable if environment.get(variable) == url else "--url"


def _parse_limit(written: int | str | None) -> Limit | None:
    """Read what the schema of the settings file lets pass."""
    return None if written is None else Limit.parse(str(written))


def _check_encryption(address: str, *, plain_http: bool) -> None:
    if is_plaintext(address) and not plain_http:
        raise SettingsError(
            f"the token would be sent unencrypted: {address} is no https address",
            hint="use https, or give --allow-plain-http where the network is trusted",
        )


def _check_concurrency(concurrency: int) -> None:
    if not 1 <= concurrency <= CONCURRENCY_MAX:
        raise SettingsError(
            f"{concurrency:,} updates at once are not possible",
            hint=f"set concurrency to 1 up to {CONCURRENCY_MAX}",
        )


def _check_timeout(seconds: float) -> None:
    if not 0 < seconds <= TIMEOUT_MAX:
        raise SettingsError(
            f"{seconds:g} seconds is no time to wait for an answer",
            hint=f"set timeout to more than 0, and up to {TIMEOUT_MAX:,}",
        )


def _check_rps(rps: float | None) -> None:
    if rps is not None and not RPS_MIN <= rps < math.inf:
        raise SettingsError(
            f"{rps:g} updates a second cannot be kept to",
            hint=f"set rps to {RPS_MIN:g} or more, or leave it out",
        )
