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
from reconciler.server.ahead import Ahead
from reconciler.server.cost import PAGE_SIZE, page_size
from reconciler.server.retrying import tries_of_list, tries_of_small_list
from reconciler.server.task_api import Page, TaskApi

SIZE_MIN: Final = 25
"""Tasks a page below which it is not the size that keeps a server from answering."""

FAILED_MAX: Final = 20
"""Pages in a row that fail, after which it is not single tasks that break them."""

_TOO_HEAVY: Final = frozenset(
    {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
)


_Fetched: TypeAlias = Callable[[], Page]
"""A page that has come, and is decoded when it is called for."""


class Numbered(NamedTuple):
    """A page by its number, from 1, among pages of one size."""

    number: int
    size: int

    @property
    def begin(self) -> int:
        """How many tasks of the project lie before it."""
        return (self.number - 1) * self.size


def too_heavy(error: ServerError) -> bool:
    """Tell whether an answer failed in a way that a smaller one might not."""
    return isinstance(error, TimedOut) or error.status in _TOO_HEAVY


def breaks_on_a_task(error: ServerError) -> bool:
    """Tell whether an answer failed as it does when one task in it cannot be written."""
    return isinstance(error, Broken) and error.status == HTTPStatus.INTERNAL_SERVER_ERROR


class ProjectPages:
    """The pages of one project. `first` is to be read before the `rest`.

    ``complete`` tells afterwards that every task that the project counts has been shown: no page
    failed, none came short, and nothing was created or deleted meanwhile.
    """

    def __init__(self, api: TaskApi, project: int, names: Collection[str]) -> None:
        self._api = api
        self._project = project
        self._names = names
        self._size = PAGE_SIZE
        self._begun = 0
        self._received = 0
        self._passed = 0
        self._density = 1.0
        self.total = 0
        self.complete = False
        self.seconds = 0.0

    @property
    def size(self) -> int:
        """Tasks a page, as a rule, after what the server was found to give."""
        return self._size

    def expected(self, *, up_to: int) -> int:
        """Estimate how many tasks more whole pages show until the id ``up_to`` has been passed.

        Ids are counted over all projects: how dense they lie in this one is taken from the last
        page that has come.
        """
        pages = ceil((up_to + 1 - self._passed) * self._density / self._size)
        return max(0, min(self.total - self._received, pages * self._size))

    def first(self) -> Page:
        """Read the first page, a smaller one where the server cannot; raises ServerError."""
        while True:
            started = time.monotonic()
            try:
                page = self._fetch(Numbered(1, self._size))()
            except ServerError as error:
                if not too_heavy(error) or not _smaller(self._size):
                    raise
                self._size = _smaller(self._size)
            else:
                self.seconds = time.monotonic() - started
                self._begin(page)
                return page

    def _begin(self, page: Page) -> None:
        self.total = page.total
        if 0 < page.rows < min(self._size, page.total):
            # The server gives no more than so many, whatever is asked for.
            self._size = page.rows
        self._begun = self._size
        if self._size == PAGE_SIZE:
            self._size = page_size(page.total, first=self._size, seconds=self.seconds)
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
    def rest(self, *, up_to: int) -> Iterator[Iterator[Page]]:
        """Begin to read the other pages, until the id ``up_to`` has been passed, and give them.

        Pages that fail are left out: their tasks are for others to ask for. What is given raises
        ServerError where the server fails on more than single tasks.
        """
        # No more than ``up_to`` tasks have ids up to there, whatever the server counts.
        queue = deque(_larger_and_larger(self._begun, min(self.total, up_to), size=self._size))

        def to_come() -> float:
            # Those behind ``up_to`` would be read for nothing.
            return self.expected(up_to=up_to) / queue[0].size if queue else 0

        with Ahead(self._fetch) as ahead:
            yield self._good(ahead.in_order(queue, to_come=to_come), queue, up_to)

    def _good(
        self, ended: Iterator[tuple[Numbered, Future[_Fetched]]], queue: deque[Numbered], up_to: int
    ) -> Iterator[Page]:
        """Give the pages that came; what failed changes the ``queue`` of those to come."""
        failed_in_a_row = 0
        steady = True
        for numbered, answer in ended:
            try:
                page = answer.result()()
            except NotFound:
                steady = False  # Fewer tasks than there were: the list ends before this page.
                _end_at(numbered, queue)
                continue
            except ServerError as error:
                steady = False
                failed_in_a_row += 1
                smaller = too_heavy(error) and _make_smaller(queue, numbered)
                if failed_in_a_row == FAILED_MAX or not (smaller or breaks_on_a_task(error)):
                    raise
                continue
            failed_in_a_row = 0
            if self._is_cut(numbered, page) and _make_smaller(queue, numbered):
                continue
            self._count(page)
            steady = steady and page.total == self.total
            yield page
            if max(page.tasks, default=up_to) >= up_to:
                _end_at(numbered, queue)
        self.complete = steady and self._received == self.total

    def _is_cut(self, asked: Numbered, page: Page) -> bool:
        """Tell whether a page larger than the first is what another size would have given."""
        due = min(asked.size, max(0, page.total - asked.begin))
        return asked.size > self._begun and page.rows != due

    def _fetch(self, page: Numbered) -> _Fetched:
        judged = tries_of_list if _smaller(page.size) else tries_of_small_list
        return self._api.fetch_list(
            self._project, self._names, page=page.number, size=page.size, tries=judged
        )


def _larger_and_larger(begin: int, end: int, *, size: int) -> Iterator[Numbered]:
    """Give the pages from ``begin`` tasks on: each as large as all before it, up to ``size``."""
    while begin < end:
        held = min(begin, size)
        yield Numbered(begin // held + 1, held)
        begin += held


def _make_smaller(queue: deque[Numbered], failed: Numbered) -> bool:
    """Put its parts in the place of a page, and of each that waits and is as large.

    Tells whether that could be done.
    """
    size = _smaller(failed.size)
    if not size:
        return False
    waiting = [failed, *queue]
    queue.clear()
    for page in waiting:
        queue.extend([page] if page.size < failed.size else _parts(page, size))
    return True


def _smaller(size: int) -> int:
    """Give a size of which ``size`` is a multiple, or 0 where there is none that is worth it."""
    parts = next((parts for parts in (2, 3, 5, 7) if size % parts == 0), size)
    return size // parts if size // parts >= SIZE_MIN else 0


def _end_at(last: Numbered, queue: deque[Numbered]) -> None:
    """Leave out the pages behind ``last``; parts of one before it may still wait."""
    before = [page for page in queue if page.begin < last.begin]
    queue.clear()
    queue.extend(before)


def _parts(page: Numbered, size: int) -> Sequence[Numbered]:
    parts = page.size // size
    return [Numbered(parts * (page.number - 1) + part, size) for part in range(1, parts + 1)]
