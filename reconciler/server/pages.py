"""A whole project, page by page: a few pages under way at once, in the order of the project."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from http import HTTPStatus
from math import ceil
from typing import Final, NamedTuple, TypeAlias

from reconciler.errors import Broken, NotFound, ServerError, TimedOut
from reconciler.server.ahead import AT_ONCE, Ahead
from reconciler.server.cost import PAGE_SIZE
from reconciler.server.task_api import Page, TaskApi

SIZE_MIN: Final = 125
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


def too_heavy(error: ServerError) -> bool:
    """Tell whether an answer failed in a way that a smaller one might not."""
    return isinstance(error, TimedOut) or error.status in _TOO_HEAVY


def breaks_on_a_task(error: ServerError) -> bool:
    """Tell whether an answer failed as it does when one task in it cannot be written."""
    return isinstance(error, Broken) and error.status == HTTPStatus.INTERNAL_SERVER_ERROR


class ProjectPages:
    """The pages of one project. `first` is to be read before there can be `more`."""

    def __init__(self, api: TaskApi, project: int, names: Collection[str]) -> None:
        self._api = api
        self._project = project
        self._names = names
        self._size = PAGE_SIZE
        self._received = 0
        self._asked = 0
        self._passed = 0
        self._density = 1.0
        self._steady = True
        self._failed_in_a_row = 0
        self.total = 0
        self.seconds = 0.0

    @property
    def size(self) -> int:
        """Tasks a page, after what the server was found to give."""
        return self._size

    @property
    def complete(self) -> bool:
        """Whether every task that the project counts has been shown.

        Then no page failed or came short, and nothing was created or deleted meanwhile.
        """
        return self._steady and self._received == self.total

    def expected(self, *, up_to: int) -> int:
        """Estimate how many more tasks the pages show until the id ``up_to`` has been passed.

        Ids are counted over all projects: how dense they lie in this one is taken from the last
        page that has come.
        """
        ahead = max(0, up_to + 1 - self._passed)
        return min(max(0, self.total - self._asked), ceil(ahead * self._density))

    def first(self) -> Page:
        """Read the first page, a smaller one where the server cannot; raises ServerError."""
        while True:
            started = time.monotonic()
            try:
                page = self._fetch(Numbered(1, self._size))()
            except ServerError as error:
                if not too_heavy(error) or self._size // 2 < SIZE_MIN:
                    raise
                self._size //= 2
            else:
                self.seconds = time.monotonic() - started
                self._begin(page)
                return page

    def _begin(self, page: Page) -> None:
        if 0 < len(page.tasks) < min(self._size, page.total):
            # The server gives no more than so many, whatever is asked for.
            self._size = len(page.tasks)
        self.total = page.total
        self._asked = self._size
        self._take(page)

    def _take(self, page: Page) -> None:
        self._received += len(page.tasks)
        self._steady = self._steady and page.total == self.total
        if page.tasks:
            low, high = min(page.tasks), max(page.tasks) + 1
            self._density = len(page.tasks) / (high - low)
            self._passed = max(high, self._passed)

    def has_passed(self, task: int) -> bool:
        """Tell whether no page is left that could show the id ``task``."""
        return self._asked >= self.total or self._passed > task

    def more(self, *, up_to: int) -> Iterator[Page]:
        """Read as many of the other pages as it is `expected` to take to pass the id ``up_to``.

        Pages that fail are left out: their tasks are for others to ask for. Raises ServerError
        where the server fails on more than single tasks.
        """
        first = self._asked // self._size + 1
        count = max(1, ceil(self.expected(up_to=up_to) / self._size))
        queue = deque(Numbered(first + n, self._size) for n in range(count))
        self._asked += count * self._size
        yield from self._read(queue)

    def _read(self, queue: deque[Numbered]) -> Iterator[Page]:
        for numbered, answer in self._ahead(queue):
            try:
                page = answer.result()()
            except NotFound:
                # Fewer tasks than there were: the list ends before this page.
                self._steady = False
                self._asked = self.total
            except ServerError as error:
                self._steady = False
                self._failed_in_a_row += 1
                smaller = too_heavy(error) and self._make_smaller(queue, numbered)
                many = self._failed_in_a_row == FAILED_MAX
                if many or not (smaller or breaks_on_a_task(error)):
                    raise
            else:
                self._failed_in_a_row = 0
                self._take(page)
                yield page

    def _ahead(self, queue: deque[Numbered]) -> Iterator[tuple[Numbered, Future[_Fetched]]]:
        """Ask for the pages of ``queue``, which may change meanwhile, a few at a time."""
        under_way: deque[tuple[Numbered, Future[_Fetched]]] = deque()
        with Ahead(self._fetch) as ahead:
            while queue or under_way:
                while queue and len(under_way) < AT_ONCE:
                    numbered = queue.popleft()
                    under_way.append((numbered, ahead.submit(numbered)))
                yield under_way.popleft()

    def _fetch(self, page: Numbered) -> _Fetched:
        return self._api.fetch_list(self._project, self._names, page=page.number, size=page.size)

    def _make_smaller(self, queue: deque[Numbered], failed: Numbered) -> bool:
        """Put two halves in the place of a page, and of those that wait and are as large.

        Tells whether that could be done.
        """
        size, rest = divmod(failed.size, 2)
        if rest or size < SIZE_MIN:
            return False
        self._size = min(self._size, size)
        waiting = [failed, *queue]
        queue.clear()
        for page in waiting:
            queue.extend([page] if page.size < failed.size else _halves(page))
        return True


def _halves(page: Numbered) -> Sequence[Numbered]:
    size = page.size // 2
    return Numbered(2 * page.number - 1, size), Numbered(2 * page.number, size)
