"""Command lines run in this process on a sandbox, and in processes of their own on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from reconciler.cli.collaborators import Collaborators
from reconciler.cli.main import run
from reconciler.engine.apply import ApplyResult
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.loopback_server import serve
from reconciler.sandbox.state import State
from tests.sandboxed import set_environment
from tests.unit.labelstudio.wired import Hooked, sandbox_with

Handler = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True, slots=True)
class Ran:
    """What one command line did."""

    code: int
    output: str
    errors: str


Command = Callable[..., Ran]
Manifest = Callable[..., str]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of whoever runs the tests takes part."""
    for name in list(os.environ):
        named = name in {"CI", "NO_COLOR", "FORCE_COLOR", "TERM", "GITHUB_SHA", "CI_COMMIT_SHA"}
        ours = name.startswith(("LABEL_STUDIO_", "RECONCILER_", "SSL_CERT_"))
        if named or ours or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@dataclass(slots=True)
class Wire:
    """What command lines talk to, and carry plans out by, in the place of the network and engine.

    None lets them use those.
    """

    transport: httpx.BaseTransport | None = None
    apply_plan: Callable[..., ApplyResult] | None = None


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def server(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Hooked:
    """A sandbox with tasks 1 to 3 in project 7, which command lines talk to."""
    transport = wire.transport = Hooked(sandbox_with(3))
    set_environment(monkeypatch)
    return transport


@pytest.fixture
def command(wire: Wire, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command line in this process."""

    def command(*arguments: str) -> Ran:
        code = run(arguments, collaborators=Collaborators(wire.transport, wire.apply_plan))
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return command


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """Write a manifest that declares overlap of tasks of project 7, and name it."""

    def manifest(overlap: int = 2, tasks: int = 3) -> str:
        lines = ["version: 1", "project: 7", f"defaults: {{overlap: {overlap}}}", "tasks:"]
        lines += [f"  - id: {task}" for task in range(1, tasks + 1)]
        (tmp_path / "tasks.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return "tasks.yaml"

    return manifest


@pytest.fixture
def sandbox() -> Iterator[tuple[State, str]]:
    """A sandbox on loopback, for processes of their own."""
    state = sandbox_with(3)
    with serve(state) as url:
        yield state, url


@contextmanager
def answering(handler: Handler) -> Iterator[str]:
    """Some other server on loopback; gives its address."""

    class Connection(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            handler(self)

        do_POST = do_PATCH = do_GET  # noqa: N815 - as http.server calls them

        def log_message(self, *_: object) -> None:
            """Keep silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Connection) as listening:
        listening.daemon_threads = True
        thread = Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()


def environment(url: str, **more: str) -> dict[str, str]:
    """What a process of its own is given."""
    needed = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**needed, "LABEL_STUDIO_URL": url, "LABEL_STUDIO_API_KEY": SANDBOX_TOKEN, **more}


def program(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "reconciler", *arguments]


@contextmanager
def started(*arguments: str, url: str = "", **more: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command line in a process of its own, which ends with the block at the latest."""
    with subprocess.Popen(  # noqa: S603 - our own program
        program(*arguments),
        env=environment(url, **more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def process(*arguments: str, url: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command line in a process of its own."""
    return subprocess.run(  # noqa: S603 - our own program
        program(*arguments),
        env=environment(url, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def python(
    *lines: str, arguments: Sequence[str] = (), url: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run lines of Python in a process of its own, as if they were the program."""
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", "\n".join(lines), *arguments],
        env=environment(url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
