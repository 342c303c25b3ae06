"""A plan inside one process, against pages that were made in it: no network, no waiting.

``python -m tests.bench.planning engine|rules|floor|bare|memory FILE COUNT`` prints what it took, as
JSON. The pages are made beforehand, and giving them is measured apart and left out; for the
memory of the floor they are made one by one, as nobody else keeps them.
"""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from reconciler.cli.garbage_collection import relax_gc
from reconciler.contract.openapi import load_contract
from reconciler.engine.connection import Connection
from reconciler.engine.plan import build_plan
from reconciler.labelstudio.authentication import parse_token
from reconciler.labelstudio.bulk.cost import PAGE_SIZE, choose_page_size
from reconciler.labelstudio.bulk.pages import PageNumber, list_growing
from reconciler.labelstudio.client import Client
from reconciler.labelstudio.task_api import TaskApi
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import load_manifests
from tests.bench.data import Project
from tests.bench.floors import unequal
from tests.bench.pages import Canned, Pages

_INCLUDED: Final = "cancelled_annotations,data,id,inner_id,meta,overlap,project,total_annotations"
"""What a plan of these manifests asks for: the guards want the counters."""


def engine(file: Path, project: Project) -> dict[str, Any]:
    """Load and plan with the code of the project; ``load`` is the seconds of the manifests."""
    attributes = load_contract()
    pages = _made(project, _growing(project))
    kept = pages.kept
    canned = Canned(pages)
    credentials = parse_token("0" * 40)
    started = time.process_time()
    desired = load_manifests(find_manifests([str(file)]), attributes)
    loaded = time.process_time()
    with Client("http://label-studio.test", credentials, transport=canned) as client:
        plan = build_plan(desired, Connection(TaskApi(client, attributes), attributes))
    spent = time.process_time() - started
    if pages.kept != kept:
        raise SystemExit("the plan asked for other pages than were made beforehand")
    changed = [task.task for task in plan.updates]
    return {"cpu": spent - canned.spent, "load": loaded - started, "changed": changed}


def floor(
    file: Path, project: Project, *, bare: bool = False, beforehand: bool = True
) -> dict[str, Any]:
    """Do the least that a plan can cost, on the same file and the same tasks."""
    pages = _made(project, _equal(project)) if beforehand else Pages(project)
    served = _served(pages, project, _equal(project))
    started = time.process_time()
    changed = unequal(file, served, bare=bare)
    return {"cpu": time.process_time() - started, "changed": changed}


_KINDS: Final[dict[str, Callable[[Path, Project], dict[str, Any]]]] = {
    "engine": engine,
    "rules": engine,
    "floor": floor,
    "bare": partial(floor, bare=True),
    "memory": partial(floor, beforehand=False),
}


def _served(pages: Pages, project: Project, asked: Iterable[PageNumber]) -> Iterator[bytes]:
    """Give pages of a project."""
    for number, size in asked:
        query = f"project={project.number}&page={number}&page_size={size}&include={_INCLUDED}"
        yield pages.answer("/api/tasks/", query)[1]


def _made(project: Project, asked: Iterable[PageNumber]) -> Pages:
    """Make pages beforehand: what makes them meanwhile slows down who waits for them."""
    pages = Pages(project, keep=True)
    deque(_served(pages, project, asked), maxlen=0)
    return pages


def _equal(project: Project) -> Iterator[PageNumber]:
    """Name the pages of a project, all of one size."""
    return (PageNumber(page, PAGE_SIZE) for page in range(1, -(-project.count // PAGE_SIZE) + 1))


def _growing(project: Project) -> Iterator[PageNumber]:
    """Name the pages that a plan asks for, where answers take no time."""
    yield PageNumber(1, PAGE_SIZE)
    yield from list_growing(
        PAGE_SIZE, project.count, most=choose_page_size(project.count, seconds=0, length=0)
    )


def main(kind: str, file: str, count: str) -> None:
    """Measure one of the two, check that it found what there is, and print what it took."""
    relax_gc()  # As the command does; anybody may, so that the floor has it too.
    project = Project(int(count))
    took = _KINDS[kind](Path(file), project)
    if took.pop("changed") != list(project.ruled if kind == "rules" else project.changed):
        raise SystemExit(f"{kind} found other changes than there are")
    sys.stdout.write(json.dumps(took))


if __name__ == "__main__":
    main(*sys.argv[1:])
