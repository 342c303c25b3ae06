"""A whole project, page by page: a few pages under way at once, in the order of the project."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from http import HTTPStatus
from math import ceil
from typing import Final, TypeAlias

from reconciler.errors import Broken, NotFound, ServerError, TimedOut
from reconciler.labelstudio.bulk.cost import PAGE_SIZE, choose_page_size
from reconciler.labelstudio.bulk.numbered import (
    Numbered,
    divide,
    drop_after,
    find_smaller_size,
    list_growing,
    make_smaller,
)
from reconciler.labelstudio.bulk.prefetcher import Prefetcher
from reconciler.labelstudio.retry import (
    Tries,
    tries_of_larger_list,
    tries_of_list,
    tries_of_small_list,
)
from reconciler.labelstudio.task_api import Page, TaskApi

FAILED_MAX: Final = 20
"""Pages in a row that fail, after which it is not single tasks that break them."""

_TOO_HEAVY: Final = frozenset(
    {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
)


_Fetched: TypeAlias = Callable[[], Page]
"""A page that has come, and is decoded when it is called for."""


def is_too_heavy(error: ServerError) -> bool:
    """Tell whether an answer failed in a way that a smaller one might not."""
    return isinstance(error, TimedOut) or error.status in _TOO_HEAVY


def is_broken_by_task(error: ServerError) -> bool:
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
        self._size = self._size_max = PAGE_SIZE
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

    def expected(self, *, up_to: int) -> int:
        """Estimate how many tasks more whole pages show until the id ``up_to`` has been passed.

        Ids are counted over all projects: how dense they lie in this one is taken from the last
        page that has come.
        """
        pages = ceil((up_to + 1 - self._passed) * self._density / self._size)
        return max(0, min(self.total - self._received, pages * self._size))

    def requests(self, tasks: int) -> int:
        """Tell how many pages hold so many tasks behind the first."""
        return sum(1 for _ in list_growing(self._size, self._size + tasks, most=self._size_max))

    def first(self) -> Page:
        """Read the first page, a smaller one where the server cannot; raises ServerError."""
        while True:
            started = time.monotonic()
            try:
                page = self._fetch(Numbered(1, self._size))()
            except ServerError as error:
                if not is_too_heavy(error) or not find_smaller_size(self._size):
                    raise
                self._size = find_smaller_size(self._size)
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
        if self._size == PAGE_SIZE:
            self._size_max = choose_page_size(page.total, seconds=self.seconds, length=page.length)
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
        queue = deque(list_growing(self._size, min(self.total, up_to), most=self._size_max))

        def to_come() -> float:
            # Those behind ``up_to`` would be read for nothing.
            return self.expected(up_to=up_to) / queue[0].size if queue else 0

        with Prefetcher(self._fetch, self._api.pace) as ahead:
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
                drop_after(queue, numbered)
                continue
            except ServerError as error:
                if numbered.size > self._size:
                    self._as_large_as_the_first(queue, numbered, alone=is_broken_by_task(error))
                    continue
                steady = False
                failed_in_a_row += 1
                divided = is_too_heavy(error) and make_smaller(queue, numbered)
                if failed_in_a_row == FAILED_MAX or not (divided or is_broken_by_task(error)):
                    raise
                continue
            if numbered.size > self._size and self._is_cut(numbered, page):
                self._as_large_as_the_first(queue, numbered)
                continue
            failed_in_a_row = 0
            self._count(page)
            steady = steady and page.total == self.total
            yield page
            if max(page.tasks, default=up_to) >= up_to:
                drop_after(queue, numbered)
        self.complete = steady and self._received == self.total

    def _is_cut(self, asked: Numbered, page: Page) -> bool:
        """Tell whether a page larger than the first is cut, or one before it was.

        The server counts pages by what it gives: those behind show other tasks than were meant.
        """
        due = min(asked.size, page.total - asked.begin)
        return asked.size > self._size_max or page.rows < due

    def _as_large_as_the_first(
        self, queue: deque[Numbered], failed: Numbered, *, alone: bool = False
    ) -> None:
        """Ask for a larger page in parts that the server gives, and ``alone`` or with all others.

        All stay in the order of the project: those under way behind it are divided as they come.
        """
        if not alone:
            self._size_max = self._size
        divide(queue, failed, self._size, alone=alone)

    def _fetch(self, page: Numbered) -> _Fetched:
        if page.size > self._size:
            judged: Tries = tries_of_larger_list
        else:
            judged = tries_of_list if find_smaller_size(page.size) else tries_of_small_list
        return self._api.fetch_list(
            self._project, self._names, page=page.number, size=page.size, tries=judged
        )
