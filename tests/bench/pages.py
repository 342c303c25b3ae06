"""The reading half of Label Studio's API over a made-up project, as fast as Python makes text.

It answers what the sandbox answers (a test holds them to each other), without keeping tasks:
a million of them take no memory and 2 us each.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final, Protocol
from urllib.parse import parse_qs

import httpx

from tests.bench.data import LABEL_CONFIG, Project, text_of

_VERSION: Final = {"release": "1.23.2", "edition": "Community"}
_ONLY_IN_FULL: Final = {
    "predictions": "[]",
    "annotations": "[]",
    "completed_at": "null",
    "predictions_score": "null",
    "avg_lead_time": "null",
    "draft_exists": "false",
}
_SHOWN: Final = {
    "id": "%(id)d",
    "drafts": "[]",
    "annotators": "[]",
    "inner_id": "%(place)d",
    "cancelled_annotations": "0",
    "total_annotations": "0",
    "total_predictions": "0",
    "annotations_results": '""',
    "predictions_results": '""',
    "file_upload": "null",
    "storage_filename": "null",
    "annotations_ids": '""',
    "predictions_model_versions": '""',
    "updated_by": "[]",
    "data": '{"text":"%(text)s","image":"s3://bucket/images/%(place)08d.jpg",'
    '"source":{"crawl":"2026-10","batch":%(batch)d},"external_id":"x-%(place)08d"}',
    "meta": '{"priority":%(priority)d,"lang":"en","imported":"2026-10-01"}',
    "created_at": '"2026-10-01T08:00:00.000000Z"',
    "updated_at": '"2026-10-01T08:00:00.000000Z"',
    "is_labeled": "false",
    "overlap": "1",
    "comment_count": "0",
    "unresolved_comment_count": "0",
    "last_comment_updated_at": "null",
    "project": "%(project)d",
    "comment_authors": "[]",
}


class Pages:
    """Answers requests about one project; with ``keep`` no page of it is made twice."""

    def __init__(self, project: Project, *, keep: bool = False) -> None:
        self._project = project
        self._kept: dict[tuple[int, int, str], bytes] | None = {} if keep else None
        self._templates: dict[tuple[str | None, bool], str] = {}

    @property
    def kept(self) -> int:
        """How many pages were made and kept."""
        return len(self._kept or ())

    def answer(self, path: str, query: str) -> tuple[int, bytes]:
        """Answer a GET with a status and JSON."""
        given = {name: values[-1] for name, values in parse_qs(query).items()}
        match path.strip("/").split("/"):
            case ["api", "version"]:
                return 200, json.dumps(_VERSION).encode()
            case ["api", "projects", number] if number == str(self._project.number):
                known = {"id": self._project.number, "label_config": LABEL_CONFIG}
                return 200, json.dumps(known).encode()
            case ["api", "tasks"] if given.get("project") == str(self._project.number):
                return self._page(given)
            case ["api", "tasks", task] if task.isdecimal() and int(task) in self._project.ids:
                return 200, self._tasks([int(task)], self._template(given, full=True)).encode()
        return 404, b'{"status_code":404,"detail":"Not found."}'

    def _page(self, given: Mapping[str, str]) -> tuple[int, bytes]:
        chosen = self._chosen(given)
        size = int(given.get("page_size", 100))
        start = (int(given.get("page", 1)) - 1) * size
        if start and start >= len(chosen):
            return 404, b'{"status_code":404,"detail":"Invalid page."}'
        template = self._template(given, full=given.get("fields") == "all")
        if self._kept is None or chosen != self._project.ids:
            return 200, self._body(chosen, slice(start, start + size), template)
        key = start, size, template
        if key not in self._kept:
            self._kept[key] = self._body(chosen, slice(start, start + size), template)
        return 200, self._kept[key]

    def _body(self, chosen: Sequence[int], page: slice, template: str) -> bytes:
        tasks = self._tasks(chosen[page], template)
        counts = f'"total_annotations":0,"total_predictions":0,"total":{len(chosen)}'
        return f'{{{counts},"tasks":[{tasks}]}}'.encode()

    def _chosen(self, given: Mapping[str, str]) -> Sequence[int]:
        asked = json.loads(given.get("query", "{}"))
        for item in asked.get("filters", {}).get("items", ()):
            if (item["filter"], item["operator"]) == ("filter:tasks:id", "greater"):
                return [task for task in self._project.ids if task > item["value"]]
        included = asked.get("selectedItems", {}).get("included")
        if not included:
            return self._project.ids
        return [task for task in sorted(included) if task in self._project.ids]

    def _template(self, given: Mapping[str, str], *, full: bool) -> str:
        """Give the text of a task with the attributes asked for, and places for what differs."""
        include = given.get("include")
        if (include, full) not in self._templates:
            wanted = None if include is None else include.split(",")
            attributes = {**_SHOWN, **_ONLY_IN_FULL} if full else _SHOWN
            parts = (f'"{n}":{t}' for n, t in attributes.items() if wanted is None or n in wanted)
            self._templates[include, full] = "{" + ",".join(parts) + "}"
        return self._templates[include, full]

    def _tasks(self, ids: Sequence[int], template: str) -> str:
        project, offset = self._project.number, 1 - self._project.first
        return ",".join(
            template
            % {
                "id": task,
                "place": (place := task + offset),
                "batch": place // 100,
                "priority": place % 5,
                "project": project,
                "text": text_of(place),
            }
            for task in ids
        )


class Answering(Protocol):
    """Answers a GET with a status and JSON."""

    def answer(self, path: str, query: str) -> tuple[int, bytes]:
        """Answer what is asked for at a path."""
        ...


class Canned(httpx.BaseTransport):
    """Takes the network's place inside a process, and keeps account of the CPU that it takes.

    ``spent`` is in seconds, over all threads: what is left of a process's CPU is the client's.
    """

    def __init__(self, pages: Answering) -> None:
        self.spent = 0.0
        self._pages = pages
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer at once."""
        started = time.thread_time()
        status, body = self._pages.answer(request.url.path, request.url.query.decode())
        response = httpx.Response(
            status, headers={"Content-Type": "application/json"}, content=body, request=request
        )
        with self._lock:
            self.spent += time.thread_time() - started
        return response
