"""The sandbox on a port of this machine, which no other machine can reach."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, Final, NoReturn

from reconciler.errors import SettingsError
from reconciler.sandbox.exchange import Request
from reconciler.sandbox.sandbox_transport import handle_in_turn
from reconciler.sandbox.state import State

LOOPBACK = "127.0.0.1"

_SLEEP_SECONDS: Final = 0.5
"""Seconds after which an interrupt is noticed, at the latest, if it comes just before the wait."""


class _Server(ThreadingHTTPServer):
    """A server with a thread for each connection; all of them serve ``state``."""

    daemon_threads = True
    request_queue_size = 128
    state: State

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that close the connection, which is not an error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Connection(BaseHTTPRequestHandler):
    """Reads requests from one kept-alive connection, and writes each response in one piece."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: ClassVar[_Server]  # type: ignore[misc]

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        response = handle_in_turn(
            self.server.state, Request(self.command, path, query, headers, body)
        )
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - as http.server calls them

    def log_message(self, *_: object) -> None:
        """Print nothing: ``State.log`` holds the requests."""


@contextmanager
def serve(state: State, port: int = 0) -> Iterator[str]:
    """Serve in the background while the block runs; yields the address. Port 0 means a free one."""
    with _listen(state, port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield _format_address(server)
        finally:
            server.shutdown()
            thread.join()


def serve_forever(state: State, port: int, *, announce: Callable[[str], None]) -> NoReturn:
    """Serve until interrupted; ``announce`` receives the address once requests are accepted.

    Other threads serve the requests: in the main thread, `socketserver` could treat an interrupt as
    the error of one request, and go on.
    """
    with serve(state, port) as url:
        announce(url)
        while True:
            time.sleep(_SLEEP_SECONDS)


def _listen(state: State, port: int) -> _Server:
    try:
        server = _Server((LOOPBACK, port), _Connection)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on port {port}: {error.strerror}", hint="pass another port with --port"
        ) from error
    server.state = state
    return server


def _format_address(server: _Server) -> str:
    return f"http://{LOOPBACK}:{server.server_port}"
