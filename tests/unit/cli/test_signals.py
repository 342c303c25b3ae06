"""Ctrl-C and SIGTERM: at any moment the program ends as it says, and what it says is so."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.state import State
from tests.unit.cli.conftest import Manifest, process, python, started
from tests.unit.labelstudio.wired import sandbox_with

INTERRUPTED = "reconciler: interrupted; nothing more is done\n"
BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
RUN = ("from reconciler.__main__ import main", "main()")


@BOTH
def test_a_signal_in_the_middle_ends_with_130_and_an_honest_report(
    manifest: Manifest, tmp_path: Path, number: signal.Signals
):
    state = sandbox_with(400)
    report = tmp_path / "report.jsonl"
    command = ["apply", manifest(tasks=400), "--yes", "--report", str(report)]
    with serve(state) as url, started(*command, url=url) as running:
        while state.requests("PATCH") < 5 and running.poll() is None:
            time.sleep(0.001)
        running.send_signal(number)
        output, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert errors == "reconciler: stopping; waiting for the updates under way\n"
    _first, *tasks, stopped, last = map(json.loads, report.read_text(encoding="ascii").splitlines())
    done = {line["task"] for line in tasks if line["outcome"] == "applied"}
    assert done == {task for task in range(1, 401) if state.tasks[task].values["overlap"] == 2}
    assert 5 <= len(done) < 400
    assert {line["outcome"] for line in tasks} == {"applied"}
    assert stopped["not_started"]["count"] == 400 - len(done)
    assert last["summary"] == {"applied": len(done), "interrupted": 400 - len(done)}
    assert output.endswith(
        f"\n! {400 - len(done)} tasks not started; run apply again to continue\n"
        f"Apply: {len(done)} applied, {400 - len(done)} not started.\n"
    )


def test_running_it_again_after_an_interruption_does_the_rest(manifest: Manifest):
    state = sandbox_with(60)
    for task in range(1, 31):
        state.tasks[task].values["overlap"] = 2
    with serve(state) as url:
        assert process("apply", manifest(tasks=60), "--yes", url=url).returncode == 0
    assert state.requests("PATCH") == 30


@BOTH
def test_a_second_signal_ends_it_at_once(
    sandbox: tuple[State, str], manifest: Manifest, number: signal.Signals
):
    twice = [
        "import signal",
        "from reconciler.cli import review as applying",
        "def carry_out(*_, **__):",
        f"    signal.raise_signal({number:d})",
        f"    signal.raise_signal({number:d})",
        "applying.apply_plan = carry_out",
        *RUN,
    ]
    ran = python(*twice, arguments=["apply", manifest(), "--yes"], url=sandbox[1])
    assert ran.returncode == -number


@BOTH
def test_a_second_signal_while_the_first_is_told_of_ends_it_at_once(number: signal.Signals):
    twice = [
        "import signal",
        "from reconciler.cli import main as module",
        f"again = lambda *_, **__: signal.raise_signal({number:d})",
        "module._interrupted = module.program.main = again",
        *RUN,
    ]
    ran = python(*twice, arguments=["--help"])
    assert (ran.returncode, ran.stderr) == (-number, "")


@BOTH
def test_a_signal_while_it_says_what_it_did_does_not_keep_it_from_that(
    sandbox: tuple[State, str], manifest: Manifest, number: signal.Signals
):
    state, url = sandbox
    interrupted = [
        "import signal",
        "from reconciler.cli import review as applying",
        "print_outcome = applying.print_outcome",
        "def interrupted(text):",
        f"    signal.raise_signal({number:d})",
        "    print_outcome(text)",
        "applying.print_outcome = interrupted",
        *RUN,
    ]
    ran = python(*interrupted, arguments=["apply", manifest(), "--yes"], url=url)
    assert (ran.returncode, state.requests("PATCH")) == (130, 3)
    assert ran.stdout.endswith("Apply: 3 applied.\n")


@BOTH
@pytest.mark.parametrize("name", ["plan", "apply"])
def test_a_signal_before_the_first_change_ends_with_130(
    manifest: Manifest, name: str, number: signal.Signals
):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with started(name, manifest(), url=url) as running, silent.accept()[0] as connection:
            connection.recv(1)  # the request is there, and is never answered
            running.send_signal(number)
            output, errors = running.communicate(timeout=60)
    assert (running.returncode, output) == (130, "")
    assert errors.lstrip("\n") == INTERRUPTED


@BOTH
def test_a_signal_that_comes_where_python_only_prints_what_is_raised_comes_again(
    sandbox: tuple[State, str], manifest: Manifest, number: signal.Signals
):
    state, url = sandbox
    lost = [
        "import signal",
        "from reconciler.cli import main as module",
        "class Lost:",
        f"    __del__ = lambda self: signal.raise_signal({number:d})",
        "def lose(): Lost()",
        "module.relax_gc = lose",
        *RUN,
    ]
    ran = python(*lost, arguments=["apply", manifest(), "--yes"], url=url)
    assert ran.stderr.lstrip("\n") == INTERRUPTED
    assert (ran.returncode, state.requests("PATCH")) == (130, 0)


def test_what_else_python_only_prints_is_still_printed():
    printed = [
        "from reconciler.cli.signals import install_handlers",
        "class Failing:",
        "    __del__ = lambda self: 1 / 0",
        "install_handlers()",
        "Failing()",
    ]
    assert "ZeroDivisionError" in python(*printed).stderr


def test_a_signal_that_is_ignored_stays_ignored():
    ignored = [
        "import signal",
        "from reconciler.cli.signals import install_handlers",
        "signal.signal(signal.SIGINT, signal.SIG_IGN)",
        "install_handlers()",
        "signal.raise_signal(signal.SIGINT)",
        "assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN",
    ]
    ran = python(*ignored)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_signal_when_all_is_done_is_no_traceback():
    late = [
        "import signal",
        "from reconciler.cli import main as module",
        "module.freeze_gc = lambda: signal.raise_signal(signal.SIGTERM)",
        *RUN,
    ]
    ran = python(*late, arguments=["--help"])
    assert (ran.returncode, ran.stderr) == (130, INTERRUPTED)


def test_a_signal_while_the_program_is_still_imported_ends_with_130():
    interrupted = (
        "import runpy, sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'click':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "runpy.run_module('reconciler', run_name='__main__')\n"
    )
    ended = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", interrupted], capture_output=True, text=True, check=False, timeout=30
    )
    assert ended.returncode == 130
    assert ended.stderr == INTERRUPTED


def test_a_signal_while_a_class_is_made_from_text_ends_with_130(tmp_path: Path):
    """Python remembers such a one, and ends as if killed by it, though it was caught."""
    (tmp_path / "click.py").write_text("exec('raise KeyboardInterrupt')\n", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        [sys.executable, "-m", "reconciler"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ended.returncode == 130
    assert ended.stderr == INTERRUPTED
