"""Checking settings, server and manifests in a few requests that only read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import httpx

from reconciler.contract.openapi import load_contract
from reconciler.core.checkup import judge
from reconciler.core.finding import Checkup
from reconciler.core.observations import Failure, Observations, Setup, TokenFacts
from reconciler.core.server_address import TOKEN_VARIABLE, is_plaintext
from reconciler.engine.doctor_manifests import ExaminedManifests, load_examined
from reconciler.engine.doctor_visit import visit_server
from reconciler.engine.load import FoundFiles
from reconciler.engine.settings.api_key import hide_api_keys, read_api_key
from reconciler.engine.settings.run_settings import (
    CliOverrides,
    Settings,
    read_overrides,
    read_settings,
)
from reconciler.errors import SettingsError
from reconciler.labelstudio.authentication import Credentials, parse_token, read_token_facts
from reconciler.labelstudio.survey import make_failure
from reconciler.manifest.files import Place, find_place
from reconciler.progress import NULL_PROGRESS, ProgressListener


def examine(
    files: FoundFiles | None,
    given: CliOverrides,
    environment: Mapping[str, str],
    *,
    transport: httpx.BaseTransport | None = None,
    now: Callable[[], float] = time.time,
    progress: ProgressListener = NULL_PROGRESS,
) -> Checkup:
    """Check everything that can be checked, whatever else fails; raises no ReconcilerError.

    ``files`` are the manifests, None for none. ``transport`` replaces the network, and ``now`` the
    clock, in seconds since 1970.
    """
    access = _read_access(files, given, environment)
    manifests = (
        ExaminedManifests() if files is None else load_examined(files, access.settings, progress)
    )
    seen = Observations(
        now=now(),
        setup=access.setup,
        token=access.token,
        writable=frozenset(name for name, row in load_contract().items() if row.writable),
        declared=manifests.declared,
    )
    if access.settings is not None:
        seen = visit_server(
            seen, access.settings, access.credentials, manifests, transport=transport, now=now
        )
    return judge(seen)


@dataclass(frozen=True, slots=True)
class _Access:
    """The settings, None if they are unusable; and what to log in with, None to send no token."""

    settings: Settings | None
    setup: Setup
    token: TokenFacts | Failure
    credentials: Credentials | None = None


def _read_access(
    files: FoundFiles | None, given: CliOverrides, environment: Mapping[str, str]
) -> _Access:
    """Read the token and the other settings, each without regard to problems of the other."""
    places = files.places if files and files.places else {find_place("-"): "the current folder"}
    failures: list[Failure] = []
    try:
        key, _ = read_api_key(environment, lambda _: None, chosen=given.env or "")
        credentials: Credentials | None = parse_token(key)
        token: TokenFacts | Failure = read_token_facts(key)
        usable = environment
    except SettingsError as error:
        credentials, token = None, make_failure(error)
        usable = _replace_token(environment)
    try:
        read_overrides(environment)
    except SettingsError as error:
        failures.append(_hide(error, environment, given))
    try:
        settings: Settings | None = read_settings(places, given, usable)
    except SettingsError as error:
        failures.append(_hide(error, environment, given))
        # Without a token, nothing secret is sent: the server can be looked at all the same.
        settings, credentials = _read_for_plain_http(places, given, usable), None
    return _Access(settings, _describe(settings, failures), token, credentials)


def _replace_token(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment with a token that is never sent, for settings without one."""
    others = {name: value for name, value in environment.items() if TOKEN_VARIABLE not in name}
    return {**others, TOKEN_VARIABLE: "none"}


def _hide(error: SettingsError, environment: Mapping[str, str], given: CliOverrides) -> Failure:
    failure = make_failure(error)
    message = hide_api_keys(failure.message, environment, chosen=given.env or "")
    return replace(failure, message=" ".join(message.split()))


def _read_for_plain_http(
    places: Mapping[Place, str], given: CliOverrides, environment: Mapping[str, str]
) -> Settings | None:
    try:
        return read_settings(places, replace(given, allow_plain_http=True), environment)
    except SettingsError:
        return None


def _describe(settings: Settings | None, failures: list[Failure]) -> Setup:
    if settings is None:
        return Setup(failures=tuple(failures))
    proxy = settings.network.proxy
    return Setup(
        address=settings.url,
        named_by=settings.url_from,
        is_plaintext=is_plaintext(settings.url),
        proxy=f"{proxy.shown}, set by {proxy.variable}" if proxy else "",
        failures=tuple(failures),
        warnings=settings.warnings,
    )
