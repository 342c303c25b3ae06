"""A plan inside one process, against pages that are made in it: no network, no waiting.

``python -m tests.bench.planning engine|floor|bare FILE COUNT`` prints what it took, as JSON. The
CPU that goes into making the pages is measured apart and left out of all.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from reconciler.cli.garbage import look_rarely
from reconciler.contract.openapi import load_contract
from reconciler.manifest.loader import load_manifests
from reconciler.server.client import Client
from reconciler.server.planning import make_plan
from reconciler.server.task_api import TaskApi
from reconciler.server.tokens import credentials_of
from tests.bench.data import Project
from tests.bench.floors import unequal
from tests.bench.pages import Canned, Pages

PAGE: Final = 1_000
_INCLUDED: Final = "cancelled_annotations,data,id,inner_id,meta,overlap,project,total_annotations"
"""What a plan of these manifests asks for: the guards want the counters."""


def engine(file: Path, project: Project) -> dict[str, Any]:
    """Load and plan with the code of the project; ``load`` is the seconds of the manifests."""
    attributes = load_contract()
    canned = Canned(Pages(project))
    credentials = credentials_of("0" * 40)
    started = time.process_time()
    desired = load_manifests([str(file)], attributes)
    loaded = time.process_time()
    with Client("http://label-studio.test", credentials, transport=canned) as client:
        plan = make_plan(desired, TaskApi(client, attributes), attributes)
    spent = time.process_time() - started
    changed = [task.task for task in plan.updates]
    return {"cpu": spent - canned.spent, "load": loaded - started, "changed": changed}


def floor(file: Path, project: Project, *, bare: bool = False) -> dict[str, Any]:
    """Do the least that a plan can cost, on the same file and the same tasks."""
    served = _Served(Pages(project), project)
    started = time.process_time()
    changed = unequal(file, served, bare=bare)
    return {"cpu": time.process_time() - started - served.spent, "changed": changed}


_KINDS: Final[dict[str, Callable[[Path, Project], dict[str, Any]]]] = {
    "engine": engine,
    "floor": floor,
    "bare": partial(floor, bare=True),
}


class _Served:
    """The pages of a whole project; ``spent`` is the CPU that making them took, in seconds."""

    def __init__(self, pages: Pages, project: Project) -> None:
        self.spent = 0.0
        self._pages = pages
        self._project = project

    def __iter__(self) -> Iterator[bytes]:
        for page in range(1, -(-self._project.count // PAGE) + 1):
            started = time.thread_time()
            asked = f"project={self._project.number}&page={page}&page_size={PAGE}"
            _, body = self._pages.answer("/api/tasks/", f"{asked}&include={_INCLUDED}")
            self.spent += time.thread_time() - started
            yield body


def main(kind: str, file: str, count: str) -> None:
    """Measure one of the two, check that it found what there is, and print what it took."""
    look_rarely()  # As the command does; anybody may, so that the floor has it too.
    project = Project(int(count))
    took = _KINDS[kind](Path(file), project)
    if took.pop("changed") != list(project.changed):
        raise SystemExit(f"{kind} found other changes than there are")
    sys.stdout.write(json.dumps(took))


if __name__ == "__main__":
    main(*sys.argv[1:])
