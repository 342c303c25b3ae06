"""The least that a plan can cost: read, judge, decode the pages, compare, and nothing else.

No conflicts, no problems, no places, no guards, no HTTP: what the engine takes beyond this is
the price of all that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import jsonschema_rs
import msgspec

from reconciler.contract.date_time import is_date_time
from reconciler.contract.location import locate_schema
from reconciler.core.values import is_same
from reconciler.manifest.readers.diagnostics import Diagnostics
from reconciler.manifest.readers.manifest_file import read_documents
from tests.bench.data import Declared


class LiveTask(msgspec.Struct):
    """A task of a page, with what the manifests of the bench declare."""

    id: int
    data: dict[str, Any]
    meta: dict[str, Any]
    overlap: int
    inner_id: int


class LivePage(msgspec.Struct):
    """A page of the task list."""

    tasks: list[LiveTask]


def unequal(file: Path, pages: Iterable[bytes], *, bare: bool = False) -> list[int]:
    """Find the tasks that are not as the manifest declares, in the order of the pages.

    With ``bare`` the lines of the file are decoded and nothing else.
    """
    accepts = verdict()
    desired: dict[int, Declared] = {}
    for task in _decoded(file) if bare else read(file):
        if not accepts(task):
            raise ValueError(task)
        desired[task["id"]] = task
    decode = msgspec.json.Decoder(LivePage).decode
    return [
        live.id
        for page in pages
        for live in decode(page).tasks
        if not _as_declared(desired[live.id], live)
    ]


def read(file: Path) -> Iterator[Declared]:
    """Read with the readers of the project: the floor is under the rest."""
    diagnostics = Diagnostics(str(file))
    for document in read_documents(str(file), diagnostics):
        for _, task, _ in document.read_tasks():
            yield cast("Declared", task)


def _decoded(file: Path) -> Iterator[Declared]:
    """Decode line by line, and believe what there is: that no key stands twice, and the like."""
    decode = msgspec.json.Decoder().decode
    with file.open("rb") as lines:
        next(lines)
        yield from map(decode, lines)


def verdict() -> Callable[[object], bool]:
    """Give what judges a task by the schema of manifests."""
    schema = json.loads(locate_schema("manifest.schema.json").read_text(encoding="utf-8"))
    task = {
        "$schema": schema["$schema"],
        "$ref": "#/definitions/task",
        "definitions": schema["definitions"],
    }
    formats = {"date-time": is_date_time}
    validator = jsonschema_rs.Draft7Validator(task, formats=formats, validate_formats=True)
    return validator.is_valid


def _as_declared(declared: Declared, live: LiveTask) -> bool:
    return (
        is_same(declared["overlap"], live.overlap)
        and is_same(declared["inner_id"], live.inner_id)
        and _merged(declared["data"], live.data)
        and _merged(declared["meta"], live.meta)
    )


def _merged(declared: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Compare what is declared of an object; keys beside it are nobody's."""
    for key, value in declared.items():
        if key not in live:
            return False
        found = live[key]
        if isinstance(value, dict) and isinstance(found, dict):
            if not _merged(value, found):
                return False
        elif not is_same(value, found):
            return False
    return True
