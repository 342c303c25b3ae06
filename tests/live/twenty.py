"""Tasks that manifests declare otherwise than they are, in five ways."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live.under_test import ServerUnderTest

WAYS: tuple[dict[str, Any], ...] = (
    {"overlap": 3},
    {"data": {"text": "another text"}},
    {"data": {"source": {"crawl": "2026-10"}}, "meta": {"reviewer": None}},
    {"absent": ["data.old", "meta.gone"]},
    {"overlap": 2, "data": {"kept": {"a": [2, 1]}}, "meta": {"n": 1}},
)
_OF_EVERY_WRITE = frozenset({"updated_at", "updated_by"})


@dataclass(frozen=True, slots=True)
class Declared:
    """Tasks in a project of their own, and the manifest that declares every one otherwise."""

    server: ServerUnderTest
    project: int
    ids: Sequence[int]

    def manifest(self) -> str:
        tasks = [{"id": task, **WAYS[n % len(WAYS)]} for n, task in enumerate(self.ids)]
        document = {"version": 1, "project": self.project, "tasks": tasks}
        Path("tasks.json").write_text(json.dumps(document), encoding="utf-8")
        return "tasks.json"

    def stored(self) -> dict[int, dict[str, Any]]:
        """Give each task as it is, but for what every write changes."""
        tasks = self.server.listed(self.project, fields="all", page_size=len(self.ids))
        return {
            task["id"]: {name: v for name, v in task.items() if name not in _OF_EVERY_WRITE}
            for task in tasks
        }


def declared(server: ServerUnderTest, count: int = 20) -> Declared:
    project = server.make_project()
    items = [
        {
            "data": {"text": f"text {n}", "old": n, "kept": {"a": [1.0, None], "b": 10**20}},
            "meta": {"gone": n, "theirs": {"a": "é"}},
        }
        for n in range(count)
    ]
    return Declared(server, project, server.import_tasks(project, items))


def written(task: dict[str, Any], place: int) -> dict[str, Any]:
    """Say by hand what the task at a place of the manifest must become."""
    data, meta = dict(task["data"]), dict(task["meta"])
    changed: dict[str, Any] = {"data": data, "meta": meta}
    match place % len(WAYS):
        case 0:
            changed["overlap"] = 3
        case 1:
            data["text"] = "another text"
        case 2:
            data["source"] = {"crawl": "2026-10"}
            meta["reviewer"] = None
        case 3:
            del data["old"], meta["gone"]
        case _:
            changed["overlap"] = 2
            data["kept"] = {**data["kept"], "a": [2, 1]}
            meta["n"] = 1
    return {**task, **changed}
