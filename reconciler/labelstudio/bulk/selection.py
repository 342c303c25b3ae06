"""Tasks of one project by their ids: batch by batch, and by halves where a task breaks one."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Generator, Iterator, Sequence
from concurrent.futures import Future
from http import HTTPStatus
from typing import TypeAlias

from reconciler.errors import NotFound, ServerError
from reconciler.labelstudio.bulk.cost import split_ids
from reconciler.labelstudio.bulk.pages import is_broken_by_task, is_too_heavy
from reconciler.labelstudio.bulk.prefetcher import Prefetcher
from reconciler.labelstudio.retry import RequestKind
from reconciler.labelstudio.task_api import Page, TaskApi

_FailedTask: TypeAlias = tuple[int, ServerError]
"""A task, and what the server said when it was asked for that alone."""


class Selection:
    """Reads tasks of one project, of which it knows the ids, ``at_most`` in a request."""

    def __init__(self, api: TaskApi, project: int, names: Collection[str], *, at_most: int) -> None:
        self._api = api
        self._project = project
        self._names = names
        self._at_most = at_most
        self._size_min = api.limits.size_min

    def read(self, ids: Sequence[int]) -> Iterator[Page | _FailedTask]:
        """Give pages with those that are in the project, and the tasks that break an answer.

        Raises ServerError where more fails than single tasks.
        """
        waiting: deque[Sequence[int]] = deque(split_ids(ids, at_most=self._at_most))
        if len(waiting) == 1:
            yield from self._sort_out(waiting.pop(), waiting)
        with Prefetcher(self._read_pages, self._api.read_concurrency) as prefetcher:
            for batch, answer in prefetcher.call_in_order(waiting):
                yield from self._sort_out(batch, waiting, answer)

    def _sort_out(
        self,
        ids: Sequence[int],
        waiting: deque[Sequence[int]],
        answer: Future[list[Page]] | None = None,
    ) -> Iterator[Page | _FailedTask]:
        """Give what a batch answered; what was too much for the server waits again, in parts."""
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
        """Find the tasks that break an answer with ``ids`` in it, by halves.

        Where one half is whole, the other need not be asked for as such: a broken task costs one
        request for each time that its batch can be halved. ``error`` is None where nobody asked.
        """
        if len(ids) == 1:
            yield from self._read_alone(ids[0], error)
            return
        middle = len(ids) // 2
        if (yield from self._read_half(ids[:middle])):
            yield from self._read_half(ids[middle:])
        else:
            yield from self._isolate(ids[middle:], None)

    def _read_half(self, ids: Sequence[int]) -> Generator[Page | _FailedTask, None, bool]:
        """Give what a half answers, or what breaks it; tells whether something does.

        An answer may break at once, on its first task, whose half is too much for the server.
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

    def _read_alone(self, task: int, error: ServerError | None) -> Iterator[Page | _FailedTask]:
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
        """Read page after page: servers may give shorter ones than asked for.

        A page that brings nothing new is the last, whatever the total says.
        """
        pages: list[Page] = []
        seen: set[int] = set()
        kind = self._choose_kind(len(ids))
        while True:
            number = len(pages) + 1
            try:
                page = self._api.fetch_list(
                    self._project, self._names, page=number, size=len(ids), ids=ids, kind=kind
                )()
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
        """Tell what a request for so many is: whether smaller ones may get what it cannot."""
        if size > self._size_min:
            return RequestKind.DIVISIBLE_LIST
        return RequestKind.SMALL_LIST if size > 1 else RequestKind.READ

    def _fails_by_its_size(self, error: ServerError, size: int) -> bool:
        """Tell whether a smaller batch might be answered; any address may be too long."""
        if error.status == HTTPStatus.REQUEST_URI_TOO_LONG:
            return size > 1
        return is_too_heavy(error) and size > self._size_min

    def _choose_smaller(self, error: ServerError, size: int) -> int:
        """Choose how many ids to try next, where so many were too much."""
        return max(size // 2, self._size_min if is_too_heavy(error) else 1)
