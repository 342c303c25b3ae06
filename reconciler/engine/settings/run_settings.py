"""Settings: from the file, then the environment, then the options, each over the one before."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.core.limit import Limit
from reconciler.core.server_address import ChosenServer, is_plaintext, normalize_address
from reconciler.engine.settings.api_key import read_api_key
from reconciler.engine.settings.network_settings import read_network
from reconciler.engine.settings.settings_file import FILE, SettingsFiles, name_variable
from reconciler.errors import SettingsError
from reconciler.executor.execution_options import DEFAULT_CONCURRENCY
from reconciler.labelstudio.client import DEFAULT_TIMEOUT
from reconciler.labelstudio.network import DIRECT, Network
from reconciler.manifest.files import Place

TIMEOUT_MAX: Final = 86_400
"""Seconds: a day."""

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


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is to use. ``timeout`` is in seconds; ``rps`` in updates a second, or None.

    ``url_from`` tells what named the server: an option, a variable, or a line of a file.
    ``warnings`` are for whoever runs it: nothing of them keeps it from running.
    """

    url: str
    token: str = field(repr=False)
    concurrency: int
    rps: float | None
    timeout: float
    max_changes: Limit | None = None
    network: Network = DIRECT
    warnings: tuple[str, ...] = ()
    url_from: str = ""

    @property
    def server(self) -> ChosenServer:
        """The server of the run, and what named it."""
        return ChosenServer(self.url, self.url_from)


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
    files = SettingsFiles.find_above(places)
    open_keys = [key for key in keys if not getattr(given, key)]
    file = files.find_agreed(open_keys, DEFAULTS)
    address = given.url or file.get("url")
    if not address:
        raise SettingsError(
            "no server is named", hint=f"set LABEL_STUDIO_URL, or url in {FILE}, or --url"
        )
    address = normalize_address(address)
    if is_plaintext(address) and not (given.allow_plain_http or _is_plain_http_allowed(files)):
        raise SettingsError(
            f"the token would be sent unencrypted: {address} is no https address",
            hint="use https, or give --allow-plain-http where the network is trusted",
        )
    warnings: list[str] = []
    return Settings(
        url=address,
        token=read_api_key(environment, warnings.append),
        concurrency=given.concurrency or file.get("concurrency") or DEFAULT_CONCURRENCY,
        rps=_check_rps(given.rps or file.get("rps")),
        timeout=_check_timeout(given.timeout or file.get("timeout") or DEFAULT_TIMEOUT),
        max_changes=given.max_changes or _parse_limit(file.get("max_changes")),
        network=read_network(address, environment, warn=warnings.append),
        warnings=tuple(warnings),
        url_from=_name_source(given.url, environment) if given.url else files.locate("url"),
    )


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


def _check_timeout(seconds: float) -> float:
    if 0 < seconds <= TIMEOUT_MAX:
        return seconds
    raise SettingsError(
        f"{seconds:g} seconds is no time to wait for an answer",
        hint=f"give --timeout more than 0, and up to {TIMEOUT_MAX:,}",
    )


def _check_rps(rps: float | None) -> float | None:
    if rps is None or RPS_MIN <= rps < math.inf:
        return rps
    raise SettingsError(
        f"{rps:g} updates a second cannot be kept to",
        hint=f"give --rps {RPS_MIN:g} or more, or leave it out",
    )
