"""A whole project, page by page: a few pages under way at once, in the order of the project."""

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
"""Pages in a row that fail, after which it is not single tasks that break them."""

_TOO_HEAVY: Final = frozenset(
    {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
)


_ComingPage: TypeAlias = Callable[[], Page]
"""A page that has come, and is decoded when it is called for."""


def is_too_heavy(error: ServerError) -> bool:
    """Tell whether an answer failed in a way that a smaller one might not."""
    return isinstance(error, TimedOut) or error.status in _TOO_HEAVY


def is_broken_by_task(error: ServerError) -> bool:
    """Tell whether an answer failed as it does when one task in it cannot be written."""
    return isinstance(error, Broken) and error.status == HTTPStatus.INTERNAL_SERVER_ERROR


class ProjectPages:
    """The pages of one project. `read_first` comes before `read_rest`.

    ``complete`` tells afterwards that every task that the project counts has been shown: no page
    failed, none came short, and nothing was created or deleted meanwhile.
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
        """Tasks of the first page; others may hold more, where the server gives that."""
        return self._size

    def estimate_left(self, *, up_to: int) -> int:
        """Estimate how many tasks more whole pages show until the id ``up_to`` has been passed.

        Ids are counted over all projects: how dense they lie in this one is taken from the last
        page that has come.
        """
        pages = ceil((up_to + 1 - self._passed) * self._density / self._size)
        return max(0, min(self.total - self._received, pages * self._size))

    def count_requests(self, tasks: int) -> int:
        """Tell how many pages hold so many tasks behind the first."""
        return sum(1 for _ in list_growing(self._size, self._size + tasks, most=self._size_max))

    def read_first(self) -> Page:
        """Read the first page, a smaller one where the server cannot; raises ServerError."""
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
            # The server gives no more than so many, whatever is asked for.
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
            # Pages that overlap show some tasks twice, and others not at all.
            overlap = sum(task < self._passed for task in page.tasks) if low < self._passed else 0
            self._received += len(page.tasks) - overlap
            self._density = len(page.tasks) / (high - low)
            self._passed = max(high, self._passed)

    @contextmanager
    def read_rest(self, *, up_to: int) -> Iterator[Iterator[Page]]:
        """Begin to read the other pages, until the id ``up_to`` has been passed, and give them.

        Pages that fail are left out: their tasks are for others to ask for. What is given raises
        ServerError where the server fails on more than single tasks.
        """
        # No more than ``up_to`` tasks have ids up to there, whatever the server counts.
        queue = deque(list_growing(self._size, min(self.total, up_to), most=self._size_max))

        def to_come() -> float:
            # Those behind ``up_to`` would be read for nothing.
            return self.estimate_left(up_to=up_to) / queue[0].size if queue else 0

        with Prefetcher(self._fetch, self._api.read_concurrency) as prefetcher:
            yield self._sort_out(prefetcher.call_in_order(queue, to_come=to_come), queue, up_to)

    def _sort_out(
        self,
        ended: Iterator[tuple[PageNumber, Future[_ComingPage]]],
        queue: deque[PageNumber],
        up_to: int,
    ) -> Iterator[Page]:
        """Give the pages that came; what failed changes the ``queue`` of those to come."""
        failed_in_a_row = 0
        steady = True
        for numbered, answer in ended:
            try:
                page = answer.result()()
            except NotFound:
                steady = False  # Fewer tasks than there were: the list ends before this page.
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

    def _is_cut(self, asked: PageNumber, page: Page) -> bool:
        """Tell whether a page larger than the first is cut, or one before it was.

        The server counts pages by what it gives: those behind show other tasks than were meant.
        """
        due = min(asked.size, page.total - asked.begin)
        return asked.size > self._size_max or page.rows < due

    def _fall_back_to_first_size(
        self, queue: deque[PageNumber], failed: PageNumber, *, alone: bool = False
    ) -> None:
        """Ask for a larger page in parts that the server gives, and ``alone`` or with all others.

        All stay in the order of the project: those under way behind it are divided as they come.
        """
        if not alone:
            self._size_max = self._size
        divide(queue, failed, self._size, alone=alone)

    def _fetch(self, page: PageNumber) -> _ComingPage:
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
        """How many tasks of the project lie before it."""
        return (self.number - 1) * self.size


def list_growing(begin: int, end: int, *, most: int) -> Iterator[PageNumber]:
    """Give the pages from ``begin`` tasks on: each holds as many as come before it, or ``most``.

    ``most`` is ``begin``, or twice, four times... as much.
    """
    while begin < end:
        size = min(begin, most)
        yield PageNumber(begin // size + 1, size)
        begin += size


def make_smaller(waiting: deque[PageNumber], failed: PageNumber, *, size_min: int) -> bool:
    """Put its parts in the place of a page, and of each that is ``waiting`` and as large.

    Tells whether that could be done.
    """
    size = find_smaller_size(failed.size, size_min)
    if size:
        divide(waiting, failed, size)
    return bool(size)


def divide(
    waiting: deque[PageNumber], failed: PageNumber, size: int, *, alone: bool = False
) -> None:
    """Put parts of a ``size`` in the place of a page, and, unless ``alone``, of the others.

    All are in the order of the project then.
    """
    others = list(waiting)
    waiting.clear()
    for page in sorted([failed, *others], key=lambda page: page.begin):
        whole = page.size <= size or (alone and page is not failed)
        waiting.extend([page] if whole else _split(page, size))


def find_smaller_size(size: int, size_min: int) -> int:
    """Find a size of which ``size`` is a multiple; 0 where none is ``size_min`` or more."""
    parts = next((parts for parts in (2, 3, 5, 7) if size % parts == 0), size)
    return size // parts if size // parts >= size_min else 0


def drop_after(waiting: deque[PageNumber], last: PageNumber) -> None:
    """Leave out the pages behind ``last``; parts of one before it may still wait."""
    before = [page for page in waiting if page.begin < last.begin]
    waiting.clear()
    waiting.extend(before)


def _split(page: PageNumber, size: int) -> Sequence[PageNumber]:
    parts = page.size // size
    return [PageNumber(parts * (page.number - 1) + part, size) for part in range(1, parts + 1)]
