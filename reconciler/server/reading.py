"""Reading many tasks in few requests, one by one only where nothing else can tell."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Final

from reconciler.errors import Broken, NotFound, ServerError
from reconciler.plan.model import Found, Missing, Observed, Unreadable
from reconciler.plan.values import Json
from reconciler.server.task_api import TaskApi

BATCH: Final = 500
"""Tasks a request: beyond it a request costs as much more as it brings."""

IDS_LENGTH_MAX: Final = 6_500
"""Characters of ids in an address: proxies commonly cut addresses off at 8 kB."""

BROKEN_MAX: Final = 20
"""Broken tasks in a row, after which it is the server that is broken, and not they."""


def read_tasks(
    api: TaskApi, wanted: Mapping[int, int | None], names: Collection[str]
) -> dict[int, Observed]:
    """Read the attributes ``names`` of the tasks ``wanted``, each with its project if known.

    ``data`` is read too: a task whose data has been broken answers all else, until it is written
    to. (Measured on pages of 1,000 tasks: asking for it costs nothing that can be seen.)

    Raises ServerError where the server fails on more than single tasks.
    """
    reader = _Reader(api, {*names, "data"})
    by_project: dict[int | None, list[int]] = {}
    for task, project in sorted(wanted.items()):
        by_project.setdefault(project, []).append(task)
    for project, ids in by_project.items():
        if project is not None:
            reader.read_project(project, ids)
    reader.search([task for task in sorted(wanted) if task not in reader.observed])
    return reader.observed


class _Reader:
    """Collects what is found, request by request."""

    def __init__(self, api: TaskApi, names: Collection[str]) -> None:
        self.observed: dict[int, Observed] = {}
        self._api = api
        self._names = names
        self._swept: set[int] = set()
        self._broken_in_a_row = 0

    def read_project(self, project: int, ids: Iterable[int]) -> None:
        """Read in batches the tasks that lie in ``project``; the others stay unaccounted for."""
        self._swept.add(project)
        for batch in _batches(ids):
            self._read_batch(project, batch)

    def search(self, ids: Sequence[int]) -> None:
        """Ask by id for tasks that no list has shown: only a 404 proves one missing.

        The first that is found tells which project the rest may lie in, so that tasks whose
        project is not known, or not as declared, cost one request and not one each.
        """
        pending = deque(ids)
        while pending:
            task = pending.popleft()
            observed = self.observed[task] = self._by_id(task)
            project = observed.attributes.get("project") if isinstance(observed, Found) else None
            if pending and isinstance(project, int) and project not in self._swept:
                self.read_project(project, pending)
                pending = deque(task for task in pending if task not in self.observed)

    def _read_batch(self, project: int, ids: Sequence[int]) -> None:
        """Read one batch; halve it when a task in it breaks the answer, down to that task."""
        try:
            rows = list(self._rows(project, ids))
        except Broken as error:
            if error.status != HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            if len(ids) == 1:
                self.observed[ids[0]] = self._unreadable(error)
                return
            middle = len(ids) // 2
            self._read_batch(project, ids[:middle])
            self._read_batch(project, ids[middle:])
        else:
            for task, row in rows:
                self.observed[task] = Found(row)
                self._broken_in_a_row = 0

    def _rows(self, project: int, ids: Sequence[int]) -> Iterator[tuple[int, Mapping[str, Json]]]:
        """Read page after page: servers may give shorter ones than asked for.

        A page that brings nothing new is the last, whatever the total says.
        """
        seen: set[int] = set()
        page = 1
        while True:
            try:
                answer = self._api.listed(project, ids, self._names, page=page)
            except NotFound as error:
                if page > 1:
                    return
                hint = "correct the project of the manifest, or use a token that may see it"
                raise NotFound(
                    f"project {project}: {error.message}", hint=hint, status=error.status
                ) from error
            yield from answer.tasks.items()
            new = answer.tasks.keys() - seen
            seen |= new
            if len(seen) >= answer.total or not new:
                return
            page += 1

    def _by_id(self, task: int) -> Observed:
        try:
            found = Found(self._api.task(task, self._names))
        except NotFound:
            return Missing()
        except ServerError as error:
            if error.status not in {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.FORBIDDEN}:
                raise
            return self._unreadable(error)
        self._broken_in_a_row = 0
        return found

    def _unreadable(self, error: ServerError) -> Unreadable:
        self._broken_in_a_row += 1
        if self._broken_in_a_row >= BROKEN_MAX:
            raise error
        return Unreadable(error.message)


def _batches(ids: Iterable[int]) -> Iterator[list[int]]:
    """Pack ids by count and by the length of the address that they make."""
    batch: list[int] = []
    length = 0
    for task in ids:
        written = len(str(task)) + len("%2C")
        if batch and (len(batch) == BATCH or length + written > IDS_LENGTH_MAX):
            yield batch
            batch, length = [], 0
        batch.append(task)
        length += written
    if batch:
        yield batch
