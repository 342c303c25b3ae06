"""Tasks of one project by their ids: batch by batch, and by halves where a task breaks one."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Generator, Iterator, Sequence
from concurrent.futures import Future
from http import HTTPStatus
from typing import TypeAlias

from reconciler.errors import NotFound, ServerError
from reconciler.labelstudio.bulk.cost import BATCH, split_ids
from reconciler.labelstudio.bulk.numbered import SIZE_MIN
from reconciler.labelstudio.bulk.pages import is_broken_by_task, is_too_heavy
from reconciler.labelstudio.bulk.prefetcher import Prefetcher
from reconciler.labelstudio.retry import Tries, tries, tries_of_list, tries_of_small_list
from reconciler.labelstudio.task_api import Page, TaskApi

_Failed: TypeAlias = tuple[int, ServerError]
"""A task, and what the server said when it was asked for that alone."""


class Selection:
    """Reads tasks of one project, of which it knows the ids, ``at_most`` in a request."""

    def __init__(
        self, api: TaskApi, project: int, names: Collection[str], *, at_most: int = BATCH
    ) -> None:
        self._api = api
        self._project = project
        self._names = names
        self._at_most = at_most

    def read(self, ids: Sequence[int]) -> Iterator[Page | _Failed]:
        """Give pages with those that are in the project, and the tasks that break an answer.

        Raises ServerError where more fails than single tasks.
        """
        waiting: deque[Sequence[int]] = deque(split_ids(ids, at_most=self._at_most))
        if len(waiting) == 1:
            yield from self._judged(waiting.pop(), waiting)
        with Prefetcher(self._pages, self._api.pace) as ahead:
            for batch, answer in ahead.in_order(waiting):
                yield from self._judged(batch, waiting, answer)

    def _judged(
        self,
        ids: Sequence[int],
        waiting: deque[Sequence[int]],
        answer: Future[list[Page]] | None = None,
    ) -> Iterator[Page | _Failed]:
        """Give what a batch answered; what was too much for the server waits again, in parts."""
        try:
            yield from answer.result() if answer else self._pages(ids)
        except ServerError as error:
            if is_broken_by_task(error):
                yield from self._isolated(ids, error)
            elif _fails_by_its_size(error, len(ids)):
                self._at_most = min(self._at_most, _choose_smaller(error, len(ids)))
                again = [*ids, *(task for batch in waiting for task in batch)]
                waiting.clear()
                waiting.extend(split_ids(again, at_most=self._at_most))
            else:
                raise

    def _isolated(self, ids: Sequence[int], error: ServerError | None) -> Iterator[Page | _Failed]:
        """Find the tasks that break an answer with ``ids`` in it, by halves.

        Where one half is whole, the other need not be asked for as such: a broken task costs one
        request for each time that its batch can be halved. ``error`` is None where nobody asked.
        """
        if len(ids) == 1:
            yield from self._alone(ids[0], error)
            return
        middle = len(ids) // 2
        if (yield from self._half(ids[:middle])):
            yield from self._half(ids[middle:])
        else:
            yield from self._isolated(ids[middle:], None)

    def _half(self, ids: Sequence[int]) -> Generator[Page | _Failed, None, bool]:
        """Give what a half answers, or what breaks it; tells whether something does.

        An answer may break at once, on its first task, whose half is too much for the server.
        """
        try:
            pages = self._pages(ids)
        except ServerError as error:
            if is_broken_by_task(error):
                yield from self._isolated(ids, error)
                return True
            if not _fails_by_its_size(error, len(ids)):
                raise
            middle = len(ids) // 2
            left = yield from self._half(ids[:middle])
            right = yield from self._half(ids[middle:])
            return left or right
        yield from pages
        return False

    def _alone(self, task: int, error: ServerError | None) -> Iterator[Page | _Failed]:
        if error is None:
            try:
                yield from self._pages([task])
            except ServerError as found:
                if not is_broken_by_task(found):
                    raise
                error = found
        if error is not None:
            yield task, error

    def _pages(self, ids: Sequence[int]) -> list[Page]:
        """Read page after page: servers may give shorter ones than asked for.

        A page that brings nothing new is the last, whatever the total says.
        """
        pages: list[Page] = []
        seen: set[int] = set()
        judged = _choose_tries(len(ids))
        while True:
            number = len(pages) + 1
            try:
                page = self._api.fetch_list(
                    self._project, self._names, page=number, size=len(ids), ids=ids, tries=judged
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


def _choose_tries(size: int) -> Tries:
    """Tell how to judge an error of so many: what smaller ones may mend is not asked again."""
    if size > SIZE_MIN:
        return tries_of_list
    return tries_of_small_list if size > 1 else tries


def _fails_by_its_size(error: ServerError, size: int) -> bool:
    """Tell whether a smaller batch might be answered; an address may be too long at any size."""
    if error.status == HTTPStatus.REQUEST_URI_TOO_LONG:
        return size > 1
    return is_too_heavy(error) and size > SIZE_MIN


def _choose_smaller(error: ServerError, size: int) -> int:
    """Tell how many ids to try next, where so many were too much."""
    return max(size // 2, SIZE_MIN if is_too_heavy(error) else 1)
