"""Checking settings, server and manifests in a few requests that only read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import httpx

from reconciler.contract.attributes import Attributes
from reconciler.contract.openapi import load_contract
from reconciler.core.checkup import judge
from reconciler.core.finding import Checkup
from reconciler.core.observations import (
    Declared,
    Failure,
    FailureKind,
    KeysSeen,
    Observations,
    ProjectsSeen,
    Sample,
    Setup,
    TokenFacts,
)
from reconciler.core.plan_model import ServerIdentity
from reconciler.core.redacted_model import redact_problems
from reconciler.core.redaction import NOT_REDACTED, REDACT_ALL, Redaction
from reconciler.core.server_address import TOKEN_VARIABLE, is_plaintext
from reconciler.engine.load import FoundFiles, check_files, load_desired
from reconciler.engine.settings.api_key import hide_api_keys, read_api_key
from reconciler.engine.settings.redaction_settings import read_redaction
from reconciler.engine.settings.run_settings import (
    CliOverrides,
    Settings,
    read_overrides,
    read_settings,
)
from reconciler.errors import ManifestError, SettingsError, UnknownProjectName
from reconciler.labelstudio.authentication import (
    Credentials,
    FixedToken,
    parse_token,
    read_token_facts,
)
from reconciler.labelstudio.client import Client
from reconciler.labelstudio.origins import Origins
from reconciler.labelstudio.response_observer import ResponseObserver
from reconciler.labelstudio.retry import Backoff
from reconciler.labelstudio.survey import (
    AT_ONCE,
    attempt,
    fetch_account,
    fetch_honoured,
    fetch_identity,
    fetch_keys,
    fetch_page,
    fetch_projects,
    fetch_sample,
    find_largest,
    make_failure,
    measure_at_once,
)
from reconciler.labelstudio.task_api import TaskApi
from reconciler.labelstudio.transport import choose_connect
from reconciler.manifest.files import Place, find_place
from reconciler.manifest.index import DesiredIndex
from reconciler.manifest.loader import number_projects
from reconciler.progress import NULL_PROGRESS, ProgressListener

REQUESTS_MAX: Final = 15
"""The most requests of a run, those for tokens included."""

TIMEOUT_MAX: Final = 10.0
"""Seconds to wait for a response: a plan waits longer, but whoever runs doctor waits for it."""

RUN_SECONDS: Final = 30.0
"""After this time, no further request is sent."""

_ROUND_TRIPS: Final = 2
_KEY_GROUPS_MAX: Final = 2
_TITLES_MAX: Final = 2
_ALONE_MAX: Final = 2
_NO_TOKEN: Final = FixedToken("")


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
    manifests = None if files is None else _load(files, access, progress)
    seen = Observations(
        now=now(),
        setup=access.setup,
        token=access.token,
        writable=frozenset(name for name, row in load_contract().items() if row.writable),
        with_manifests=files is not None,
        declared=manifests.declared if manifests else None,
    )
    if access.settings is not None:
        seen = _observe(seen, access, manifests or _Manifests(), transport, now)
    return judge(seen)


@dataclass(frozen=True, slots=True)
class _Access:
    """The settings, None if they are unusable; and what to log in with, None to send no token.

    ``redaction`` holds whether or not the settings are usable.
    """

    settings: Settings | None
    setup: Setup
    token: TokenFacts | Failure
    credentials: Credentials | None = None
    redaction: Redaction = NOT_REDACTED


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
    redaction = _read_redaction(places, given, environment)
    return _Access(settings, _describe(settings, failures), token, credentials, redaction)


def _read_redaction(
    places: Mapping[Place, str], given: CliOverrides, environment: Mapping[str, str]
) -> Redaction:
    """Read what is redacted: everything if the settings cannot say it, which is a finding too."""
    try:
        return read_redaction(places, environment, options=given.redaction, env=given.env or "")
    except SettingsError:
        return REDACT_ALL


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


@dataclass(frozen=True, slots=True)
class _Manifests:
    """What the manifests declare; ``desired`` is None if there are none, or with problems."""

    declared: Declared | tuple[Failure, ...] | None = None
    desired: DesiredIndex | None = None


def _load(files: FoundFiles, access: _Access, progress: ProgressListener) -> _Manifests:
    """Read the manifests; names of projects have no numbers yet."""
    server = access.settings.server if access.settings else None
    try:
        check_files(files)
        desired = load_desired(files, server=server, progress=progress)
    except ManifestError as error:
        return _Manifests(_list_failures(error, access.redaction))
    return _Manifests(_declare(desired, len(files.files)), desired)


def _list_failures(error: ManifestError, redaction: Redaction) -> tuple[Failure, ...]:
    return tuple(
        Failure(str(replace(problem, hint="")), problem.hint)
        for problem in redact_problems(error.problems, redaction)
    )


def _declare(desired: DesiredIndex, files: int) -> Declared:
    return Declared(
        tasks=len(desired),
        rules=len(desired.rules),
        files=files,
        read=desired.names(),
        written=desired.list_written_names(),
        projects=desired.list_projects(),
    )


@dataclass(slots=True)
class _Visit:
    """One visit to a server, in which ``observer`` counts the requests.

    ``anonymous`` sends no token: it is for the first look at an address that may be wrong.
    """

    observer: ResponseObserver
    anonymous: TaskApi
    client: Client
    api: TaskApi
    attributes: Attributes
    redaction: Redaction
    ends: float = field(default_factory=lambda: time.monotonic() + RUN_SECONDS)

    def may_send(self, requests: int) -> bool:
        """Tell whether there is time, and whether so many requests are left."""
        return time.monotonic() < self.ends and self.observer.left >= requests


def _observe(
    seen: Observations,
    access: _Access,
    manifests: _Manifests,
    transport: httpx.BaseTransport | None,
    now: Callable[[], float],
) -> Observations:
    settings = access.settings
    assert settings is not None  # noqa: S101 - the caller checks it
    connect = choose_connect(settings.url, settings.network, transport)
    observer = ResponseObserver(connect, requests_max=REQUESTS_MAX, now=now)
    attributes = load_contract()
    with (
        _make_client(access, _NO_TOKEN, observer) as anonymous,
        _make_client(access, access.credentials or _NO_TOKEN, observer) as client,
    ):
        visit = _Visit(
            observer,
            TaskApi(anonymous, attributes),
            client,
            TaskApi(client, attributes),
            attributes,
            access.redaction,
        )
        seen = _look_at_server(seen, visit, with_token=access.credentials is not None)
        if access.credentials is not None and isinstance(seen.identity, ServerIdentity):
            seen = replace(seen, account=attempt(lambda: fetch_account(client)))
            if not _is_refused(seen.account):
                seen = _look_at_projects(seen, visit, settings, manifests)
    return replace(seen, tls=observer.tls, clock=observer.clock, requests=observer.requests)


def _make_client(access: _Access, credentials: Credentials, observer: ResponseObserver) -> Client:
    """Make a client that sends each request once: its pauses are stopped before they begin."""
    settings = access.settings
    assert settings is not None  # noqa: S101 - the caller checks it
    backoff, stop = Backoff(), threading.Event()
    stop.set()
    backoff.stop_on(stop)
    return Client(
        settings.url,
        credentials,
        network=settings.network,
        timeout=min(settings.timeout, TIMEOUT_MAX),
        origins=Origins(settings.url_from, settings.token_from),
        connect=observer.connect,
        backoff=backoff,
        hides_answers=bool(access.redaction),
    )


def _is_refused(answer: object) -> bool:
    """Tell whether further requests with the token would fail too."""
    return isinstance(answer, Failure) and answer.kind in {
        FailureKind.REFUSED,
        FailureKind.FOREIGN,
        FailureKind.NO_CONNECTION,
    }


def _look_at_server(seen: Observations, visit: _Visit, *, with_token: bool) -> Observations:
    """Ask what the server is; with the token only if that does not work without it."""
    api = visit.anonymous
    found = attempt(lambda: fetch_identity(api))
    if isinstance(found, Failure):
        no_connection = found.kind is FailureKind.NO_CONNECTION
        if no_connection or not with_token:
            return replace(seen, identity=found)
        # A gateway in front of the server may let only requests with a token pass.
        api = visit.api
        again = attempt(lambda: fetch_identity(api))
        if isinstance(again, Failure):
            return replace(seen, identity=found)
        found = again
    trips: list[float] = []
    for _ in range(_ROUND_TRIPS):
        timed = attempt(lambda: fetch_identity(api)) if visit.may_send(1) else None
        if isinstance(timed, tuple):
            trips.append(timed[1])
    return replace(seen, identity=found[0], round_trips=tuple(trips))


def _look_at_projects(
    seen: Observations, visit: _Visit, settings: Settings, manifests: _Manifests
) -> Observations:
    manifests = _number(manifests, visit, settings, files=_count_files(seen))
    declared = manifests.declared
    seen = replace(seen, declared=declared)
    numbers = declared.projects if isinstance(declared, Declared) else ()
    if not visit.may_send(1):
        return seen
    seen = replace(seen, projects=attempt(lambda: fetch_projects(visit.client, numbers)))
    if not isinstance(seen.projects, ProjectsSeen):
        return seen
    projects = seen.projects
    known = [project for n, project in projects.found.items() if n in projects.asked]
    project = find_largest(known if projects.asked else projects.found.values())
    return seen if project is None else _look_at_tasks(seen, visit, project, manifests)


def _count_files(seen: Observations) -> int:
    return seen.declared.files if isinstance(seen.declared, Declared) else 0


def _number(manifests: _Manifests, visit: _Visit, settings: Settings, *, files: int) -> _Manifests:
    """Turn names of projects into numbers, by the settings or by a few titles on the server."""
    desired = manifests.desired
    if desired is None or not desired.has_project_names:
        return manifests
    titles = _Titles(visit)
    try:
        numbered = number_projects(
            desired,
            visit.attributes,
            settings.projects or titles,
        )
    except ManifestError as error:
        return _Manifests(_list_failures(error, visit.redaction))
    return _Manifests(_declare(numbered, files), numbered)


class _Titles:
    """Looks up a few projects by their titles."""

    def __init__(self, visit: _Visit) -> None:
        self._visit = visit
        self._known: dict[str, tuple[int, ...] | Failure] = {}

    def __call__(self, name: str) -> int:
        """Return the number of the only project with a title; raises UnknownProjectName."""
        if name not in self._known:
            if len(self._known) >= _TITLES_MAX:
                raise UnknownProjectName(
                    f"more than {_TITLES_MAX} project names would be looked up on the server",
                    hint="give the names numbers in the settings, or run reconciler plan",
                )
            self._known[name] = attempt(lambda: self._visit.api.find_projects(name))
        found = self._known[name]
        if isinstance(found, Failure):
            raise UnknownProjectName(found.message, hint=found.hint)
        if len(found) != 1:
            raise UnknownProjectName(
                f"{len(found)} projects on {self._visit.client.address} have this title",
                hint="correct it, use the number of the project, or give the name a number in the "
                "settings",
            )
        return found[0]


def _fetch_sample(visit: _Visit, project: int, names: frozenset[str]) -> Sample:
    """Read a few tasks; an address in them is a value, which redaction may hide."""
    sample = fetch_sample(visit.api, project, names)
    hides = bool(sample.resolved) and visit.redaction.touches(("data",))
    return replace(sample, resolved="(redacted)") if hides else sample


def _look_at_tasks(
    seen: Observations, visit: _Visit, project: int, manifests: _Manifests
) -> Observations:
    """Read pages, a few tasks and some keys of projects, then time lists if requests are left."""
    if visit.may_send(1):
        seen = replace(seen, page=attempt(lambda: fetch_page(visit.api, project)))
    if visit.may_send(1):
        names = seen.declared.read if isinstance(seen.declared, Declared) else frozenset[str]()
        seen = replace(seen, sample=attempt(lambda: _fetch_sample(visit, project, names)))
    sample = seen.sample
    if visit.may_send(1) and isinstance(sample, Sample) and sample.tasks:
        task = sample.tasks[0]
        seen = replace(seen, honoured=attempt(lambda: fetch_honoured(visit.client, task)))
    groups = manifests.desired.list_key_groups() if manifests.desired else ()
    for group in groups[:_KEY_GROUPS_MAX]:
        if visit.redaction.touches(group.path):
            # What the server has of them depends on their values.
            path = visit.redaction.cut(group.path)
            hidden = KeysSeen(group.project, path, len(group.keys), is_hidden=True)
            seen = replace(seen, keys=(*seen.keys, hidden))
        elif visit.may_send(1):
            found = attempt(lambda group=group: fetch_keys(visit.api, group))  # type: ignore[misc]
            seen = replace(seen, keys=(*seen.keys, found))
    repeat = min(visit.observer.left - AT_ONCE, _ALONE_MAX)
    if visit.may_send(1 + AT_ONCE) and isinstance(sample, Sample) and sample.tasks:
        timed = attempt(lambda: measure_at_once(visit.api, project, repeat=repeat))
        seen = replace(seen, at_once=timed)
    return seen
