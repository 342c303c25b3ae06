"""Settings: from the file, then the environment, then the options, each over the one before."""

from __future__ import annotations

import json
import math
import os
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from reconciler.apply.orders import DEFAULT_CONCURRENCY
from reconciler.cli.api_key import read_api_key
from reconciler.cli.gateway import read_network
from reconciler.contract.location import schema_path
from reconciler.errors import SettingsError
from reconciler.network.model import DIRECT, Network
from reconciler.plan.limit import Limit
from reconciler.server.address import checked_address, is_plain
from reconciler.server.client import DEFAULT_TIMEOUT

FILE: Final = "reconciler.toml"

TIMEOUT_MAX: Final = 86_400
"""Seconds: a day."""

RPS_MIN: Final = 0.001
"""Updates a second: fewer would keep a run waiting for longer than servers stay the same."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is to use. ``timeout`` is in seconds; ``rps`` in updates a second, or None.

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


def server_options(command: F) -> F:
    """Add the options that say which server, and how to talk to it."""
    options = (
        click.option(
            "--url", envvar="LABEL_STUDIO_URL", metavar="URL", help="Address of the server."
        ),
        click.option(
            "--timeout",
            envvar="RECONCILER_TIMEOUT",
            type=click.FloatRange(min=0, min_open=True),
            help="Seconds to wait for an answer.  [default: 120]",
        ),
        click.option(
            "--allow-plain-http",
            is_flag=True,
            envvar="RECONCILER_ALLOW_PLAIN_HTTP",
            help="Send the token to another host without encryption.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Given:
    """What was given as options, or by their variables; None for what was not."""

    url: str | None = None
    timeout: float | None = None
    concurrency: int | None = None
    rps: float | None = None
    max_changes: Limit | None = None
    allow_plain_http: bool = False


def read_settings(paths: Sequence[str], given: Given) -> Settings:
    """Settle what a run uses; raises SettingsError."""
    file = _read_file(paths)
    address = given.url or file.get("url")
    if not address:
        raise SettingsError(
            "no server is named", hint=f"set LABEL_STUDIO_URL, or url in {FILE}, or --url"
        )
    address = checked_address(address)
    if is_plain(address) and not (given.allow_plain_http or file.get("allow_plain_http")):
        raise SettingsError(
            f"the token would be sent unencrypted: {address} is no https address",
            hint="use https, or give --allow-plain-http where the network is trusted",
        )
    warnings: list[str] = []
    return Settings(
        url=address,
        token=read_api_key(warnings.append),
        concurrency=given.concurrency or file.get("concurrency") or DEFAULT_CONCURRENCY,
        rps=_checked_rps(given.rps or file.get("rps")),
        timeout=_checked_timeout(given.timeout or file.get("timeout") or DEFAULT_TIMEOUT),
        max_changes=given.max_changes or _limit(file.get("max_changes")),
        network=read_network(address, os.environ, warn=warnings.append),
        warnings=tuple(warnings),
    )


def _limit(written: int | str | None) -> Limit | None:
    """Read what the schema of the settings file lets pass."""
    return None if written is None else Limit.parse(str(written))


def _checked_timeout(seconds: float) -> float:
    if 0 < seconds <= TIMEOUT_MAX:
        return seconds
    raise SettingsError(
        f"{seconds:g} seconds is no time to wait for an answer",
        hint=f"give --timeout more than 0, and up to {TIMEOUT_MAX:,}",
    )


def _checked_rps(rps: float | None) -> float | None:
    if rps is None or RPS_MIN <= rps < math.inf:
        return rps
    raise SettingsError(
        f"{rps:g} updates a second cannot be kept to",
        hint=f"give --rps {RPS_MIN:g} or more, or leave it out",
    )


def _read_file(paths: Sequence[str]) -> dict[str, Any]:
    """Read the settings file that is nearest above the first manifest, if there is one."""
    path = _find_file(Path(paths[0]) if paths and paths[0] != "-" else Path())
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")
        settings = tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from error
    _check(path, text, settings)
    return settings


def _find_file(start: Path) -> Path | None:
    absolute = start.absolute()
    folders = (absolute, *absolute.parents)
    return next((folder / FILE for folder in folders if (folder / FILE).is_file()), None)


def _check(path: Path, text: str, settings: dict[str, Any]) -> None:
    from jsonschema import Draft7Validator  # noqa: PLC0415 - 150 ms, where there is a file

    schema = json.loads(schema_path("config.schema.json").read_text(encoding="utf-8"))
    known = schema["properties"]
    wrong = dict.fromkeys(settings.keys() - known.keys(), "there is no such setting")
    for error in Draft7Validator({"properties": known}).iter_errors(settings):
        wrong[str(error.absolute_path[0])] = error.message
    if wrong:
        said = sorted((_line_of(text, name), name, message) for name, message in wrong.items())
        lines = (f"{path}:{line}: {name}: {message}" for line, name, message in said)
        raise SettingsError("\n".join(lines), hint=f"known settings are {', '.join(known)}")


def _line_of(text: str, key: str) -> int:
    found = re.search(rf"^\s*\[?\"?{re.escape(key)}\b", text, re.MULTILINE)
    return text.count("\n", 0, found.end()) + 1 if found else 1
