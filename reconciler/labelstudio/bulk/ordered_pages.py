"""Reading a project in order of id, each page from where the one before ended.

Pages by number shift when tasks are created or deleted meanwhile: a task may then be on two pages,
or on none. A page that begins after an id cannot. It costs no more (measured on 1.23.2), and the
next page is requested before the one before is used.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import takewhile
from typing import Final

from reconciler.core.model import Found, Observed, ReadBatch, Unreadable
from reconciler.core.values import UNREADABLE as NO_DATA
from reconciler.core.values import Json, Side
from reconciler.errors import NoSuchProject, NotFound, NotLabelStudio, ServerError
from reconciler.labelstudio.bulk.pages import find_smaller_size, is_broken_by_task, is_too_heavy
from reconciler.labelstudio.bulk.prefetcher import Prefetcher
from reconciler.labelstudio.main_thread import wait_for
from reconciler.labelstudio.retry import RequestKind
from reconciler.labelstudio.task_api import Page, TaskApi

_EVERY_ID: Final = 2**63 - 1
"""An id that no task exceeds."""

_BROKEN_MAX: Final = 20
"""Broken tasks in a row after which the server is considered broken, and not the tasks."""

_EMPTY_MAX: Final = 5
"""Pages without usable tasks in a row: the server is deleting them."""


def read_in_order(
    api: TaskApi,
    project: int,
    names: Collection[str],
    *,
    after: int = 0,
    up_to: int = _EVERY_ID,
) -> Iterator[ReadBatch]:
    """Read the attributes ``names`` of all tasks of a project, in ascending order of id.

    Each task is read once, and every task that exists all the while is read, whatever other
    clients do. ``data`` is always read. ``after`` and ``up_to`` bound the ids. Raises
    NoSuchProject, and ServerError if the server fails on more than single tasks.
    """
    try:
        yield from _OrderedReader(api, project, {*names, "data"}, up_to).read(after)
    except NotFound as error:
        if isinstance(error, NoSuchProject):
            raise
        raise NoSuchProject(project, error.message) from error


class _OrderedReader:
    def __init__(self, api: TaskApi, project: int, names: set[str], up_to: int) -> None:
        self._api = api
        self._project = project
        self._names = names
        self._up_to = up_to
        self._size = api.limits.page_size
        self._broken_in_a_row = 0

    def read(self, last: int) -> Iterator[ReadBatch]:
        empty = 0
        size = self._size
        with Prefetcher(self._fetch_page) as prefetcher:
            waiting = prefetcher.submit((last, size))
            while True:
                wait_for(waiting)
                try:
                    page = self._check(waiting.result()(), last)
                except ServerError as error:
                    smaller = self._shrink(error, size)
                    if smaller:
                        size = smaller
                    else:
                        task, observed = self._read_broken(last, error)
                        last, size = task, self._size
                        yield ReadBatch({}, {task: observed})
                    waiting = prefetcher.submit((last, size))
                    continue
                empty = 0 if page.tasks else empty + 1
                last = max(page.tasks, default=last)
                is_last = page.rows >= page.total or last >= self._up_to or empty >= _EMPTY_MAX
                if not is_last:
                    # A page divided because of a broken task grows again step by step.
                    size = min(self._size, size * 2)
                    waiting = prefetcher.submit((last, size))
                self._broken_in_a_row = 0 if page.tasks else self._broken_in_a_row
                if page.tasks:
                    yield ReadBatch(self._bound(page.tasks))
                if is_last:
                    return

    def _bound(self, tasks: Mapping[int, Mapping[str, Json]]) -> Mapping[int, Mapping[str, Json]]:
        if max(tasks) <= self._up_to:
            return tasks
        return dict(takewhile(lambda item: item[0] <= self._up_to, tasks.items()))

    def _fetch_page(self, page: tuple[int, int]) -> Callable[[], Page]:
        after, size = page
        kind = RequestKind.SMALL_LIST if size == 1 else RequestKind.DIVISIBLE_LIST
        return self._api.fetch_list(
            self._project, self._names, page=1, size=size, after=after, kind=kind
        )

    def _check(self, page: Page, after: int) -> Page:
        """Check that a page has only tasks after an id, in order: else the filter was ignored."""
        before = after
        for task in page.tasks:
            if task <= before:
                raise NotLabelStudio(
                    f"{self._api.address} does not list tasks after an id",
                    hint="is a proxy or a cache in front of the server, or is it an unsupported "
                    "version?",
                )
            before = task
        return page

    def _shrink(self, error: ServerError, size: int) -> int:
        """Return a smaller size of pages to try after an error; 0 for one broken task."""
        if is_broken_by_task(error):
            return size // 2
        smaller = find_smaller_size(size, self._api.limits.size_min)
        if not is_too_heavy(error) or not smaller:
            raise error
        self._size = smaller
        return smaller

    def _read_broken(self, after: int, error: ServerError) -> tuple[int, Observed]:
        """Read the first task after an id, which breaks every page that shows its data."""
        self._broken_in_a_row += 1
        if self._broken_in_a_row > _BROKEN_MAX:
            raise error
        try:
            page = self._fetch_one(after, self._names - {"data"})
        except ServerError as found:
            if not is_broken_by_task(found):
                raise
            return self._find_broken(after), Unreadable(
                f"the server failed on this task: {error.message}"
            )
        for task, row in page.tasks.items():
            attributes: dict[str, Side] = {**row, "data": NO_DATA}
            return task, Found(attributes)
        raise error

    def _find_broken(self, after: int) -> int:
        """Find the id of the first task after an id, which no list shows, by halving."""
        low, step = after, 1
        while not self._has_task(after, low + step):
            low, step = low + step, 2 * step
        high = low + step
        while high - low > 1:
            middle = (low + high) // 2
            if self._has_task(after, middle):
                high = middle
            else:
                low = middle
        return high

    def _has_task(self, after: int, up_to: int) -> bool:
        """Tell whether there is a task between two ids: a list of it is not empty, or fails."""
        if up_to >= _EVERY_ID:
            return True
        try:
            return self._fetch_one(after, {"id"}, up_to=up_to).rows > 0
        except ServerError as error:
            if not is_broken_by_task(error):
                raise
            return True

    def _fetch_one(self, after: int, names: Collection[str], *, up_to: int | None = None) -> Page:
        return self._api.fetch_list(
            self._project,
            names,
            page=1,
            size=1,
            after=after,
            up_to=up_to,
            kind=RequestKind.SMALL_LIST,
        )()
