"""Ctrl-C and SIGTERM: at any moment the program ends as it says, and what it says is so."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.state import State
from tests.unit.cli.conftest import Manifest, process, python, started
from tests.unit.labelstudio.wired import sandbox_with

INTERRUPTED = "reconciler: interrupted; nothing more will be changed\n"
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
    assert errors == "reconciler: stopping; waiting for the updates in progress\n"
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
def test_a_second_signal_ends_it_at_once(manifest: Manifest, number: signal.Signals):
    state = sandbox_with(400)
    with serve(state) as url, started("apply", manifest(tasks=400), "--yes", url=url) as running:
        assert running.stderr is not None
        while state.requests("PATCH") < 5 and running.poll() is None:
            time.sleep(0.001)
        with state.lock:  # which keeps the updates under way where they are
            running.send_signal(number)
            said = running.stderr.readline()
            running.send_signal(number)
            assert running.wait(60) == -number
    assert said == "reconciler: stopping; waiting for the updates in progress\n"


@BOTH
def test_a_second_signal_while_the_first_takes_its_course_ends_it_at_once(number: signal.Signals):
    twice = [
        "import signal",
        "from reconciler.cli.signals import SIGNALS",
        "with SIGNALS.exit_when_interrupted():",
        "    try:",
        f"        signal.raise_signal({number:d})",
        "    finally:",
        f"        signal.raise_signal({number:d})",
    ]
    ran = python(*twice)
    assert (ran.returncode, ran.stderr) == (-number, "")


@BOTH
def test_a_signal_while_it_says_what_it_did_does_not_keep_it_from_that(
    sandbox: tuple[State, str], manifest: Manifest, number: signal.Signals
):
    state, url = sandbox
    interrupted = [
        "import signal, sys",
        "write = sys.stdout.write",
        "def interrupted(text):",
        f"    'Apply: ' in text and signal.raise_signal({number:d})",
        "    return write(text)",
        "sys.stdout.write = interrupted",
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
def test_after_a_signal_that_was_swallowed_nothing_is_changed(
    sandbox: tuple[State, str], manifest: Manifest, tmp_path: Path, number: signal.Signals
):
    """Python prints what is raised in ``__del__``, and goes on."""
    state, url = sandbox
    swallowed = [
        "import signal, sys",
        "from reconciler.cli.main import run",
        "from reconciler.cli.signals import SIGNALS",
        "class Swallowing:",
        f"    __del__ = lambda self: signal.raise_signal({number:d})",
        "with SIGNALS.exit_when_interrupted():",
        "    Swallowing()",
        "    sys.exit(run(sys.argv[1:]))",
    ]
    report = tmp_path / "report.jsonl"
    arguments = ["apply", manifest(), "--yes", "--report", str(report)]
    ran = python(*swallowed, arguments=arguments, url=url)
    assert ran.stderr.endswith(INTERRUPTED)
    assert (ran.returncode, state.requests("PATCH")) == (130, 0)
    assert not report.exists()


@BOTH
@pytest.mark.parametrize("error", ["RuntimeError", "OSError", "KeyboardInterrupt"])
def test_whatever_a_signal_comes_out_as_it_ends_with_130(error: str, number: signal.Signals):
    changed = [
        "import signal",
        "from reconciler.cli.signals import SIGNALS",
        "with SIGNALS.exit_when_interrupted():",
        "    try:",
        f"        signal.raise_signal({number:d})",
        "    finally:",
        f"        raise {error}",
    ]
    ran = python(*changed)
    assert (ran.returncode, ran.stderr) == (130, INTERRUPTED)


def test_an_error_that_no_signal_led_to_is_still_shown():
    failing = [
        "from reconciler.cli.signals import SIGNALS",
        "with SIGNALS.exit_when_interrupted():",
        "    raise RuntimeError('a bug')",
    ]
    ran = python(*failing)
    assert ran.returncode == 1
    assert ran.stderr.endswith("RuntimeError: a bug\n")


def test_a_signal_that_is_ignored_stays_ignored():
    ignored = [
        "import signal",
        "from reconciler.cli.signals import SIGNALS",
        "signal.signal(signal.SIGINT, signal.SIG_IGN)",
        "SIGNALS.install()",
        "signal.raise_signal(signal.SIGINT)",
        "assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN",
    ]
    ran = python(*ignored)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_signal_when_all_is_done_is_no_traceback():
    late = [
        "import signal",
        "from reconciler.cli.main import run",
        "from reconciler.cli.signals import SIGNALS",
        "with SIGNALS.exit_when_interrupted():",
        "    run(['--help'])",
        "    signal.raise_signal(signal.SIGTERM)",
    ]
    ran = python(*late)
    assert (ran.returncode, ran.stderr) == (130, INTERRUPTED)


def test_a_signal_while_python_shuts_down_changes_nothing():
    late = [
        "import atexit, signal",
        "atexit.register(signal.raise_signal, signal.SIGTERM)",
        *RUN,
    ]
    ran = python(*late, arguments=["--help"])
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("imported", "name"), [("click", "SIGTERM"), ("reconciler.cli.signals", "SIGINT")]
)
def test_a_signal_while_the_program_is_still_imported_ends_with_130(imported: str, name: str):
    interrupted = [
        "import runpy, signal, sys",
        "class Interrupted:",
        "    def find_spec(self, name, *_):",
        f"        if name == '{imported}':",
        f"            signal.raise_signal(signal.{name})",
        "sys.meta_path.insert(0, Interrupted())",
        "runpy.run_module('reconciler', run_name='__main__')",
    ]
    ran = python(*interrupted)
    assert (ran.returncode, ran.stderr) == (130, INTERRUPTED)


@BOTH
def test_a_signal_while_a_class_is_made_from_text_ends_with_130(
    tmp_path: Path, number: signal.Signals
):
    """Python remembers a KeyboardInterrupt there, and would end as if killed by SIGINT."""
    text = f"exec('import signal; signal.raise_signal({number:d})')\n"
    (tmp_path / "click.py").write_text(text, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    ran = process("--help", PYTHONPATH=path)
    assert (ran.returncode, ran.stderr) == (130, INTERRUPTED)
