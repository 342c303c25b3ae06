"""Reading a whole project page by page, in its order, with a few requests at once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from http import HTTPStatus
from math import ceil
from typing import Final, NamedTuple, TypeAlias

from reconciler.errors import Broken, NotFound, ServerError, TimedOut
from reconciler.labelstudio.bulk.cost import choose_page_size
from reconciler.labelstudio.bulk.prefetcher import Prefetcher
from reconciler.labelstudio.retry import RequestKind
from reconciler.labelstudio.task_api import Page, TaskApi

FAILED_MAX: Final = 20
"""Pages in a row that fail before the server is considered the cause, and not single tasks."""

_TOO_HEAVY: Final = frozenset(
    {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
)


_ReceivedPage: TypeAlias = Callable[[], Page]
"""A received page; calling it decodes the page."""


def is_too_heavy(error: ServerError) -> bool:
    """Tell whether a smaller request might succeed after this error."""
    return isinstance(error, TimedOut) or error.status in _TOO_HEAVY


def is_broken_by_task(error: ServerError) -> bool:
    """Tell whether an error is what the server returns if it cannot render one of the tasks."""
    return isinstance(error, Broken) and error.status == HTTPStatus.INTERNAL_SERVER_ERROR


class ProjectPages:
    """The pages of one project. Call `read_first` before `read_rest`.

    Afterwards, ``complete`` tells whether the pages have shown every task that the project counts:
    no page failed, none was short, and the project did not change meanwhile.
    """

    def __init__(self, api: TaskApi, project: int, names: Collection[str]) -> None:
        self._api = api
        self._project = project
        self._names = names
        self._limits = api.limits
        self._size = self._size_max = api.limits.page_size
        self._received = 0
        self._passed = 0
        self._density = 1.0
        self.total = 0
        self.complete = False
        self.seconds = 0.0

    @property
    def size(self) -> int:
        """Tasks of the first page; others may hold more, if the server returns that many."""
        return self._size

    def estimate_left(self, *, up_to: int) -> int:
        """Estimate how many more tasks whole pages show until they pass the id ``up_to``.

        Ids count the tasks of all projects; the last page shows how dense this project's ids are.
        """
        pages = ceil((up_to + 1 - self._passed) * self._density / self._size)
        return max(0, min(self.total - self._received, pages * self._size))

    def count_requests(self, tasks: int) -> int:
        """Count the pages that the next ``tasks`` tasks after the first page take."""
        return sum(1 for _ in list_growing(self._size, self._size + tasks, most=self._size_max))

    def read_first(self) -> Page:
        """Read the first page, or a smaller one if that is too heavy; raises ServerError."""
        while True:
            started = time.monotonic()
            try:
                page = self._fetch(PageNumber(1, self._size))()
            except ServerError as error:
                smaller = self._find_smaller(self._size)
                if not is_too_heavy(error) or not smaller:
                    raise
                self._size = smaller
            else:
                self.seconds = time.monotonic() - started
                self._begin(page)
                return page

    def _begin(self, page: Page) -> None:
        self.total = page.total
        if 0 < page.rows < min(self._size, page.total):
            # The server has its own limit for the size of a page.
            self._size = page.rows
        self._size_max = self._size
        if self._size == self._limits.page_size:
            self._size_max = choose_page_size(
                page.total, seconds=self.seconds, length=page.length, limits=self._limits
            )
        self._count(page)
        self.complete = self._received == self.total

    def _count(self, page: Page) -> None:
        if page.tasks:
            low, high = min(page.tasks), max(page.tasks) + 1
            # If pages overlap, some tasks are shown twice, and others not at all.
            overlap = sum(task < self._passed for task in page.tasks) if low < self._passed else 0
            self._received += len(page.tasks) - overlap
            self._density = len(page.tasks) / (high - low)
            self._passed = max(high, self._passed)

    @contextmanager
    def read_rest(self, *, up_to: int) -> Iterator[Iterator[Page]]:
        """Begin to read the other pages until they pass the id ``up_to``, and yield an iterator.

        The iterator leaves out pages that fail, whose tasks the caller must read otherwise. It
        raises ServerError if the server fails on more than single tasks.
        """
        # At most ``up_to`` tasks have ids up to that one, whatever the server counts.
        queue = deque(list_growing(self._size, min(self.total, up_to), most=self._size_max))

        def to_come() -> float:
            # Pages after ``up_to`` are not needed.
            return self.estimate_left(up_to=up_to) / queue[0].size if queue else 0

        with Prefetcher(self._fetch, self._api.read_concurrency) as prefetcher:
            yield self._yield_good_pages(
                prefetcher.call_in_order(queue, to_come=to_come), queue, up_to
            )

    def _yield_good_pages(
        self,
        ended: Iterator[tuple[PageNumber, Future[_ReceivedPage]]],
        queue: deque[PageNumber],
        up_to: int,
    ) -> Iterator[Page]:
        """Yield the pages that succeed; one that fails changes the ``queue`` of the next ones."""
        failed_in_a_row = 0
        steady = True
        for numbered, answer in ended:
            try:
                page = answer.result()()
            except NotFound:
                steady = False  # There are fewer tasks now: the list ends before this page.
                drop_after(queue, numbered)
                continue
            except ServerError as error:
                if numbered.size > self._size:
                    self._fall_back_to_first_size(queue, numbered, alone=is_broken_by_task(error))
                    continue
                steady = False
                failed_in_a_row += 1
                divided = is_too_heavy(error) and make_smaller(
                    queue, numbered, size_min=self._limits.size_min
                )
                if failed_in_a_row == FAILED_MAX or not (divided or is_broken_by_task(error)):
                    raise
                continue
            if numbered.size > self._size and self._is_cut(numbered, page):
                self._fall_back_to_first_size(queue, numbered)
                continue
            failed_in_a_row = 0
            self._count(page)
            steady = steady and page.total == self.total
            yield page
            if max(page.tasks, default=up_to) >= up_to:
                drop_after(queue, numbered)
        self.complete = steady and self._received == self.total

    def _is_cut(self, requested: PageNumber, page: Page) -> bool:
        """Tell whether a page larger than the first is cut, or one before it was.

        A server that cuts pages numbers them by their cut size, so later pages show other tasks
        than expected.
        """
        due = min(requested.size, page.total - requested.begin)
        return requested.size > self._size_max or page.rows < due

    def _fall_back_to_first_size(
        self, queue: deque[PageNumber], failed: PageNumber, *, alone: bool = False
    ) -> None:
        """Replace a larger page, and unless ``alone`` all waiting ones, by pages like the first.

        The pages stay in the order of the project. Later pages that are already requested are
        divided when their responses come.
        """
        if not alone:
            self._size_max = self._size
        divide(queue, failed, self._size, alone=alone)

    def _fetch(self, page: PageNumber) -> _ReceivedPage:
        if page.size > self._size:
            kind = RequestKind.LARGER_PAGE
        elif self._find_smaller(page.size):
            kind = RequestKind.DIVISIBLE_LIST
        else:
            kind = RequestKind.SMALL_LIST
        return self._api.fetch_list(
            self._project, self._names, page=page.number, size=page.size, kind=kind
        )

    def _find_smaller(self, size: int) -> int:
        return find_smaller_size(size, self._limits.size_min)


class PageNumber(NamedTuple):
    """A page by its number, from 1, among pages of one size."""

    number: int
    size: int

    @property
    def begin(self) -> int:
        """How many tasks of the project come before it."""
        return (self.number - 1) * self.size


def list_growing(begin: int, end: int, *, most: int) -> Iterator[PageNumber]:
    """Yield the pages after ``begin`` tasks: each has as many as come before it, at most ``most``.

    ``most`` is ``begin`` times 1, 2, 4...
    """
    while begin < end:
        size = min(begin, most)
        yield PageNumber(begin // size + 1, size)
        begin += size


def make_smaller(waiting: deque[PageNumber], failed: PageNumber, *, size_min: int) -> bool:
    """Replace a page, and each waiting page of its size, by smaller ones.

    Returns whether that was possible.
    """
    size = find_smaller_size(failed.size, size_min)
    if size:
        divide(waiting, failed, size)
    return bool(size)


def divide(
    waiting: deque[PageNumber], failed: PageNumber, size: int, *, alone: bool = False
) -> None:
    """Replace a page and, unless ``alone``, all larger waiting ones by pages of ``size``.

    ``waiting`` is in the order of the project afterwards.
    """
    others = list(waiting)
    waiting.clear()
    for page in sorted([failed, *others], key=lambda page: page.begin):
        whole = page.size <= size or (alone and page is not failed)
        waiting.extend([page] if whole else _split(page, size))


def find_smaller_size(size: int, size_min: int) -> int:
    """Return a smaller size that divides ``size``; 0 if that would be less than ``size_min``."""
    parts = next((parts for parts in (2, 3, 5, 7) if size % parts == 0), size)
    return size // parts if size // parts >= size_min else 0


def drop_after(waiting: deque[PageNumber], last: PageNumber) -> None:
    """Remove the pages after ``last``; parts of an earlier page may still wait."""
    before = [page for page in waiting if page.begin < last.begin]
    waiting.clear()
    waiting.extend(before)


def _split(page: PageNumber, size: int) -> Sequence[PageNumber]:
    parts = page.size // size
    return [PageNumber(parts * (page.number - 1) + part, size) for part in range(1, parts + 1)]
