"""The visit of `doctor` to a server: a few requests that only read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import httpx

from reconciler.contract.attributes import Attributes
from reconciler.contract.openapi import load_contract
from reconciler.core.observations import (
    Declared,
    Failure,
    FailureKind,
    KeysSeen,
    Observations,
    ProjectsSeen,
    Sample,
)
from reconciler.core.plan_model import ServerIdentity
from reconciler.core.redaction import Redaction
from reconciler.engine.doctor_manifests import ExaminedManifests, number_manifests
from reconciler.engine.settings.run_settings import Settings
from reconciler.errors import UnknownProjectName
from reconciler.labelstudio.authentication import Credentials, FixedToken
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
    measure_at_once,
)
from reconciler.labelstudio.task_api import TaskApi
from reconciler.labelstudio.transport import choose_connect

REQUESTS_MAX: Final = 15
"""The most requests of a run, those for tokens included."""

TIMEOUT_MAX: Final = 10.0
"""Seconds to wait for a response: less than a plan, because a person waits for the answer."""

RUN_SECONDS: Final = 30.0
"""After this time, no further request is sent."""

_ROUND_TRIPS: Final = 2
_KEY_GROUPS_MAX: Final = 2
_TITLES_MAX: Final = 2
_ALONE_MAX: Final = 2
_NO_TOKEN: Final = FixedToken("")


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
        """Tell whether there is time, and whether this many requests are left."""
        return time.monotonic() < self.ends and self.observer.left >= requests


def visit_server(
    seen: Observations,
    settings: Settings,
    credentials: Credentials | None,
    manifests: ExaminedManifests,
    *,
    transport: httpx.BaseTransport | None,
    now: Callable[[], float],
) -> Observations:
    """Return what was observed before, with what the server shows; raises no ReconcilerError.

    Without ``credentials``, no token is sent. The other arguments are those of `examine`.
    """
    connect = choose_connect(settings.url, settings.network, transport)
    observer = ResponseObserver(connect, requests_max=REQUESTS_MAX, now=now)
    attributes = load_contract()
    with (
        _make_client(settings, _NO_TOKEN, observer) as anonymous,
        _make_client(settings, credentials or _NO_TOKEN, observer) as client,
    ):
        visit = _Visit(
            observer,
            TaskApi(anonymous, attributes),
            client,
            TaskApi(client, attributes),
            attributes,
            settings.redaction,
        )
        seen = _look_at_server(seen, visit, with_token=credentials is not None)
        if credentials is not None and isinstance(seen.identity, ServerIdentity):
            seen = replace(seen, account=attempt(lambda: fetch_account(client)))
            if not _is_refused(seen.account):
                seen = _look_at_projects(seen, visit, settings, manifests)
    return replace(seen, tls=observer.tls, clock=observer.clock, requests=observer.requests)


def _make_client(
    settings: Settings, credentials: Credentials, observer: ResponseObserver
) -> Client:
    """Make a client that sends each request once: its pauses are stopped before they begin."""
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
        hides_answers=bool(settings.redaction),
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
    seen: Observations, visit: _Visit, settings: Settings, manifests: ExaminedManifests
) -> Observations:
    titles = settings.projects or _Titles(visit)
    manifests = number_manifests(manifests, visit.attributes, titles, visit.redaction)
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
    seen: Observations, visit: _Visit, project: int, manifests: ExaminedManifests
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
