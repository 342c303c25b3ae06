"""Plans of tasks with large values that differ: what it costs to show how.

``python -m tests.bench.large_values plan|floor CASE FORM FOLDER`` prints what it took, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from reconciler.cli.garbage_collection import relax_gc
from reconciler.contract.openapi import load_contract
from reconciler.core.plan_model import Plan
from reconciler.core.values import Json, is_same
from reconciler.engine.connection import Connection
from reconciler.engine.plan import build_plan
from reconciler.labelstudio.authentication import parse_token
from reconciler.labelstudio.client import Client
from reconciler.labelstudio.task_api import TaskApi
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import load_manifests
from reconciler.renderers import json as json_form
from reconciler.renderers import text as text_form
from reconciler.renderers.render_options import RenderOptions
from reconciler.renderers.style import Style
from tests.bench.data import LABEL_CONFIG, Declared
from tests.bench.floors import read, verdict
from tests.bench.pages import Canned

_WORDS: Final = "the quick brown fox jumps over the lazy dog\n" * 12_000


def _boxes(task: int, moved: int) -> Json:
    return [{"boxes": [{"x": n + moved, "y": n + task, "w": 10, "h": 20} for n in range(3_000)]}]


def _text(task: int, moved: int) -> Json:
    return f"{_WORDS}{task + moved}{_WORDS}"


def _wide(task: int, moved: int) -> Json:
    return [{f"key {n}": n + task + moved for n in range(100_000)}]


CASES: Final[dict[str, tuple[int, Callable[[int, int], Json]]]] = {
    "boxes": (30, _boxes),
    "text": (10, _text),
    "wide": (3, _wide),
}
"""How many tasks, and the value of each: live, and moved by one as it is declared."""


def write(case: str, folder: Path) -> Path:
    """Write the manifest of a case."""
    count, value = CASES[case]
    file = folder / f"{case}.jsonl"
    with file.open("w", encoding="utf-8") as lines:
        lines.write('{"version": 1, "project": 1}\n')
        for task in range(1, count + 1):
            lines.write(json.dumps({"id": task, "data": {"value": value(task, 1)}}) + "\n")
    return file


class Live:
    """Answers what a plan asks about the live tasks of a case."""

    def __init__(self, case: str) -> None:
        count, value = CASES[case]
        tasks = [
            {
                "id": task,
                "project": 1,
                "data": {"value": value(task, 0), "other": 1},
                "total_annotations": 0,
                "cancelled_annotations": 0,
            }
            for task in range(1, count + 1)
        ]
        self.page = json.dumps({"total": count, "tasks": tasks}).encode()

    def answer(self, path: str, query: str) -> tuple[int, bytes]:
        """Answer a GET; whatever tasks are asked for, all are given."""
        if path == "/api/version":
            return 200, b'{"release": "1.23.2", "edition": "Community"}'
        if path == "/api/tasks/":
            return 200, self.page
        known = {"id": 1, "label_config": LABEL_CONFIG}
        return 200, json.dumps(known if "projects" in path else {"query": query}).encode()


def plan(file: Path, live: Live, form: str) -> dict[str, Any]:
    """Load, plan and render with the code of the project; ``render`` is the seconds of the last."""
    attributes = load_contract()
    canned = Canned(live)
    started = time.process_time()
    desired = load_manifests(find_manifests([str(file)]), attributes)
    with Client("http://label-studio.test", parse_token("0"), transport=canned) as client:
        made = build_plan(desired, Connection(TaskApi(client, attributes), attributes))
    planned = time.process_time()
    written = _rendered(made, form)
    ended = time.process_time()
    return {
        "cpu": ended - started - canned.spent,
        "render": ended - planned,
        "changed": len(made.updates),
        "characters": len(written),
    }


def _rendered(made: Plan, form: str) -> str:
    if form == "json":
        return json_form.render_plan(made, RenderOptions())
    return text_form.render_plan(made, RenderOptions(style=Style()))


def floor(file: Path, live: Live, form: str) -> dict[str, Any]:
    """Read both sides and tell which tasks differ, and nothing else, whatever the form."""
    started = time.process_time()
    accepts = verdict()
    declared = {task["id"]: task for task in _accepted(read(file), accepts)}
    tasks = msgspec.json.decode(live.page)["tasks"]
    changed = [t for t in tasks if not _holds(declared[t["id"]], t)]
    spent = time.process_time() - started
    return {"cpu": spent, "changed": len(changed), "form": form}


def _accepted(tasks: Iterator[Declared], accepts: Callable[[object], bool]) -> Iterator[Declared]:
    for task in tasks:
        if not accepts(task):
            raise ValueError(task["id"])
        yield task


def _holds(declared: Declared, live: Declared) -> bool:
    return all(is_same(value, live["data"].get(key)) for key, value in declared["data"].items())


def main(kind: str, case: str, form: str, folder: str) -> None:
    """Measure one of the two, check that it found all tasks to differ, and print what it took."""
    relax_gc()
    file = Path(folder) / f"{case}.jsonl"
    took = (plan if kind == "plan" else floor)(file, Live(case), form)
    if took.pop("changed") != CASES[case][0]:
        raise SystemExit(f"{kind} found other changes than there are")
    sys.stdout.write(json.dumps(took))


if __name__ == "__main__":
    main(*sys.argv[1:])
