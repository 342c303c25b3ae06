"""Servers in processes of their own: what they cost is not counted as the client's.

``python -m tests.bench.server COUNT NUMBER FIRST`` serves a made-up project until it is ended.
It says on the first line where, and on ``/bench/log`` what was asked of it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from tests.bench.data import Project, sandbox_description
from tests.bench.measure import RECONCILER, ROOT
from tests.bench.pages import Pages

_STOP_SECONDS: Final = 20


@contextmanager
def page_server(project: Project) -> Iterator[str]:
    """Serve a made-up project; gives the address."""
    arguments = [project.count, project.number, project.first]
    with _started([sys.executable, "-m", "tests.bench.server", *map(str, arguments)]) as url:
        yield url


@contextmanager
def sandbox(project: Project, folder: Path) -> Iterator[str]:
    """Serve the project from the sandbox, which stores what is sent to it."""
    file = folder / f"sandbox-{project.count}.json"
    file.write_text(json.dumps(sandbox_description(project)), encoding="utf-8")
    command = [*RECONCILER, "sandbox", "--port", "0", "--tasks", str(file)]
    with _started(command) as url:
        yield url


def pages_asked(url: str) -> tuple[str, ...]:
    """Ask a page server which pages of tasks were asked of it so far."""
    with urlopen(f"{url}/bench/log") as answer:  # noqa: S310 - an address of this machine
        asked = json.load(answer)
    return tuple(target for target in asked if target.startswith("/api/tasks/"))


@contextmanager
def _started(command: Sequence[str]) -> Iterator[str]:
    """Start a server that prints its address first, and end that very process afterwards."""
    process = subprocess.Popen(  # noqa: S603 - our own commands
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address, f"{command} did not say where it listens"
        yield address[0]
    finally:
        process.terminate()
        process.communicate(timeout=_STOP_SECONDS)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, project: Project) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.pages = Pages(project)
        self.asked: list[str] = []

    def answer(self, target: str) -> tuple[int, bytes]:
        if target == "/bench/log":
            return 200, json.dumps(self.asked).encode()
        self.asked.append(target)
        path, _, query = target.partition("?")
        return self.pages.answer(path, query)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: _Server

    def do_GET(self) -> None:
        status, body = self.server.answer(self.path)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep silent: what was asked stands in the log."""


def _serve(count: str, number: str, first: str) -> None:
    server = _Server(Project(int(count), int(number), int(first)))
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    _serve(*sys.argv[1:])
