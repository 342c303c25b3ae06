"""The program as people start it: a process, a terminal, signals, and servers that are none."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from reconciler.cli.main import run
from reconciler.sandbox.access import SANDBOX_REFRESH_TOKEN, SANDBOX_TOKEN
from reconciler.sandbox.state import State
from tests.unit.cli.conftest import (
    Manifest,
    answering,
    environment,
    process,
    program,
    python,
    started,
)

WRONG_TOKEN = "0" * 40


def respond(connection: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    connection.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        connection.send_header(name.replace("_", "-"), value)
    connection.end_headers()
    connection.wfile.write(body)


def test_the_module_is_the_program(sandbox: tuple[State, str], manifest: Manifest):
    ran = process("plan", manifest(), url=sandbox[1])
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "3 tasks: 1-3" in ran.stdout
    assert "\x1b" not in ran.stdout


def test_the_version_is_shown():
    ran = process("--version")
    assert re.fullmatch(r"reconciler \d+\.\d+\.\d+\n", ran.stdout)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("validate",),
        ("plan",),
        ("apply",),
        ("revert",),
        ("show",),
        ("sandbox",),
        ("schema", "build"),
        ("schema", "check"),
    ],
)
def test_the_help_of_every_command_shows_an_example(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
):
    for option in ("--help", "-h"):
        assert run([*words, option]) == 0
        shown = capsys.readouterr().out
        assert shown.startswith(" ".join(["Usage: reconciler", *words]))
        assert re.search(r"^ +Examples?:$", shown, re.MULTILINE)
        assert re.search(rf"^ +reconciler {' '.join(words)}", shown, re.MULTILINE)


def test_help_waits_for_no_heavy_import():
    ran = python(
        "import sys",
        "from reconciler.cli.main import run",
        "run(['--help'])",
        "heavy = {'httpx', 'yaml', 'jsonschema', 'jsonschema_rs', 'deepdiff', 'wcwidth'}",
        "print(sorted(heavy & sys.modules.keys()), file=sys.stderr)",
    )
    assert ran.stdout.startswith("Usage: reconciler")
    assert ran.stderr == "[]\n"


def test_validate_waits_for_nothing_that_only_plans_need(tmp_path: Path):
    (tmp_path / "tasks.yaml").write_text("version: 1\ntasks: [{id: 1, overlap: 2}]\n")
    ran = python(
        "import sys",
        "from reconciler.cli.main import run",
        "run(['validate', 'tasks.yaml', '--quiet'])",
        "unneeded = {'httpx', 'jsonschema', 'deepdiff', 'reconciler.core.report',",
        "    'reconciler.core.validation_document', 'reconciler.engine.vocabulary',",
        "    'reconciler.artifacts', 'reconciler.executor', 'reconciler.labelstudio'}",
        "print(sorted(unneeded & sys.modules.keys()), file=sys.stderr)",
    )
    assert (ran.stdout, ran.stderr) == ("", "[]\n")


def test_the_words_of_the_engine_come_without_its_server():
    ran = python(
        "import sys",
        "from reconciler.engine import vocabulary",
        "print(sorted({'httpx', 'reconciler.labelstudio'} & sys.modules.keys()), file=sys.stderr)",
    )
    assert ran.stderr == "[]\n"


def test_at_its_end_no_garbage_is_looked_for():
    ran = python(
        "import gc, sys",
        "from reconciler.cli.main import main",
        "sys.argv = ['reconciler', '--help']",
        "try: main()",
        "except SystemExit: print(len(gc.get_objects()), file=sys.stderr)",
    )
    assert int(ran.stderr) < 1_000


def test_a_plan_is_saved_whole_where_nobody_reads_what_is_shown(
    sandbox: tuple[State, str], manifest: Manifest, tmp_path: Path
):
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as closed:
        ran = subprocess.run(  # noqa: S603 - our own program
            program("plan", manifest(overlap=3), "--out", "plan.json"),
            env=environment(sandbox[1]),
            stdout=closed,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert (ran.returncode, ran.stderr) == (1, b"")
    assert len(json.loads((tmp_path / "plan.json").read_bytes())["tasks"]) == 3


def silent_failure(connection: BaseHTTPRequestHandler) -> None:
    respond(connection, 500, b"<title>Server Error (500)</title>", Content_Type="text/html")


def redirect(connection: BaseHTTPRequestHandler) -> None:
    respond(connection, 302, b"", Location="https://login.example.org/?next=x")


def another_site(connection: BaseHTTPRequestHandler) -> None:
    respond(connection, 200, b"<title>Welcome</title>", Content_Type="text/html")


def another_api(connection: BaseHTTPRequestHandler) -> None:
    respond(connection, 200, b'{"version": 3}', Content_Type="application/json")


def hang_up(connection: BaseHTTPRequestHandler) -> None:
    connection.connection.shutdown(socket.SHUT_RDWR)


def cut_off(connection: BaseHTTPRequestHandler) -> None:
    connection.send_response(200)
    connection.send_header("Content-Length", "1000")
    connection.end_headers()
    connection.wfile.write(b'{"release": ')


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (
            silent_failure,
            "returned 500 with a page of type text/html (Server Error (500)) instead of JSON",
        ),
        (redirect, "was redirected to https://login.example.org/"),
        (another_site, "returned 200 with a page of type text/html (Welcome) instead of JSON"),
        (another_api, "/api/version did not return what Label Studio returns"),
        (hang_up, "no complete response from http"),
        (cut_off, "no complete response from http"),
    ],
)
@pytest.mark.parametrize("name", ["plan", "apply"])
def test_a_response_that_is_not_from_label_studio_is_one_line_without_the_token(
    manifest: Manifest, handler: Callable[[BaseHTTPRequestHandler], None], said: str, name: str
):
    with answering(handler) as url:
        ran = process(name, manifest(), url=url)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("reconciler: ")
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert SANDBOX_TOKEN not in ran.stderr


def test_no_server_is_one_line(manifest: Manifest):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    ran = process("plan", manifest(), url=url)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert re.fullmatch(
        rf"reconciler: cannot connect to {url}: \[Errno \d+\] Connection refused "
        r"\(is the server running, and is the server address in LABEL_STUDIO_URL or url "
        r"right\?\)\n",
        ran.stderr,
    )


def test_a_server_that_takes_too_long_is_one_line(manifest: Manifest):
    with answering(lambda _: time.sleep(1)) as url:
        ran = process("plan", manifest(), "--timeout", "0.2", url=url)
    assert ran.returncode == 1
    assert ran.stderr == (f"reconciler: no complete response from {url} in 0.2 s\n")


def test_a_wrong_token_is_one_line_that_names_the_variable_and_not_the_token(
    sandbox: tuple[State, str], manifest: Manifest
):
    for token in (WRONG_TOKEN, SANDBOX_REFRESH_TOKEN[:-1] + "x"):
        ran = process("plan", manifest(), url=sandbox[1], LABEL_STUDIO_API_KEY=token)
        assert ran.returncode == 1
        assert ran.stderr.count("\n") == 1
        assert "LABEL_STUDIO_API_KEY" in ran.stderr
        assert token not in ran.stderr


def test_a_personal_access_token_works_from_plan_to_apply(
    sandbox: tuple[State, str], manifest: Manifest
):
    state, url = sandbox
    more = {"LABEL_STUDIO_API_KEY": SANDBOX_REFRESH_TOKEN}
    assert process("apply", manifest(), "--yes", url=url, **more).returncode == 0
    assert [state.tasks[task].values["overlap"] for task in (1, 2, 3)] == [2, 2, 2]


def test_a_value_that_the_output_cannot_hold_is_escaped(sandbox: tuple[State, str], tmp_path: Path):
    (tmp_path / "tasks.yaml").write_text(
        "version: 1\nproject: 7\ntasks:\n  - {id: 1, data: {text: 你好}}\n", encoding="utf-8"
    )
    ran = process("apply", "tasks.yaml", "--yes", url=sandbox[1], PYTHONIOENCODING="latin-1")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert r'"Sentence 1." -> "\u4f60\u597d"' in ran.stdout


def test_whoever_reads_only_the_first_line_causes_no_traceback(
    sandbox: tuple[State, str], manifest: Manifest
):
    with started("plan", manifest(), "--full", url=sandbox[1]) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert "Traceback" not in running.stderr.read()
        assert running.wait(30) == 1


class Terminal:
    """A program on a terminal of its own; ``wait_for`` reads until a text has come."""

    def __init__(self, arguments: list[str], env: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        self.running = subprocess.Popen(  # noqa: S603 - our own program
            arguments, env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self.seen = ""

    def wait_for(self, text: str, seconds: float = 30) -> str:
        end = time.monotonic() + seconds
        while text not in self.seen and time.monotonic() < end:
            if not select.select([self._master], [], [], 0.1)[0]:
                continue
            try:
                self.seen += os.read(self._master, 65536).decode()
            except OSError:  # the other side is closed
                break
        assert text in self.seen
        return self.seen

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def interrupt(self) -> None:
        """Send SIGINT once the program waits for an answer.

        While ``input`` prepares to wait, Python swallows an interrupt: it clears what flushing the
        other streams raises.
        """
        time.sleep(1)
        self.running.send_signal(signal.SIGINT)

    def end(self) -> int:
        code = self.running.wait(30)
        os.close(self._master)
        return code


@pytest.mark.parametrize(
    ("answer", "said", "code", "overlap"),
    [
        ("y\n", "Apply: 3 applied.", 0, 2),
        ("n\n", "nothing was changed: your answer was no", 1, 1),
        ("\n", "nothing was changed: your answer was no", 1, 1),
        ("\x04", "\r\nreconciler: nothing was changed: you gave no answer", 1, 1),
    ],
)
def test_on_a_terminal_it_shows_colour_and_asks(
    sandbox: tuple[State, str],
    manifest: Manifest,
    answer: str,
    said: str,
    code: int,
    overlap: int,
):
    state, url = sandbox
    terminal = Terminal(program("apply", manifest()), environment(url, TERM="xterm"))
    terminal.wait_for(f"Change 3 tasks on {url}? [y/N]: ")
    assert "\x1b[32m2\x1b[0m" in terminal.seen
    terminal.type(answer)
    terminal.wait_for(said)
    assert terminal.end() == code
    assert {state.tasks[task].values["overlap"] for task in (1, 2, 3)} == {overlap}


def test_the_question_says_what_was_allowed(sandbox: tuple[State, str], manifest: Manifest):
    state, url = sandbox
    apply = program("apply", manifest(tasks=4), "--allow", "missing")
    terminal = Terminal(apply, environment(url, TERM="xterm"))
    terminal.wait_for(f"Change 3 tasks on {url}, allowing missing (1 task, by --allow)? [y/N]: ")
    terminal.type("n\n")
    assert terminal.end() == 1
    assert state.tasks[1].values["overlap"] == 1


def test_what_is_typed_before_the_question_is_no_answer_to_it(
    sandbox: tuple[State, str], manifest: Manifest
):
    state, url = sandbox
    terminal = Terminal(program("apply", manifest()), environment(url, TERM="xterm"))
    terminal.type("y\n")
    terminal.wait_for(f"Change 3 tasks on {url}? [y/N]: ")
    terminal.type("n\n")
    terminal.wait_for("nothing was changed: your answer was no")
    assert terminal.end() == 1
    assert state.tasks[1].values["overlap"] == 1


def test_on_a_terminal_what_was_done_takes_the_place_of_the_progress(
    sandbox: tuple[State, str], manifest: Manifest
):
    slowly = program("apply", manifest(), "--yes", "--rps", "4")
    terminal = Terminal(slowly, environment(sandbox[1], TERM="xterm", NO_COLOR="1"))
    seen = terminal.wait_for("Apply: 3 applied.")
    assert "\r\x1b[Kapplying: " in seen
    assert seen.partition("Apply: ")[0].endswith("\r\x1b[K")
    assert terminal.end() == 0


def test_ctrl_c_at_the_question_ends_with_130_and_changes_nothing(
    sandbox: tuple[State, str], manifest: Manifest
):
    state, url = sandbox
    terminal = Terminal(program("apply", manifest()), environment(url, TERM="xterm"))
    terminal.wait_for(f"Change 3 tasks on {url}? [y/N]: ")
    terminal.interrupt()
    terminal.wait_for("interrupted; nothing more will be changed")
    assert terminal.end() == 130
    assert state.requests("PATCH") == 0


@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_stays_away_where_somebody_minds(
    sandbox: tuple[State, str], manifest: Manifest, more: dict[str, str]
):
    terminal = Terminal(
        program("plan", manifest()), environment(sandbox[1], **{"TERM": "xterm", **more})
    )
    # A machine that is slow shows progress, which is taken away again.
    assert "\x1b" not in terminal.wait_for("Digest: ").replace("\r\x1b[K", "")
    assert terminal.end() == 0


def test_the_sandbox_says_what_to_export_and_ends_when_told_to():
    with started("sandbox", "--port", "0", PYTHONUNBUFFERED="1") as running:
        assert running.stdout is not None
        lines = [running.stdout.readline(), running.stdout.readline()]
        url, token = (line.strip().removeprefix("export ").partition("=")[2] for line in lines)
        answer = httpx.get(f"{url}/api/tasks/1/", headers={"Authorization": f"Token {token}"})
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 130
    assert lines[0].startswith("export LABEL_STUDIO_URL=http://127.0.0.1:")
    assert answer.json()["id"] == 1


def test_an_output_that_cannot_be_written_is_one_line(
    manifest: Manifest, sandbox: tuple[State, str]
):
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(  # noqa: S603 - our own program
            program("plan", manifest()),
            env=environment(sandbox[1]),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            check=False,
        )
    assert ran.returncode == 1
    assert ran.stderr == "reconciler: No space left on device\n"


def test_changes_that_nobody_reads_about_are_made_and_told_by_the_exit_code(
    manifest: Manifest, sandbox: tuple[State, str], tmp_path: Path
):
    command = ["apply", manifest(), "--yes", "--report", str(tmp_path / "report.jsonl")]
    with started(*command, url=sandbox[1]) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(1)
        running.stdout.close()
        assert running.wait(timeout=60) == 0
        assert running.stderr.read() == ""
    assert sandbox[0].requests("PATCH") == 3
