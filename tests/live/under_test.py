"""One face for both servers: what a test of the contract may ask of a Label Studio."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import pytest

TEXT = '<View><Text name="text" value="$text"/></View>'
PAGE_SIZE_MAX = 1000

Body = Mapping[str, Any]


class Connect(Protocol):
    """Puts a bucket behind a project; ``presign`` as a storage has it."""

    def __call__(self, project: int, bucket: str, *, presign: bool) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerUnderTest:
    """A running server, and shorthands for what tests do with it.

    ``http`` carries the legacy token; ``release`` is its number, such as (1, 23, 2); ``connect``
    puts a bucket behind a project, where that can be done; ``page_size_max`` is the cap on list
    pages, None where it is not known, and ``cap_pages`` sets it. ``remove`` deletes a task where
    the API has no DELETE. ``add_model`` gives a project a model, and gives what tells whether the
    server ran it since.
    """

    url: str
    token: str
    refresh_token: str | None
    edition: str
    release: tuple[int, ...]
    http: httpx.Client
    connect: Connect | None = None
    page_size_max: int | None = None
    cap_pages: Callable[[int | None], None] | None = None
    remove: Callable[[int], None] | None = None
    add_model: Callable[[int], Callable[[], bool]] | None = None

    @property
    def shown_anyway(self) -> frozenset[str]:
        """Attributes that come with every answer, whatever ``include`` says."""
        with_allow_skip = self.edition == "community" and self.release[:2] == (1, 22)
        return frozenset({"allow_skip"} if with_allow_skip else ())

    def make_project(self, label_config: str = TEXT, **settings: object) -> int:
        """Create a project, with a title that need not be its own."""
        body = {"title": "contract", "label_config": label_config, **settings}
        return int(_good(self.http.post("/api/projects/", json=body))["id"])

    def set_up(self, project: int, **settings: object) -> None:
        """Change settings of a project."""
        _good(self.http.patch(f"/api/projects/{project}/", json=settings))

    def import_tasks(self, project: int, items: Sequence[Body]) -> list[int]:
        path = f"/api/projects/{project}/import"
        answer = self.http.post(path, params={"return_task_ids": "true"}, json=items)
        return list(_good(answer)["task_ids"])

    def make_tasks(self, count: int) -> tuple[int, list[int]]:
        """Give a project of its own with so many tasks."""
        project = self.make_project()
        items = [{"data": {"text": f"text {number}"}} for number in range(count)]
        return project, self.import_tasks(project, items)

    def make_task(self, data: Body | None = None, meta: object = None) -> int:
        """Give a task in a project of its own."""
        item = {"data": {"text": "text", **(data or {})}, "meta": meta or {}}
        return self.import_tasks(self.make_project(), [item])[0]

    def connect_storage(self, project: int, bucket: str, *, presign: bool = True) -> None:
        if self.connect is None:
            pytest.skip("no way to connect a storage to this server")
        self.connect(project, bucket, presign=presign)

    def connect_model(self, project: int) -> Callable[[], bool]:
        """Give a project a model; what it gives tells whether the server ran the model since."""
        if self.add_model is None:
            pytest.skip("no way to connect a model to this server")
        return self.add_model(project)

    def annotate(self, task: int, **body: object) -> None:
        _good(self.http.post(f"/api/tasks/{task}/annotations/", json={"result": [], **body}))

    def delete(self, task: int) -> None:
        if self.remove is None:
            answer = self.http.delete(f"/api/tasks/{task}/")
            assert answer.status_code == httpx.codes.NO_CONTENT, answer.text[:300]
        else:
            self.remove(task)

    def get(self, task: int, **query: str) -> httpx.Response:
        return self.http.get(f"/api/tasks/{task}/", params=query)

    def read(self, task: int, **query: str) -> dict[str, Any]:
        """Give the attributes asked for, nothing resolved where the release can be told so."""
        answer = _good(self.get(task, resolve_uri="false", **query))
        return self._asked_for(answer, query.get("include"))

    def patch(self, task: int, body: Body) -> httpx.Response:
        """Send the body as JSON with its escapes, so that lone surrogates can be sent too."""
        return self.patch_raw(task, json.dumps(body).encode())

    def patch_raw(self, task: int, body: bytes) -> httpx.Response:
        headers = {"Content-Type": "application/json"}
        return self.http.patch(f"/api/tasks/{task}/", content=body, headers=headers)

    def update(self, task: int, body: Body) -> dict[str, Any]:
        """PATCH that has to succeed; gives the answer's object."""
        return _good(self.patch(task, body))

    def page(self, project: int, **query: str | int) -> httpx.Response:
        return self.http.get("/api/tasks/", params={"project": project, **query})

    def listed(self, project: int, **query: str | int) -> list[dict[str, Any]]:
        """List that has to succeed; gives the page's tasks as they are stored."""
        page = _good(self.page(project, **{"resolve_uri": "false", **query}))
        return [self._asked_for(task, query.get("include")) for task in page["tasks"]]

    def select(self, project: int, ids: Sequence[int]) -> dict[str, Any]:
        """List the tasks with these ids; gives the whole answer."""
        query = json.dumps({"selectedItems": {"all": False, "included": list(ids)}})
        answer = _good(self.page(project, include="id", query=query))
        return {**answer, "tasks": [self._asked_for(task, "id") for task in answer["tasks"]]}

    def options(self, task: int) -> dict[str, Any]:
        answer = _good(self.http.options(f"/api/tasks/{task}/"))
        return dict(answer["actions"]["PUT"])

    def _asked_for(self, task: dict[str, Any], include: object) -> dict[str, Any]:
        if not isinstance(include, str):
            return task
        unasked = self.shown_anyway - set(include.split(","))
        return {name: value for name, value in task.items() if name not in unasked}

    def anonymous(self, authorization: str | None = None) -> httpx.Client:
        """Give a client with that header, or with none."""
        headers = {} if authorization is None else {"Authorization": authorization}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)


def _good(answer: httpx.Response) -> dict[str, Any]:
    assert answer.is_success, f"{answer.status_code} {answer.text[:300]}"
    return dict(answer.json())
