"""The few requests by which `doctor` observes a server; each is sent once, and only reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from reconciler.contract.honoured_attributes import read_honoured_names
from reconciler.core.addresses import find_resolved_address, find_stored_address
from reconciler.core.model import KeyGroup, User
from reconciler.core.observations import (
    Account,
    AtOnce,
    Failure,
    FailureKind,
    KeysSeen,
    PageSeen,
    ProjectFacts,
    ProjectsSeen,
    Sample,
)
from reconciler.core.plan_model import ServerIdentity
from reconciler.core.values import Json
from reconciler.errors import (
    NotFound,
    NotLabelStudio,
    ReconcilerError,
    ServerError,
    Unauthorised,
    Unreachable,
)
from reconciler.labelstudio.bulk.cost import PAGE_SIZE
from reconciler.labelstudio.bulk.key_filter import can_filter, split_keys
from reconciler.labelstudio.client import Client
from reconciler.labelstudio.retry import RequestKind
from reconciler.labelstudio.task_api import Page, TaskApi

T = TypeVar("T")

SAMPLE_SIZE: Final = 10
"""Tasks that are read with all that the manifests need."""

AT_ONCE: Final = 4
"""Lists that are requested at once, as a plan does at most."""

PROJECTS_MAX: Final = 100
"""Projects that are looked up, which is the most that the server lists at once."""

KEYS_MAX: Final = 100
"""Keys of a project that are looked up, in one request."""

_LIST_SIZE: Final = 100
_PROJECT_FIELDS: Final = "id,title,task_number,maximum_annotations,overlap_cohort_percentage"


def attempt(observe: Callable[[], T]) -> T | Failure:
    """Return what was observed, or why it could not be; only a bug raises an exception."""
    try:
        return observe()
    except ReconcilerError as error:
        return make_failure(error)


def make_failure(error: ReconcilerError) -> Failure:
    """Make an observation of an error."""
    return Failure(error.message, error.hint, _classify(error))


def _classify(error: ReconcilerError) -> FailureKind:
    if isinstance(error, Unreachable) or not isinstance(error, ServerError):
        return FailureKind.NO_CONNECTION
    if isinstance(error, Unauthorised):
        return FailureKind.REFUSED
    if isinstance(error, NotFound):
        return FailureKind.NOT_FOUND
    return FailureKind.FOREIGN if isinstance(error, NotLabelStudio) else FailureKind.OTHER


def measure(observe: Callable[[], T]) -> tuple[T, float]:
    """Return what was observed, and the seconds that it took."""
    started = time.perf_counter()
    found = observe()
    return found, time.perf_counter() - started


def fetch_account(client: Client) -> Account:
    """Ask whose token it is; raises ServerError.

    Label Studio Community has no roles, and lists the same permissions for every user. The
    published description of Enterprise has the role in ``organization_membership``.
    """
    answer = client.fetch("/api/current-user/whoami", kind=RequestKind.PROBE)()[0]
    found = answer if isinstance(answer, dict) else {}
    email, number = found.get("email"), found.get("id")
    if type(number) is not int:
        raise NotLabelStudio("the server did not return a user", hint="is a proxy in front of it?")
    user = User(number, email if isinstance(email, str) else "")
    meta = found.get("active_organization_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    return Account(str(user), title if isinstance(title, str) else "", _find_role(found))


def _find_role(answer: Mapping[str, Json]) -> str:
    """Return the role in the active organisation; empty if the server does not show it."""
    memberships = answer.get("org_membership")
    listed = memberships if isinstance(memberships, list) else []
    for membership in (answer.get("organization_membership"), *listed):
        if isinstance(membership, dict):
            role, of = membership.get("role"), membership.get("organization_id")
            if isinstance(role, str) and of in {None, answer.get("active_organization")}:
                return role[:40]
    return ""


def fetch_projects(client: Client, numbers: Sequence[int]) -> ProjectsSeen:
    """Look up projects by number or, without any, the newest ones; raises ServerError."""
    asked = tuple(numbers[:PROJECTS_MAX])
    query = {"page_size": str(PROJECTS_MAX), "include": _PROJECT_FIELDS}
    if asked:
        query["ids"] = ",".join(map(str, asked))
    answer = client.fetch("/api/projects/", query, kind=RequestKind.PROBE)()[0]
    found = answer if isinstance(answer, dict) else {}
    count, rows = found.get("count"), found.get("results")
    if type(count) is not int or not isinstance(rows, list):
        message = f"{client.address}/api/projects/ did not return a list of projects"
        raise NotLabelStudio(message, hint="is a proxy or a cache in front of the server?")
    projects = {p.number: p for p in map(_read_project, rows) if p is not None}
    return ProjectsSeen(count, projects, asked, len(numbers) - len(asked))


def _read_project(row: Any) -> ProjectFacts | None:  # noqa: ANN401 - JSON
    if not isinstance(row, dict) or type(row.get("id")) is not int:
        return None
    title = row.get("title")

    def get_integer(name: str) -> int | None:
        value = row.get(name)
        return value if type(value) is int else None

    return ProjectFacts(
        int(row["id"]),
        title if isinstance(title, str) else "",
        get_integer("task_number"),
        get_integer("maximum_annotations"),
        get_integer("overlap_cohort_percentage"),
    )


def fetch_page(api: TaskApi, project: int) -> PageSeen:
    """Read the ids of a first page as large as plans request it; raises ServerError."""

    def fetch() -> Page:
        return api.fetch_list(project, (), page=1, size=PAGE_SIZE, kind=RequestKind.PROBE)()

    page, seconds = measure(fetch)
    return PageSeen(project, PAGE_SIZE, page.rows, page.total, seconds)


def fetch_sample(api: TaskApi, project: int, names: Collection[str]) -> Sample:
    """Read a few tasks with the attributes ``names`` and their data; raises ServerError."""
    read = api.fetch_list(
        project, {*names, "data"}, page=1, size=SAMPLE_SIZE, kind=RequestKind.PROBE
    )
    rows = read().tasks
    shown = frozenset.intersection(*(frozenset(row) for row in rows.values())) if rows else ()
    data = [row.get("data") for row in rows.values()]
    resolved = next(filter(None, map(find_resolved_address, data)), "")
    stored = sum(find_stored_address(value) is not None for value in data)
    return Sample(tuple(rows), frozenset(shown), stored, resolved)


def fetch_honoured(client: Client, task: int) -> frozenset[str]:
    """Ask which attributes an update of a task stores; raises ServerError."""
    honoured = read_honoured_names(client.options(f"/api/tasks/{task}/"))
    if honoured is None:
        raise NotLabelStudio("its response does not describe an update")
    return honoured


def measure_at_once(api: TaskApi, project: int, *, repeat: int) -> AtOnce:
    """Time one small list, ``repeat`` times, and several of them at once; raises ServerError."""

    def fetch(_number: int = 0) -> object:
        return api.fetch_list(project, (), page=1, size=_LIST_SIZE, kind=RequestKind.PROBE)()

    alone = min(measure(fetch)[1] for _ in range(repeat))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        together = measure(lambda: list(pool.map(fetch, range(AT_ONCE))))[1]
    return AtOnce(AT_ONCE, alone, together)


def fetch_keys(api: TaskApi, group: KeyGroup) -> KeysSeen:
    """Look up the first keys of a project, in one request; raises ServerError."""
    keys = list(group.keys)
    if not can_filter(group.path, keys):
        return KeysSeen(group.project, group.path, len(keys))
    asked = next(iter(split_keys(map(str, keys[:KEYS_MAX]))))
    page = api.fetch_list(
        group.project,
        {"data"},
        page=1,
        size=PAGE_SIZE,
        keys={group.path[1]: asked},
        kind=RequestKind.PROBE,
    )()
    named = _index_by_key(page.tasks, group.path[1], {*asked})
    return KeysSeen(
        group.project,
        group.path,
        len(keys),
        len(asked),
        tuple(key for key in asked if key not in named),
        {key: tuple(tasks) for key, tasks in named.items() if len(tasks) > 1},
    )


def _index_by_key(
    tasks: Mapping[int, Mapping[str, Json]], name: str, keys: Collection[str]
) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for task, row in tasks.items():
        data = row.get("data")
        key = data.get(name) if isinstance(data, dict) else None
        if isinstance(key, str) and key in keys:
            found.setdefault(key, []).append(task)
    return found


def find_largest(projects: Iterable[ProjectFacts]) -> int | None:
    """Return the project with the most tasks, as far as known; None if there is none."""
    ranked = sorted(projects, key=lambda p: (-(p.tasks or 0), p.number))
    return ranked[0].number if ranked else None


def fetch_identity(api: TaskApi) -> tuple[ServerIdentity, float]:
    """Ask what the server is, and how long that takes; raises ServerError."""
    return measure(api.identity)
