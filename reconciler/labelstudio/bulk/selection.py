"""Reading tasks of one project by id: in batches, which are halved if a task breaks one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from http import HTTPStatus
from typing import Protocol, TypeAlias

from reconciler.errors import NotFound, ServerError
from reconciler.labelstudio.bulk.cost import split_ids
from reconciler.labelstudio.bulk.pages import is_broken_by_task, is_too_heavy
from reconciler.labelstudio.bulk.prefetcher import Prefetcher
from reconciler.labelstudio.bulk.read_concurrency import ReadConcurrency
from reconciler.labelstudio.retry import RequestKind
from reconciler.labelstudio.task_api import Page

_FailedTask: TypeAlias = tuple[int, ServerError]
"""A task, and the error of the server when only this task was requested."""


class FetchSelection(Protocol):
    """Requests one page of the tasks with these ids; the function it returns decodes that page."""

    def __call__(
        self, *, page: int, size: int, ids: Sequence[int], kind: RequestKind
    ) -> Callable[[], Page]:
        """Request the page."""
        ...


class Selection:
    """Reads tasks of one project by their ids, at most ``at_most`` per request.

    A request for ``size_min`` tasks does not fail because of its size.
    """

    def __init__(
        self,
        fetch: FetchSelection,
        read_concurrency: ReadConcurrency,
        *,
        at_most: int,
        size_min: int,
    ) -> None:
        self._fetch = fetch
        self._read_concurrency = read_concurrency
        self._at_most = at_most
        self._size_min = size_min

    def read(self, ids: Sequence[int]) -> Iterator[Page | _FailedTask]:
        """Yield pages with the tasks that are in the project, and each task that breaks a response.

        Raises ServerError if the server fails on more than single tasks.
        """
        waiting: deque[Sequence[int]] = deque(split_ids(ids, at_most=self._at_most))
        if len(waiting) == 1:
            yield from self._yield_batch(waiting.pop(), waiting)
        with Prefetcher(self._read_pages, self._read_concurrency) as prefetcher:
            for batch, answer in prefetcher.call_in_order(waiting):
                yield from self._yield_batch(batch, waiting, answer)

    def _yield_batch(
        self,
        ids: Sequence[int],
        waiting: deque[Sequence[int]],
        answer: Future[list[Page]] | None = None,
    ) -> Iterator[Page | _FailedTask]:
        """Yield the pages of a batch; if it was too large, put it back in parts."""
        try:
            yield from answer.result() if answer else self._read_pages(ids)
        except ServerError as error:
            if is_broken_by_task(error):
                yield from self._isolate(ids, error)
            elif self._fails_by_its_size(error, len(ids)):
                self._at_most = min(self._at_most, self._choose_smaller(error, len(ids)))
                again = [*ids, *(task for batch in waiting for task in batch)]
                waiting.clear()
                waiting.extend(split_ids(again, at_most=self._at_most))
            else:
                raise

    def _isolate(
        self, ids: Sequence[int], error: ServerError | None
    ) -> Iterator[Page | _FailedTask]:
        """Find the tasks that break a response for ``ids``, by halving.

        If the first half succeeds, the second must be broken, and is halved without a request: a
        broken task costs one request for each halving. ``error`` is that of the request for
        ``ids``, or None without one.
        """
        if len(ids) == 1:
            yield from self._read_single(ids[0], error)
            return
        middle = len(ids) // 2
        if (yield from self._read_half(ids[:middle])):
            yield from self._read_half(ids[middle:])
        else:
            yield from self._isolate(ids[middle:], None)

    def _read_half(self, ids: Sequence[int]) -> Generator[Page | _FailedTask, None, bool]:
        """Yield the pages of a half, or the tasks that break it; returns whether a task does.

        A half may be too large for the server, even if the whole failed sooner on a broken task.
        """
        try:
            pages = self._read_pages(ids)
        except ServerError as error:
            if is_broken_by_task(error):
                yield from self._isolate(ids, error)
                return True
            if not self._fails_by_its_size(error, len(ids)):
                raise
            middle = len(ids) // 2
            left = yield from self._read_half(ids[:middle])
            right = yield from self._read_half(ids[middle:])
            return left or right
        yield from pages
        return False

    def _read_single(self, task: int, error: ServerError | None) -> Iterator[Page | _FailedTask]:
        if error is None:
            try:
                yield from self._read_pages([task])
            except ServerError as found:
                if not is_broken_by_task(found):
                    raise
                error = found
        if error is not None:
            yield task, error

    def _read_pages(self, ids: Sequence[int]) -> list[Page]:
        """Read page after page, as servers may return fewer tasks than requested.

        A page without new tasks is the last, whatever the total says.
        """
        pages: list[Page] = []
        seen: set[int] = set()
        kind = self._choose_kind(len(ids))
        while True:
            number = len(pages) + 1
            try:
                page = self._fetch(page=number, size=len(ids), ids=ids, kind=kind)()
            except NotFound:
                if number > 1:
                    return pages
                raise
            new = page.tasks.keys() - seen
            seen |= new
            pages.append(page)
            if len(seen) >= page.total or not new:
                return pages

    def _choose_kind(self, size: int) -> RequestKind:
        """Choose the kind of a request for ``size`` tasks: whether smaller requests may help."""
        if size > self._size_min:
            return RequestKind.DIVISIBLE_LIST
        return RequestKind.SMALL_LIST if size > 1 else RequestKind.READ

    def _fails_by_its_size(self, error: ServerError, size: int) -> bool:
        """Tell whether a smaller batch might succeed; an address of any size may be too long."""
        if error.status == HTTPStatus.REQUEST_URI_TOO_LONG:
            return size > 1
        return is_too_heavy(error) and size > self._size_min

    def _choose_smaller(self, error: ServerError, size: int) -> int:
        """Choose how many ids to request next if ``size`` were too many."""
        return max(size // 2, self._size_min if is_too_heavy(error) else 1)
