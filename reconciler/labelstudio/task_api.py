"""The requests of Label Studio's API that this tool makes; each returns checked data."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from reconciler.contract.attributes import Attributes
from reconciler.contract.label_config import UnreadableLabelConfigError, find_used_paths
from reconciler.core.model import ProjectSettings, User
from reconciler.core.plan_model import ServerIdentity
from reconciler.core.values import Json
from reconciler.errors import NotFound, NotLabelStudio, ServerError
from reconciler.labelstudio.bulk.cost import DEFAULT_LIMITS, ReadingLimits
from reconciler.labelstudio.bulk.key_filter import build_filter, build_id_filter
from reconciler.labelstudio.bulk.read_concurrency import ReadConcurrency
from reconciler.labelstudio.capabilities import Capabilities
from reconciler.labelstudio.client import Client
from reconciler.labelstudio.retry import Backoff, RequestKind

_NEVER_RESOLVED: Final = {"resolve_uri": "false"}
"""Without it, the server returns its own addresses instead of the stored ones."""

_PROJECT_PAGE_SIZE: Final = 100
"""The most that a server lists at once."""

_PROJECT_PAGES_MAX: Final = 100
"""A title that more projects contain has to be given a number in the settings instead."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a task list: ``total`` counts the tasks of all pages, ``rows`` those of this one.

    ``tasks`` maps ids to tasks; ``length`` is the size of the response in bytes. While the server
    deletes several tasks, it lists them without a project for a moment: ``rows`` counts them, but
    ``tasks`` does not have them.
    """

    total: int
    tasks: Mapping[int, Mapping[str, Json]]
    rows: int
    length: int


class ProjectRow(NamedTuple):
    """A project in the list of projects; ``tasks`` is None if the server does not count them."""

    number: int
    title: str
    tasks: int | None


class TaskApi:
    """The tasks of one server. Methods that send a request raise ServerError.

    ``capabilities`` and ``read_concurrency`` are kept here, so that a plan and its apply share what
    they learn about the server. ``limits`` says how much to request at once.
    """

    def __init__(
        self,
        client: Client,
        attributes: Attributes,
        *,
        limits: ReadingLimits = DEFAULT_LIMITS,
        read_concurrency: ReadConcurrency | None = None,
    ) -> None:
        self._client = client
        self._attributes = attributes
        self.capabilities = Capabilities(client)
        self.limits = limits
        self.read_concurrency = read_concurrency or ReadConcurrency()

    @property
    def requests(self) -> int:
        """How many requests have been sent so far."""
        return self._client.requests

    @property
    def address(self) -> str:
        """The address of the server."""
        return self._client.address

    @property
    def backoff(self) -> Backoff:
        """The pauses between attempts, and the listener that receives their reasons."""
        return self._client.backoff

    def identity(self) -> ServerIdentity:
        """Ask the server what it is; raises NotLabelStudio if it is not Label Studio."""
        try:
            answer = self._client.get("/api/version")
        except NotFound as error:
            hint = "is this the address of a Label Studio server?"
            raise NotLabelStudio(error.message, hint=hint) from error
        if not isinstance(answer, dict) or not isinstance(answer.get("release"), str):
            raise NotLabelStudio(
                f"{self._client.address}/api/version did not return what Label Studio returns",
                hint="is this the address of a Label Studio server?",
            )
        edition = answer.get("edition")
        return ServerIdentity(
            self._client.address,
            edition if isinstance(edition, str) else None,
            str(answer["release"]),
        )

    def project_of(self, task: int) -> int | None:
        """Ask in which project a task is; None if the server does not say.

        This is the only read of a single task: up to Label Studio 1.22, its response resolves
        storage addresses even if the request forbids that. Raises NotFound if the task does not
        exist.
        """
        query = {"include": "id,project", **_NEVER_RESOLVED}
        answer = self._check_task(self._client.get(f"/api/tasks/{task}/", query), task)
        return _get_integer(answer.get("project"))

    def user(self) -> User | None:
        """Ask, once, whose token it is; None if the server does not say, for any reason."""
        try:
            answer = self._client.fetch("/api/current-user/whoami", kind=RequestKind.PROBE)()[0]
        except ServerError:
            return None
        found = answer if isinstance(answer, dict) else {}
        number, email = _get_integer(found.get("id")), found.get("email")
        return None if number is None else User(number, email if isinstance(email, str) else "")

    def fetch_list(  # noqa: PLR0913 - what a list can be asked for
        self,
        project: int,
        names: Collection[str],
        *,
        page: int,
        size: int,
        ids: Sequence[int] | None = None,
        keys: Mapping[str, Sequence[str]] | None = None,
        after: int | None = None,
        up_to: int | None = None,
        kind: RequestKind = RequestKind.READ,
    ) -> Callable[[], Page]:
        """Request one page of a project, or of those of its tasks that ``ids`` names.

        With ``keys``, only of tasks whose data has one of these values at that name; with
        ``after``, only of tasks with a greater id (at most ``up_to``), in ascending order.
        Pages count from 1, and may be shorter than ``size``. The returned function decodes and
        checks the response: see `Client.fetch`. ``kind`` decides how often it is sent.
        """
        query = {
            "project": str(project),
            "page": str(page),
            "page_size": str(size),
            "include": _format_names(names),
        }
        if ids is not None:
            query["query"] = _format_selection(ids)
        elif keys is not None:
            query["query"] = json.dumps(build_filter(keys), separators=(",", ":"))
        elif after is not None:
            query["query"] = json.dumps(build_id_filter(after, up_to), separators=(",", ":"))
        query |= _NEVER_RESOLVED
        if any(
            name in self._attributes and self._attributes[name].only_in_full_list for name in names
        ):
            query["fields"] = "all"
        return self._fetch_page(query, project, ids, kind)

    def fetch_annotations(
        self,
        project: int,
        *,
        page: int,
        size: int,
        ids: Sequence[int],
        kind: RequestKind = RequestKind.READ,
        may_run_models: bool = True,
    ) -> Callable[[], Page]:
        """Request one page of tasks with their annotations, as `fetch_list` does.

        Never makes the server run a model: if the project ``may_run_models``, the list is requested
        as that for reviewers, for which the server runs none.
        """
        query = {
            "project": str(project),
            "page": str(page),
            "page_size": str(size),
            # The server shows these attributes of the annotations in the list, too.
            "include": _format_names(("annotations", "result", "completed_by")),
            "fields": "all",
            "query": _format_selection(ids),
            **({"review": "true"} if may_run_models else {}),
            **_NEVER_RESOLVED,
        }
        return self._fetch_page(query, project, ids, kind)

    def _fetch_page(
        self, query: Mapping[str, str], project: int, ids: Sequence[int] | None, kind: RequestKind
    ) -> Callable[[], Page]:
        fetched = self._client.fetch("/api/tasks/", query, kind=kind)
        return lambda: self._parse_page(*fetched(), project, ids)

    def patch(self, task: int, body: Mapping[str, Json]) -> Mapping[str, Json]:
        """Update one task, and return it as the response shows it. The update is sent once."""
        return self._check_task(self._client.patch(f"/api/tasks/{task}/", body), task)

    def project_settings(self, project: int) -> ProjectSettings:
        """Read the settings of a project that affect changes of its tasks, in one request."""
        answer = self._client.get(f"/api/projects/{project}/")
        if isinstance(answer, dict) and answer.get("id") == project:
            label_config = answer.get("label_config")
            if isinstance(label_config, str):
                return _read_settings(label_config, answer)
        raise NotLabelStudio(f"the server's response for project {project} has no label config")

    def find_projects(self, title: str) -> tuple[int, ...]:
        """Find the projects with exactly this title, in ascending order of their numbers.

        The server only offers those whose title contains it, in pages, and ignores case.
        """
        found: dict[int, str] = {}
        for page in range(1, _PROJECT_PAGES_MAX + 1):
            query = {"title": title, "page": str(page), "page_size": str(_PROJECT_PAGE_SIZE)}
            count, rows = self._parse_projects(self._client.get("/api/projects/", query))
            found |= rows
            if len(found) >= count:
                return tuple(sorted(number for number, name in found.items() if name == title))
            if not rows:
                break
        raise NotLabelStudio(
            f"{self._client.address}/api/projects/ did not list all projects that it counts",
            hint="was a project created or deleted at the same moment? run it again",
        )

    def list_projects(self, most: int) -> tuple[int, Sequence[ProjectRow]]:
        """Return how many projects there are, and at most so many of them, with one request."""
        query = {"page": "1", "page_size": str(most)}
        answer = self._client.get("/api/projects/", query)
        count, titles = self._parse_projects(answer)
        found = answer["results"] if isinstance(answer, dict) else None
        rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
        tasks = {_get_integer(row.get("id")): _get_integer(row.get("task_number")) for row in rows}
        listed = [ProjectRow(number, title, tasks[number]) for number, title in titles.items()]
        return count, listed[:most]

    def _parse_projects(self, answer: Json) -> tuple[int, Mapping[int, str]]:
        """Return how many projects there are on all pages, and the titles of those on this one."""
        found = answer if isinstance(answer, dict) else {}
        count, rows = found.get("count"), found.get("results")
        titles = _index_titles(rows) if isinstance(rows, list) else None
        if type(count) is not int or titles is None:
            raise NotLabelStudio(
                f"{self._client.address}/api/projects/ did not return a list of projects",
                hint="is a proxy or a cache in front of the server?",
            )
        return count, titles

    def _check_task(self, answer: Json, task: int) -> Mapping[str, Json]:
        if isinstance(answer, dict) and answer.get("id") == task:
            return answer
        raise NotLabelStudio(
            f"{self._client.address} returned something else instead of task {task}",
            hint="is a proxy or a cache in front of the server?",
            status=HTTPStatus.OK,
        )

    def _parse_page(
        self, answer: Json, length: int, project: int, ids: Sequence[int] | None
    ) -> Page:
        """Check that a page holds tasks, each once, and only requested ones."""
        if isinstance(answer, dict):
            total, tasks = answer.get("total"), answer.get("tasks")
            if isinstance(total, int) and total >= 0 and isinstance(tasks, list):
                rows = _index_by_id(tasks)
                whole = len(rows) == len(tasks)
                selected = ids is None or rows.keys() <= set(ids)
                strays = [n for n, row in rows.items() if row.get("project", project) != project]
                inside = all(rows.pop(n)["project"] is None for n in strays)
                if whole and selected and inside:
                    return Page(total, rows, len(tasks), length)
        raise NotLabelStudio(
            f"{self._client.address}/api/tasks/ did not return the requested tasks",
            hint="is a proxy or a cache in front of the server, or is it an unsupported version?",
        )


def _format_names(names: Collection[str]) -> str:
    return ",".join(sorted({"id", "project", *names}))


def _format_selection(ids: Sequence[int]) -> str:
    selection = {"selectedItems": {"all": False, "included": list(ids)}}
    return json.dumps(selection, separators=(",", ":"))


def _index_by_id(tasks: list[Any]) -> dict[int, Mapping[str, Json]]:
    """Map ids to the tasks of a page: fewer if one is repeated, none if one is not a task."""
    try:
        ids = [task["id"] for task in tasks]
    except (TypeError, LookupError):
        return {}
    return dict(zip(ids, tasks, strict=True)) if set(map(type, ids)) <= {int} else {}


def _index_titles(rows: list[Any]) -> Mapping[int, str] | None:
    """Map the numbers of projects to their titles; None if a row is not a project."""
    titles: dict[int, str] = {}
    for row in rows:
        number = _get_integer(row.get("id")) if isinstance(row, dict) else None
        if number is None:
            return None
        title = row.get("title")
        titles[number] = title if isinstance(title, str) else ""
    return titles


def _read_settings(label_config: str, answer: Mapping[str, Json]) -> ProjectSettings:
    try:
        labelled, unreadable = find_used_paths(label_config), ""
    except UnreadableLabelConfigError as error:
        labelled, unreadable = frozenset(), str(error)
    title = answer.get("title")
    return ProjectSettings(
        labelled,
        unreadable,
        _get_integer(answer.get("overlap_cohort_percentage")),
        _get_integer(answer.get("maximum_annotations")),
        label_config,
        title if isinstance(title, str) else "",
        answer.get("evaluate_predictions_automatically") is not False,
    )


def _get_integer(value: Json) -> int | None:
    return value if type(value) is int else None
