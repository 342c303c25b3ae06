"""Reading the annotations of tasks, many tasks in a request, without running a model.

Measured on 1.23.2: 100 tasks with 200 annotations take 0.5 s in one list, and 9 s in a request for
each task; the list shows skipped annotations, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from reconciler.core.values import Json
from reconciler.labelstudio.bulk.cost import split_ids
from reconciler.labelstudio.bulk.selection import Selection
from reconciler.labelstudio.task_api import Page, TaskApi

BATCH: Final = 100
"""Tasks of a request; the annotations of each may be large. A few responses are in memory."""


def count_requests(ids: Sequence[int]) -> int:
    """Count the requests for the annotations of some tasks of one project, if none fails."""
    return sum(1 for _ in split_ids(ids, at_most=BATCH))


def read_annotations(
    api: TaskApi, project: int, ids: Sequence[int], *, may_run_models: bool
) -> Iterator[Mapping[int, Json]]:
    """Read the annotations of some tasks of one project, response by response.

    Tasks that the server does not list, or fails on, are in no response. Of one whose annotations
    it does not show, they are None. Raises ServerError.
    """
    fetch = partial(api.fetch_annotations, project, may_run_models=may_run_models)
    selection = Selection(fetch, api.read_concurrency, at_most=BATCH, size_min=1)
    for found in selection.read(ids):
        if isinstance(found, Page):
            yield {task: row.get("annotations") for task, row in found.tasks.items()}
