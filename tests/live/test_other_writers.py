"""Other clients that write to the same tasks while an apply is under way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live.command_line import Command, Ran
from tests.live.counting_proxy import Asked, Befall, PassOn, Trouble, counting_proxy, no_trouble
from tests.live.troubles import patches_of
from tests.live.under_test import ServerUnderTest

SECONDS = 120
ROOT = Path(__file__).parents[2]
LATER = 14
"""More tasks than a batch and what is sent while it is read, at ten updates a second."""


def manifest(name: str, project: int, tasks: Sequence[dict[str, Any]]) -> str:
    Path(name).write_text(json.dumps({"version": 1, "project": project, "tasks": tasks}))
    return name


def of_all(project: int, ids: Sequence[int], key: str) -> str:
    """Declare one key of the data of all tasks."""
    return manifest(f"{key}.json", project, [{"id": task, "data": {key: "ours"}} for task in ids])


def data(server: ServerUnderTest, project: int, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = server.listed(project, include="id,data", page_size=len(ids))
    return {row["id"]: row["data"] for row in rows}


def add_key(server: ServerUnderTest, task: int) -> None:
    """Edit as the web page and most scripts do: read, change, write the whole object."""
    now = server.read(task)["data"]
    server.update(task, {"data": {**now, "theirs": task}})


def acting_at_each(act: Callable[[int], None]) -> Trouble:
    """Do something when an update comes in, before it is passed on; they count from 0."""
    numbers = count()

    def trouble(asked: Asked) -> Befall:
        if asked.method == "PATCH":
            act(next(numbers))
        return no_trouble(asked)

    return trouble


def stored_and_then(act: Callable[[], object]) -> Befall:
    """Pass an update on, and do something before its answer is."""

    def befall(pass_on: PassOn) -> httpx.Response:
        answer = pass_on()
        act()
        return answer

    return befall


def several(*troubles: Trouble) -> Trouble:
    """Let all of them befall what they are about; no two are about the same request."""

    def trouble(asked: Asked) -> Befall:
        befalls = [one(asked) for one in troubles]
        return next((b for b in befalls if b.__name__ == "befall"), befalls[0])

    return trouble


def edits_kept(
    server: ServerUnderTest,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    *options: str,
    tasks: int,
    later: int,
) -> list[int]:
    """Apply while a client edits, at each update, a task later on; list what it lost."""
    project, ids = server.make_tasks(tasks)

    def edit(number: int) -> None:
        if number + later < len(ids):
            add_key(server, ids[number + later])

    with counting_proxy(server.url, acting_at_each(edit)) as (url, _):
        monkeypatch.setenv("LABEL_STUDIO_URL", url)
        ran = command("apply", of_all(project, ids, "a"), "--yes", "--concurrency", "1", *options)
    assert ran.code == 0, ran.out + ran.err
    after = data(server, project, ids)
    assert all(after[task]["a"] == "ours" for task in ids)
    return [task for task in ids[later:] if after[task].get("theirs") != task]


def test_what_others_edit_more_than_a_second_before_our_update_is_kept(
    server: ServerUnderTest, command: Command, monkeypatch: pytest.MonkeyPatch
):
    assert edits_kept(server, command, monkeypatch, "--rps", "10", tasks=30, later=LATER) == []


def test_with_care_what_others_edit_just_before_our_update_is_kept(
    server: ServerUnderTest, command: Command, monkeypatch: pytest.MonkeyPatch
):
    assert edits_kept(server, command, monkeypatch, "--careful", tasks=10, later=1) == []


def cached() -> Trouble:
    """Answer what was read before again, whatever the request says of caches."""
    kept: dict[tuple[str, str], httpx.Response] = {}

    def trouble(asked: Asked) -> Befall:
        def befall(pass_on: PassOn) -> httpx.Response:
            known = kept.get((asked.path, asked.query)) if asked.method == "GET" else None
            return known or kept.setdefault((asked.path, asked.query), pass_on())

        return befall

    return trouble


def test_behind_a_cache_that_is_deaf_to_headers_what_others_edit_is_kept(
    server: ServerUnderTest, command: Command, monkeypatch: pytest.MonkeyPatch
):
    project, ids = server.make_tasks(3)
    with counting_proxy(server.url, cached()) as (url, _):
        monkeypatch.setenv("LABEL_STUDIO_URL", url)
        assert command("plan", of_all(project, ids, "a"), "--out", "plan.json").code == 0
        add_key(server, ids[0])
        assert command("apply", "plan.json", "--yes").code == 0
    after = data(server, project, ids)
    assert [after[task]["a"] for task in ids] == ["ours"] * 3
    assert after[ids[0]]["theirs"] == ids[0]


def lines() -> dict[int, dict[str, Any]]:
    read = map(json.loads, Path("report.jsonl").read_text().splitlines())
    return {line["task"]: line for line in read if "task" in line}


def test_what_was_undone_by_accident_is_repaired_and_what_was_meant_is_not_fought_over(
    server: ServerUnderTest, command: Command, monkeypatch: pytest.MonkeyPatch
):
    project, ids = server.make_tasks(4)
    before = data(server, project, ids)
    alone, undone, other, scalar = ids
    tasks: list[dict[str, Any]] = [{"id": task, "data": {"a": "ours"}} for task in ids]
    tasks[3]["overlap"] = 2
    theirs: dict[int, dict[str, Any]] = {
        undone: {"data": {**before[undone], "theirs": 1}},
        other: {"data": {**before[other], "a": "theirs"}},
        scalar: {"overlap": 1},
    }
    done: set[int] = set()

    def write(task: int) -> None:
        if task not in done:
            done.add(task)
            server.update(task, theirs[task])

    troubles = [patches_of([task], stored_and_then(partial(write, task))) for task in theirs]
    with counting_proxy(server.url, several(*troubles)) as (url, asked):
        monkeypatch.setenv("LABEL_STUDIO_URL", url)
        options = ["--yes", "--report", "report.jsonl", "--concurrency", "1"]
        ran: Ran = command("apply", manifest("tasks.json", project, tasks), *options)

    assert ran.code == 3
    told = {task: (line["outcome"], line.get("repairs")) for task, line in lines().items()}
    assert told == {
        alone: ("applied", None),
        undone: ("applied", 1),
        other: ("not_honoured", None),
        scalar: ("not_honoured", None),
    }
    after = data(server, project, ids)
    assert after[undone] == {**before[undone], "theirs": 1, "a": "ours"}
    assert after[other]["a"] == "theirs"
    assert server.read(scalar)["overlap"] == 1
    sent = [one.path for one in asked if one.method == "PATCH"]
    assert {task: sent.count(f"/api/tasks/{task}/") for task in ids} == {
        alone: 1,
        undone: 2,
        other: 1,
        scalar: 1,
    }
    assert "1 task: another client undid stored changes" in ran.err
    shown = command("show", "report.jsonl")
    repaired = "Changes of 1 task were applied again: another client had undone them.\n"
    assert ran.out.partition(repaired)[1:] == shown.out.partition(repaired)[1:]
    assert repaired in shown.out


def reading_first(barrier: threading.Barrier) -> Trouble:
    """Hold the first update back until the other run has read its tasks, too."""
    numbers = count(1)

    def befall(pass_on: PassOn) -> httpx.Response:
        barrier.wait(SECONDS)
        return pass_on()

    def trouble(asked: Asked) -> Befall:
        first = asked.method == "PATCH" and next(numbers) == 1
        return befall if first else no_trouble(asked)

    return trouble


def test_two_runs_at_once_that_set_different_keys_both_have_them_at_the_end(
    server: ServerUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    project, ids = server.make_tasks(30)
    barrier = threading.Barrier(2)
    with ExitStack() as stack:
        running = []
        for key in ("a", "b"):
            proxy = counting_proxy(server.url, reading_first(barrier))
            url, _ = stack.enter_context(proxy)
            process = stack.enter_context(started(server, url, of_all(project, ids, key)))
            stack.callback(process.kill)
            running.append(process)
        assert [process.wait(SECONDS) for process in running] == [0, 0]
    after = data(server, project, ids)
    assert [task for task in ids if not after[task].keys() >= {"a", "b"}] == []


def started(server: ServerUnderTest, url: str, name: str) -> subprocess.Popen[bytes]:
    needed = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.Popen(  # noqa: S603 - our own program
        [*(sys.executable, "-m", "reconciler", "apply", name, "--yes", "--rps", "15")],
        env={
            **needed,
            "PYTHONPATH": str(ROOT),
            "LABEL_STUDIO_URL": url,
            "LABEL_STUDIO_API_KEY": server.token,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
