"""Reading many tasks in few requests, always through the lists of their projects.

A read of a single task shows other values than its list: up to Label Studio 1.22,
``GET /api/tasks/N/`` resolves storage addresses even if the request forbids that (measured on
1.13.1, 1.18.0, 1.20.0 and 1.22.0). Written back, these would destroy the stored addresses. So a
single read only asks in which project a task is.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from itertools import chain
from math import ceil
from typing import Final

from reconciler.core.model import Found, Missing, Observed, ReadBatch, Unreadable
from reconciler.core.notation import count_noun
from reconciler.core.values import UNREADABLE
from reconciler.errors import Broken, NoSuchProject, NotFound, Rejected, ServerError
from reconciler.labelstudio.bulk.cost import (
    ReadMethod,
    choose_cheaper,
    estimate_pages,
    estimate_selection,
    split_ids,
)
from reconciler.labelstudio.bulk.key_filter import split_keys
from reconciler.labelstudio.bulk.pages import ProjectPages, is_broken_by_task
from reconciler.labelstudio.bulk.pending_ids import PendingIds
from reconciler.labelstudio.bulk.prefetcher import Prefetcher
from reconciler.labelstudio.bulk.read_concurrency import AT_ONCE
from reconciler.labelstudio.bulk.selection import Selection
from reconciler.labelstudio.main_thread import wait_for
from reconciler.labelstudio.retry import RequestKind
from reconciler.labelstudio.task_api import Page, TaskApi
from reconciler.progress import NULL_PROGRESS, ProgressListener

SEVERAL: Final = 5
"""The number of tasks from which one request for all costs less than one for each."""

MISSING_MAX: Final = 20_000
"""Missing tasks after which a run ends: only a request for each proves it missing."""

FILTERED_SIZE: Final = 1_000
"""Tasks of a page of what a filter finds."""

_LISTINGS: Final = 3
"""How often the ids of a project that changes meanwhile are listed."""

_EVERY_ID: Final = 2**63 - 1
"""An id that no task exceeds."""

BROKEN_MAX: Final = 20
"""Broken tasks in a row after which the server is considered broken, and not the tasks."""

_OF_A_TASK: Final = frozenset({HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.FORBIDDEN})
"""Statuses for a task that is broken, or forbidden, while other tasks can be read."""


def read_tasks(
    api: TaskApi,
    wanted: Mapping[int | None, Sequence[int]],
    names: Collection[str],
    *,
    progress: ProgressListener = NULL_PROGRESS,
) -> Iterator[ReadBatch]:
    """Read the attributes ``names`` of the ``wanted`` tasks, each task once, response by response.

    ``wanted`` maps the declared project, or None, to ids in ascending order. ``data`` is read too:
    it shows whether the data of a task is broken, as the server still returns the other attributes
    of such a task until it is written to. (Measured on pages of 1,000 tasks: reading ``data`` costs
    no measurable time.)

    Raises ServerError if the server fails on more than single tasks.
    """
    reader = _Reader(api, {*names, "data"}, progress)
    unaccounted: list[int] = []
    for project, ids in sorted(wanted.items(), key=lambda item: (item[0] is None, item[0])):
        if project is None:
            unaccounted += ids
        elif ids:
            unseen = PendingIds(ids)
            yield from reader.read_project(project, unseen)
            unaccounted += unseen
    yield from reader.search(sorted(unaccounted))


def read_listed_tasks(
    api: TaskApi, project: int, ids: Sequence[int], names: Collection[str]
) -> Iterator[ReadBatch]:
    """Read those of the ``ids``, in ascending order, that the list of a project shows.

    Unlike `read_tasks`, it does not look for the others elsewhere. Raises NoSuchProject, and
    ServerError if the server fails on more than single tasks.
    """
    reader = _Reader(api, {*names, "data"}, NULL_PROGRESS)
    return reader.read_listed(project, PendingIds(ids))


def read_whole_project(
    api: TaskApi,
    project: int,
    names: Collection[str],
    *,
    progress: ProgressListener = NULL_PROGRESS,
) -> Iterator[ReadBatch]:
    """Read the attributes ``names`` of every task of a project, each task once.

    Raises NoSuchProject, and ServerError if the server fails on more than single tasks.
    """
    return _Reader(api, {*names, "data"}, progress).read_whole(project)


def read_keyed_tasks(
    api: TaskApi,
    project: int,
    keys: tuple[str, Sequence[str]],
    names: Collection[str],
    *,
    progress: ProgressListener = NULL_PROGRESS,
) -> Iterator[ReadBatch]:
    """Read the tasks whose ``data`` has one of some keys at a name, through list filters.

    ``keys`` is the name and its keys. What is not found may exist all the same, and the caller must
    compare what is: see `can_filter`. Raises NoSuchProject, and ServerError if the server fails on
    more than these filters.
    """
    name, wanted = keys
    try:
        for batch in split_keys(wanted):
            yield from _read_filtered(api, project, {name: batch}, {*names, "data"})
    except NotFound as error:
        raise NoSuchProject(project, error.message) from error
    except ServerError as error:
        if not (is_broken_by_task(error) or isinstance(error, Rejected)):
            raise
        progress.detail(f"project {project}: filters by key fail: {error.message}")


def _read_filtered(
    api: TaskApi, project: int, keys: Mapping[str, Sequence[str]], names: Collection[str]
) -> Iterator[ReadBatch]:
    """Read page after page of what a filter finds; a page without new tasks is the last."""
    seen: set[int] = set()
    number = 0
    while True:
        number += 1
        try:
            page = api.fetch_list(project, names, page=number, size=FILTERED_SIZE, keys=keys)()
        except NotFound:
            if number > 1:
                return
            raise
        new = {task: row for task, row in page.tasks.items() if task not in seen}
        seen |= new.keys()
        yield ReadBatch(new)
        if len(seen) >= page.total or not new:
            return


def read_task(api: TaskApi, task: int, names: Collection[str], *, project: int | None) -> Observed:
    """Read one task like `read_tasks`; raises ServerError if more fails than this task."""
    return dict(chain.from_iterable(read_tasks(api, {project: [task]}, names)))[task]


class _Reader:
    """Reads project by project, each in the cheaper way."""

    def __init__(self, api: TaskApi, names: Collection[str], progress: ProgressListener) -> None:
        self._api = api
        self._names = names
        self._progress = progress
        self._batch = api.limits.batch
        self._swept: set[int] = set()
        self._broken_in_a_row = 0
        self._missing = 0

    def read_project(self, project: int, unseen: PendingIds) -> Iterator[ReadBatch]:
        """Read the tasks that are in ``project``; the others stay in ``unseen``."""
        self._swept.add(project)
        try:
            if len(unseen) > self._batch:
                yield from self._read_large(project, unseen)
            else:
                cost = estimate_selection(unseen, at_most=self._batch)
                self._progress.detail(
                    f"project {project}: reading {count_noun(len(unseen), 'task')} by {cost}"
                )
                yield from self._read_selection(project, unseen)
        except NotFound as error:
            raise NoSuchProject(project, error.message) from error

    def read_listed(self, project: int, unseen: PendingIds) -> Iterator[ReadBatch]:
        """Read the tasks that the list of ``project`` shows; the others stay in ``unseen``."""
        try:
            yield from self._read_selection(project, unseen)
        except NotFound as error:
            raise NoSuchProject(project, error.message) from error

    def read_whole(self, project: int) -> Iterator[ReadBatch]:
        """Read all pages; if these do not show every task, list the ids and read what is left."""
        pages = ProjectPages(self._api, project, self._names)
        shown = array("q")
        try:
            for page in self._iterate_pages(pages):
                last = shown[-1] if shown else 0
                new = {task: row for task, row in page.tasks.items() if task > last}
                shown.extend(sorted(new))
                yield ReadBatch(new)
        except NotFound as error:
            raise NoSuchProject(project, error.message) from error
        if not pages.complete:
            left = self._list_ids(project) - set(shown)
            self._progress.detail(f"project {project}: {len(left):,} tasks were on no page")
            yield from self._read_selection(project, PendingIds(sorted(left)))

    def _iterate_pages(self, pages: ProjectPages) -> Iterator[Page]:
        """Yield all pages; none if a broken task makes the first one fail."""
        try:
            first = pages.read_first()
        except ServerError as error:
            if not is_broken_by_task(error):
                raise
            return
        with pages.read_rest(up_to=_EVERY_ID) as rest:
            yield first
            yield from rest

    def _list_ids(self, project: int) -> set[int]:
        """List the ids of a project; without their data, damaged tasks are listed as well.

        Raises Broken if some are not: a task whose data is not an object breaks every list.
        """
        for _ in range(_LISTINGS):
            pages = ProjectPages(self._api, project, {"id"})
            ids = {task for page in self._iterate_pages(pages) for task in page.tasks}
            if pages.complete:
                return ids
        raise Broken(
            f"the server does not list all tasks of project {project}",
            hint="repair the task that breaks its lists (its data may be no object), or wait until "
            "no other client adds tasks; tasks can also be declared by id instead of by rules",
        )

    def _read_large(self, project: int, unseen: PendingIds) -> Iterator[ReadBatch]:
        """Read the first page, which states how large the project is, and then choose."""
        pages = ProjectPages(self._api, project, self._names)
        try:
            first = pages.read_first()
        except ServerError as error:
            if not is_broken_by_task(error):
                raise
            yield from self._read_selection(project, unseen)
            return
        seen = self._take_new(first, unseen)
        # A server that limits the size of pages limits selections too.
        at_most = min(self._batch, pages.size)
        method = self._choose_method(project, pages, unseen, at_most=at_most)
        if method is ReadMethod.PAGES:
            yield from self._read_pages(pages, unseen, seen)
        else:
            yield seen
        if not pages.complete:
            yield from self._read_selection(project, unseen, at_most=at_most)
        elif len(unseen) >= SEVERAL:
            yield from self._read_hidden(project, unseen, at_most=at_most)

    def _choose_method(
        self, project: int, pages: ProjectPages, unseen: PendingIds, *, at_most: int
    ) -> ReadMethod | None:
        """Choose how to read what the first page has not shown; None if nothing is left."""
        to_come = 0 if pages.complete else pages.estimate_left(up_to=unseen.last)
        if not unseen or not to_come:
            return None
        by_ids = estimate_selection(unseen, at_most=at_most)
        # Count pages of the size of the first: a larger page also takes longer.
        usual = ceil(to_come / pages.size)
        usual_pages = estimate_pages(to_come, requests=usual, total=pages.total)
        method = choose_cheaper(usual_pages, by_ids).method
        by_pages = estimate_pages(
            to_come, requests=pages.count_requests(to_come), total=pages.total
        )
        chosen, other = (by_pages, by_ids) if method is ReadMethod.PAGES else (by_ids, by_pages)
        self._progress.detail(
            f"project {project}: reading {unseen.wanted:,} of {pages.total:,} tasks; the first "
            f"page took {pages.seconds:.1f} s and showed {unseen.wanted - len(unseen):,} of them; "
            f"reading the rest by {chosen} instead of {other}"
        )
        return method

    def _read_pages(
        self, pages: ProjectPages, unseen: PendingIds, first: ReadBatch
    ) -> Iterator[ReadBatch]:
        """Read the other pages, and stop if reading by ids now takes fewer requests.

        The requests run while the caller works on the ``first`` page.
        """
        with pages.read_rest(up_to=unseen.last) as rest:
            yield first
            for page in rest:
                yield self._take_new(page, unseen)
                to_come = pages.estimate_left(up_to=unseen.last) / pages.size
                if to_come > len(unseen) / min(self._batch, pages.size) + AT_ONCE:
                    return

    def _read_hidden(
        self, project: int, unseen: PendingIds, *, at_most: int
    ) -> Iterator[ReadBatch]:
        """Read tasks that a seemingly complete list has not shown, until a batch finds none.

        A list can seem complete if as many tasks were created as were deleted. But mostly such
        tasks are in other projects, and asking this project for all of them would double the cost.
        """
        for batch in split_ids(list(unseen), at_most=at_most):
            before = len(unseen)
            yield from self._read_selection(project, unseen, batch, at_most=at_most)
            if len(unseen) == before:
                return

    def _read_selection(
        self,
        project: int,
        unseen: PendingIds,
        ids: Sequence[int] | None = None,
        *,
        at_most: int | None = None,
    ) -> Iterator[ReadBatch]:
        """Read ``ids``, or all unseen tasks if ``ids`` is None."""
        selection = Selection(
            partial(self._api.fetch_list, project, self._names),
            self._api.read_concurrency,
            at_most=at_most or self._batch,
            size_min=self._api.limits.size_min,
        )
        for answer in selection.read(list(unseen) if ids is None else ids):
            if isinstance(answer, Page):
                yield self._take_new(answer, unseen)
            else:
                task, error = answer
                unseen.mark_seen(task)
                yield ReadBatch({}, {task: self._read_without_data(project, task, error)})

    def _read_without_data(self, project: int, task: int, error: ServerError) -> Observed:
        """Read a task that breaks a response without its data, which is mostly the cause.

        (Measured on Label Studio 1.23.2, for data with half of a surrogate pair in it.)
        """
        names = set(self._names) - {"data"}
        try:
            page = self._api.fetch_list(
                project, names, page=1, size=1, ids=[task], kind=RequestKind.SMALL_LIST
            )()
        except ServerError:
            return self._make_unreadable(error)
        if task not in page.tasks:
            return self._make_unreadable(error)
        self._broken_in_a_row = 0
        return Found({**page.tasks[task], "data": UNREADABLE})

    def _take_new(self, page: Page, unseen: PendingIds) -> ReadBatch:
        shown = list(page.tasks)
        taken = unseen.take(shown)
        if taken:
            self._broken_in_a_row = 0
        whole = len(taken) == len(shown)
        return ReadBatch(page.tasks if whole else {task: page.tasks[task] for task in taken})

    def search(self, ids: Sequence[int]) -> Iterator[ReadBatch]:
        """Find tasks that no list has shown, by id: only a 404 proves that a task is missing.

        The others may be in the same project as the first one found, whose list is read next: so
        tasks whose project is unknown, or wrongly declared, do not cost one request each.
        """
        pending = deque(ids)
        unlisted: dict[int, list[int]] = {}
        at_once = 1
        with Prefetcher(self._locate) as prefetcher:
            while pending:
                ids_to_locate = [pending.popleft() for _ in range(min(at_once, len(pending)))]
                futures = [prefetcher.submit(task) for task in ids_to_locate]
                located: dict[int, list[int]] = {}
                for task, future in zip(ids_to_locate, futures, strict=True):
                    wait_for(future)
                    place = self._judge(future.result())
                    self._count_missing(task, place)
                    if isinstance(place, int):
                        located.setdefault(place, []).append(task)
                    else:
                        yield ReadBatch({}, {task: place})
                # While tasks lead to new projects, locate one at a time.
                at_once = 1 if located.keys() - self._swept else AT_ONCE
                for project, tasks in sorted(located.items()):
                    if project in self._swept:
                        unlisted.setdefault(project, []).extend(tasks)
                        continue
                    unseen = PendingIds(sorted([*tasks, *pending]))
                    # The project may have no list that this user can read.
                    with suppress(NotFound):
                        yield from self.read_project(project, unseen)
                    left = set(unseen)
                    unlisted[project] = [task for task in tasks if task in left]
                    pending = deque(task for task in pending if task in left)
        for project, tasks in sorted(unlisted.items()):
            yield from self._read_unlisted(project, PendingIds(sorted(tasks)))

    def _read_unlisted(self, project: int, unseen: PendingIds) -> Iterator[ReadBatch]:
        """Read a list again for tasks that should be in it: it may have changed meanwhile."""
        with suppress(NotFound):
            yield from self._read_selection(project, unseen)
        message = (
            f"the server says that the task is in project {project}, but the project's list does "
            "not show it"
        )
        yield ReadBatch({}, {task: Unreadable(message, _UNLISTED_HINT) for task in unseen})

    def _locate(self, task: int) -> int | Missing | Unreadable | ServerError:
        """Find the project of a task."""
        try:
            project = self._api.project_of(task)
        except NotFound:
            return Missing()
        except ServerError as error:
            if error.status not in _OF_A_TASK:
                raise
            return error
        return Unreadable(_NO_PROJECT, _DECLARE_PROJECT) if project is None else project

    def _count_missing(self, task: int, place: object) -> None:
        """Raise NotFound after `MISSING_MAX` missing tasks: each costs a request to prove."""
        self._missing += isinstance(place, Missing)
        if self._missing > MISSING_MAX:
            raise NotFound(
                f"more than {MISSING_MAX:,} declared tasks do not exist, task {task} among them",
                hint="correct the ids, and check that this is the right server",
            )

    def _judge(self, place: int | Missing | Unreadable | ServerError) -> int | Missing | Unreadable:
        if isinstance(place, ServerError):
            return self._make_unreadable(place, _DECLARE_PROJECT)
        if isinstance(place, int):
            self._broken_in_a_row = 0
        return place

    def _make_unreadable(self, error: ServerError, hint: str = "") -> Unreadable:
        self._broken_in_a_row += 1
        if self._broken_in_a_row >= BROKEN_MAX:
            raise error
        return Unreadable(f"the server failed on this task: {error.message}", hint)


_NO_PROJECT: Final = "the server does not say which project the task is in"
_DECLARE_PROJECT: Final = (
    "if the manifest does not declare a project, add one: the project's list may still show the "
    "task"
)
_UNLISTED_HINT: Final = (
    "check that the user of the token may list the tasks of the project; values are only read from "
    "that list, because reading a single task may resolve storage addresses"
)
