"""Rich tasks: pictures with thousands of boxes, long chats, texts of a megabyte.

``python -m tests.bench.rich validate|floor|plan|least FILE`` prints the seconds of CPU that it
took, as JSON; start-up is left out.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, cycle, islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import jiter
import msgspec

from reconciler.cli.garbage_collection import relax_gc
from reconciler.contract.openapi import load_contract
from reconciler.core.values import is_same
from reconciler.engine.connection import Connection
from reconciler.engine.plan import build_plan
from reconciler.labelstudio.authentication import parse_token
from reconciler.labelstudio.client import Client
from reconciler.labelstudio.task_api import TaskApi
from reconciler.manifest.files import find_manifests
from reconciler.manifest.loader import check_manifests, load_manifests
from tests.bench.data import Declared, text_of
from tests.bench.measure import averaged, child, in_turn
from tests.bench.options import Options, tell
from tests.bench.pages import Canned
from tests.bench.table import Budget, Row, Section

CHANGED_EVERY: Final = 20
_VALIDATE: Final = Budget(ratio=2)
_PLAN: Final = Budget(ratio=1.5)


def _boxes(task: int) -> Any:  # noqa: ANN401 - JSON
    """Make the boxes of one picture: 130 kB."""
    numbers = range(task, task + 3_000)
    return [
        {"x": n * 7 % 4000, "y": n * 11 % 3000, "w": n % 97 / 7, "h": n % 89 / 9} for n in numbers
    ]


def _chat(task: int) -> Any:  # noqa: ANN401 - JSON
    """Make the messages of one chat: 140 kB."""
    return [
        {"role": "user" if n % 2 else "assistant", "content": f'"{text_of(task + n)}?"\n', "at": n}
        for n in range(700)
    ]


def _text(task: int) -> Any:  # noqa: ANN401 - JSON
    """Make one text of a megabyte."""
    return "\n".join(text_of(task + n) for n in range(6_700))


_KINDS: Final = {"boxes": _boxes, "chat": _chat, "text": _text}
_IN_TURN: Final = ("boxes",) * 7 + ("chat",) * 7 + ("text",)
"""As many bytes of each kind."""


def tasks(megabytes: int) -> Iterator[Declared]:
    """Give so many bytes of tasks as they are on the server, at least one of each kind."""
    kinds = islice(cycle(_IN_TURN), max(1, megabytes // 3) * len(_IN_TURN))
    return (
        {"id": task, "data": {kind: _KINDS[kind](task)}} for task, kind in enumerate(kinds, start=1)
    )


def _declared(live: Declared) -> Declared:
    """Declare of one task in so many another key beside the rich one."""
    new = {"new": True} if live["id"] % CHANGED_EVERY == 0 else {}
    return {"id": live["id"], "data": {**live["data"], **new}}


def write_rich(megabytes: int, file: Path) -> Path:
    """Write a manifest of rich tasks; YAML is written as its flow style, which JSON nearly is."""
    header = {"version": 1, "project": 1}
    lines = (json.dumps(_declared(task), ensure_ascii=False) for task in tasks(megabytes))
    with file.open("w", encoding="utf-8") as output:
        if file.suffix == ".jsonl":
            output.writelines(f"{line}\n" for line in chain([json.dumps(header)], lines))
        elif file.suffix == ".json":
            output.write(json.dumps(header)[:-1] + ', "tasks": [\n')
            output.writelines(chain([next(lines)], (f",\n{line}" for line in lines), ["\n]}\n"]))
        else:
            output.write("version: 1\nproject: 1\ntasks:\n")
            output.writelines(f"  - {line}\n" for line in lines)
    return file


class RichPages:
    """Answers a plan's requests about the tasks that a manifest declares."""

    def __init__(self, megabytes: int) -> None:
        self._tasks = [
            json.dumps({**task, "project": 1, "total_annotations": 0, "cancelled_annotations": 0})
            for task in tasks(megabytes)
        ]

    def answer(self, path: str, query: str) -> tuple[int, bytes]:
        """Answer a GET with a status and JSON."""
        if path == "/api/version":
            return 200, b'{"release": "1.23.2", "edition": "Community"}'
        if path == "/api/tasks/":
            return self.page(query)
        return 404, b'{"status_code":404,"detail":"Not found."}'

    def page(self, query: str) -> tuple[int, bytes]:
        """Answer with one page."""
        given = {name: values[-1] for name, values in parse_qs(query).items()}
        size, number = int(given["page_size"]), int(given.get("page", 1))
        listed = self._tasks[(number - 1) * size : number * size]
        if not listed:
            return 404, b'{"status_code":404,"detail":"Invalid page."}'
        total = f'{{"total":{len(self._tasks)},"tasks":['
        return 200, (total + ",".join(listed) + "]}").encode()


def validate(file: Path, _: int) -> float:
    """Check a manifest as ``validate`` does."""
    attributes = load_contract()
    started = time.process_time()
    check_manifests(find_manifests([str(file)]), attributes)
    return time.process_time() - started


def floor(file: Path, _: int) -> float:
    """Decode with jiter, which finds duplicate keys, and hash the bytes once; nothing else."""
    started = time.process_time()
    content = file.read_bytes()
    for text in content.split(b"\n") if file.suffix == ".jsonl" else [content]:
        if text:
            jiter.from_json(text, catch_duplicate_keys=True)
            hash(text)
    return time.process_time() - started


def plan(file: Path, megabytes: int) -> float:
    """Load and plan, the network and the making of pages left out."""
    attributes = load_contract()
    canned = Canned(RichPages(megabytes))
    started = time.process_time()
    desired = load_manifests(find_manifests([str(file)]), attributes)
    credentials = parse_token("0" * 40)
    with Client("http://label-studio.test", credentials, transport=canned) as client:
        found = build_plan(desired, Connection(TaskApi(client, attributes), attributes))
    spent = time.process_time() - started - canned.spent
    if [task.task for task in found.updates] != _changed(len(desired)):
        raise SystemExit("the plan found other changes than there are")
    return spent


def least(file: Path, megabytes: int) -> float:
    """Read both sides with jiter and msgspec, and compare them equal or not."""
    pages = RichPages(megabytes)
    body = pages.page("page_size=100000")[1]
    started = time.process_time()
    listed = _listed(file)
    live = {task["id"]: task["data"] for task in msgspec.json.decode(body)["tasks"]}
    changed = [
        task["id"]
        for task in listed
        if not all(is_same(value, live[task["id"]].get(key)) for key, value in task["data"].items())
    ]
    spent = time.process_time() - started
    if changed != _changed(len(live)):
        raise SystemExit("other tasks differ than should")
    return spent


def _listed(file: Path) -> list[Declared]:
    """Decode the tasks of a manifest."""
    content = file.read_bytes()
    decode = partial(jiter.from_json, catch_duplicate_keys=True)
    if file.suffix == ".jsonl":
        return list(map(decode, content.split(b"\n")[1:-1]))
    whole: dict[str, list[Declared]] = decode(content)
    return whole["tasks"]


def _changed(count: int) -> list[int]:
    return list(range(CHANGED_EVERY, count + 1, CHANGED_EVERY))


_MEASURES: Final[dict[str, Callable[[Path, int], float]]] = {
    "validate": validate,
    "floor": floor,
    "plan": plan,
    "least": least,
}


def rich(options: Options) -> Section:
    """Measure rich manifests in each notation, beside decoding them and nothing else."""
    size = options.rich
    sizes = {".jsonl": size, ".json": size, ".yaml": max(3, size // 10)}
    rows = [_row(options, *at, *pair) for at in sizes.items() for pair in _PAIRS]
    return Section(
        "Rich tasks",
        f"CPU of about {size} MB of tasks with 3,000 boxes, with 700 messages, and with a text of "
        "a megabyte: as many bytes of each. Start-up and the making of pages are left out. The "
        "floor of `validate` decodes with jiter, which finds duplicate keys, and hashes the bytes "
        "once; that of `plan` reads both sides with jiter and msgspec and compares them. YAML "
        "stands beside the same tasks as .json, decoded so; it is a tenth, and has no budget.",
        rows,
    )


_PAIRS: Final = (("validate", "floor"), ("plan", "least"))


def _row(options: Options, suffix: str, size: int, ours: str, beside: str) -> Row:
    tell(f"{ours} of {size} MB of rich tasks from {suffix}")
    file = write_rich(size, options.folder / f"rich{suffix}")
    least_file = file if suffix != ".yaml" else write_rich(size, options.folder / "flow.json")
    taken, floors = in_turn(
        options.runs,
        partial(child, "rich", ours, file, str(size)),
        partial(child, "rich", beside, least_file, str(size)),
    )
    peak = max(took["peak"] for took in taken) / 1e6
    budgets = {"validate": _VALIDATE, "plan": _PLAN}
    return Row(
        figure=f"`{ours}`, {size} MB of rich {suffix}",
        unit="s",
        ours=averaged([took["cpu"] for took in taken], 1),
        beside=averaged([took["cpu"] for took in floors], 1),
        of="floor",
        budget=None if suffix == ".yaml" else budgets[ours],
        note=f"at most {peak:,.0f} MB of memory" if ours == "validate" else "",
    )


def main(kind: str, file: str, megabytes: str) -> None:
    """Measure one of them, and print what it took."""
    relax_gc()
    sys.stdout.write(json.dumps({"cpu": _MEASURES[kind](Path(file), int(megabytes))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
