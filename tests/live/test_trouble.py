"""An apply through a proxy that makes trouble: twenty changes arrive, or are said not to have."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.live.command_line import Command, Ran
from tests.live.counting_proxy import Through, Trouble
from tests.live.troubles import answering, cut, dropped, every, first, lost, patches_of
from tests.live.twenty import Declared, declared, written
from tests.live.under_test import ServerUnderTest


def all_written(tasks: Declared, before: dict[int, dict[str, Any]]) -> bool:
    return tasks.stored() == {task: written(before[task], n) for n, task in enumerate(tasks.ids)}


def report() -> dict[int, str]:
    lines = map(json.loads, Path("report.jsonl").read_text().splitlines())
    return {line["task"]: line["outcome"] for line in lines if "task" in line}


def apply(command: Command, manifest: str) -> Ran:
    return command("apply", manifest, "--yes", "--report", "report.jsonl")


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(partial(every, 3, answering(503)), id="503 on every third"),
        pytest.param(partial(first, 2, answering(429, Retry_After="1")), id="429, Retry-After"),
        pytest.param(partial(every, 5, dropped), id="every fifth not passed on"),
        pytest.param(partial(every, 5, lost), id="every fifth answer lost"),
        pytest.param(partial(every, 5, cut), id="every fifth answer cut off"),
        pytest.param(partial(every, 2, cut, method="GET"), id="every second read cut off"),
    ],
)
def test_what_passes_is_got_over(
    server: ServerUnderTest, command: Command, through: Through, trouble: Callable[[], Trouble]
):
    tasks = declared(server)
    before = tasks.stored()
    with through(trouble()) as asked:
        ran = apply(command, tasks.manifest())
    assert (ran.code, set(report().values())) == (0, {"applied"}), ran.out + ran.err
    assert all_written(tasks, before)
    undisturbed = 4 + 20 + 2  # the labels are asked for twice, as keys are to go
    assert len(asked) > undisturbed


def test_what_is_forbidden_fails_alone_and_is_done_once_it_is_allowed(
    server: ServerUnderTest, command: Command, through: Through
):
    tasks = declared(server)
    before = tasks.stored()
    with through(patches_of(tasks.ids[5:7], answering(403))):
        ran = apply(command, tasks.manifest())
    assert ran.code == 3
    expected = ["failed" if n in (5, 6) else "applied" for n in range(20)]
    assert report() == dict(zip(tasks.ids, expected, strict=True))
    after = tasks.stored()
    assert [task for task in tasks.ids if after[task] == before[task]] == tasks.ids[5:7]
    assert apply(command, tasks.manifest()).code == 0
    assert all_written(tasks, before)
