"""Servers in processes of their own: what they cost is not counted as the client's.

``python -m tests.bench.server COUNT NUMBER FIRST DELAY`` serves a made-up project until it is
ended. It says on the first line where, and on ``/bench/log`` what was asked of it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from tests.bench.data import Project, sandbox_description
from tests.bench.measure import RECONCILER, ROOT
from tests.bench.pages import Pages

_STOP_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class Habits:
    """What a client asked for: the addresses of pages of tasks, and how many at once at most."""

    pages: tuple[str, ...]
    in_flight: int


@contextmanager
def page_server(project: Project, *, delay: float = 0) -> Iterator[str]:
    """Serve a made-up project; gives the address. Each answer waits ``delay`` seconds."""
    arguments = [project.count, project.number, project.first, delay]
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


def habits(url: str) -> Habits:
    """Ask a page server what was asked of it so far."""
    with urlopen(f"{url}/bench/log") as answer:  # noqa: S310 - an address of this machine
        log = json.load(answer)
    pages = tuple(target for target in log["asked"] if target.startswith("/api/tasks/"))
    return Habits(pages, log["in_flight"])


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

    def __init__(self, project: Project, delay: float) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.pages = Pages(project)
        self.delay = delay
        self.asked: list[str] = []
        self.under_way = self.in_flight = 0
        self.lock = threading.Lock()

    def answer(self, target: str) -> tuple[int, bytes]:
        if target == "/bench/log":
            return 200, json.dumps({"asked": self.asked, "in_flight": self.in_flight}).encode()
        path, _, query = target.partition("?")
        with self.lock:
            self.asked.append(target)
            self.under_way += 1
            self.in_flight = max(self.in_flight, self.under_way)
        time.sleep(self.delay)
        try:
            return self.pages.answer(path, query)
        finally:
            with self.lock:
                self.under_way -= 1


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def do_GET(self) -> None:
        status, body = self.server.answer(self.path)  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep silent: what was asked stands in the log."""


def _serve(count: str, number: str, first: str, delay: str) -> None:
    server = _Server(Project(int(count), int(number), int(first)), float(delay))
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    _serve(*sys.argv[1:])
