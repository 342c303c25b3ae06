"""A process that is ended in the middle of an apply: its report claims nothing that is not so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.live.command_line import Command
from tests.live.counting_proxy import counting_proxy
from tests.live.troubles import from_patch
from tests.live.twenty import declared, written
from tests.live.under_test import ServerUnderTest

SECONDS = 120
ROOT = Path(__file__).parents[2]


def apply_and_kill(server: ServerUnderTest, manifest: str, number: signal.Signals) -> int:
    """Apply, in a process that gets a signal when its 25th update comes in; return how it ended.

    From then on updates take a while: the process may need 0.2 s to notice the signal.
    """
    started, strikes = threading.Event(), count()
    running: list[subprocess.Popen[bytes]] = []

    def strike() -> None:
        started.wait(SECONDS)
        if next(strikes) == 0:
            running[0].send_signal(number)
        time.sleep(0.1)

    with counting_proxy(server.url, from_patch(25, strike)) as (url, _):
        needed = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        process = subprocess.Popen(  # noqa: S603 - our own program
            [
                *(sys.executable, "-m", "reconciler", "apply", manifest),
                *("--yes", "--report", "report.jsonl"),
            ],
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
        running.append(process)
        started.set()
        try:
            return process.wait(SECONDS)
        finally:
            process.kill()
            process.wait()


def show_report(command: Command) -> dict[str, Any]:
    ran = command("show", "report.jsonl", "--format", "json")
    assert ran.code == 0, ran.err
    return dict(json.loads(ran.out))


@pytest.mark.parametrize(
    ("number", "code", "complete"),
    [
        pytest.param(signal.SIGINT, 130, True, id="SIGINT"),
        pytest.param(signal.SIGTERM, 130, True, id="SIGTERM"),
        pytest.param(signal.SIGKILL, -signal.SIGKILL, False, id="SIGKILL"),
    ],
)
def test_killed_in_the_middle_nothing_is_claimed_and_running_again_ends_it(
    server: ServerUnderTest,
    command: Command,
    *,
    number: signal.Signals,
    code: int,
    complete: bool,
):
    tasks = declared(server, 60)
    before = tasks.stored()
    wanted = {task: written(before[task], n) for n, task in enumerate(tasks.ids)}
    assert apply_and_kill(server, tasks.manifest(), number) == code

    after, report = tasks.stored(), show_report(command)
    assert report["complete"] is complete
    claimed = [t["task"] for t in report["tasks"] if t["outcome"] in {"applied", "already"}]
    assert 1 <= len(claimed) < 60
    assert all(after[task] == wanted[task] for task in claimed)
    assert all(after[task] in (before[task], wanted[task]) for task in tasks.ids)

    assert command("apply", "tasks.json", "--yes").code == 0
    assert tasks.stored() == wanted
    assert command("plan", "tasks.json", "--detailed-exitcode").code == 0
