"""A proxy on loopback that notes what was asked and passes it on, where no trouble is made."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

OF_ONE_CONNECTION = frozenset(
    {
        *("connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"),
        *("host", "date", "server"),
    }
)
"""Headers that say something of one connection, or that either end of it writes itself."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in; ``query`` is raw and without its ``?``."""

    method: str
    path: str
    query: str


PassOn = Callable[[], httpx.Response]
Befall = Callable[[PassOn], httpx.Response | None]
"""What befalls a request: it may be passed on, and gets an answer, or none: then the connection is
closed. An answer with the extension ``length`` claims to be so long."""

Trouble = Callable[[Asked], Befall]
"""Tells what befalls each request; asked in the order in which they come in."""

Through = Callable[[Trouble], AbstractContextManager[list[Asked]]]
"""Puts a proxy before the server for as long as a with statement lasts; gives what was asked."""


def no_trouble(_asked: Asked) -> Befall:
    """Pass everything on."""
    return lambda pass_on: pass_on()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    upstream: httpx.Client
    asked: list[Asked]
    befall: Trouble
    counting: threading.Lock

    def handle_error(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Say nothing of clients that hang up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: _Server

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        asked = Asked(self.command, path, query)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.counting:
            self.server.asked.append(asked)
            befall = self.server.befall(asked)
        answer = befall(lambda: self._passed_on(body))
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._write(answer)

    def _passed_on(self, body: bytes) -> httpx.Response:
        headers = _of_the_message(self.headers.items())
        upstream = self.server.upstream
        return upstream.request(self.command, self.path, content=body, headers=headers)

    def _write(self, answer: httpx.Response) -> None:
        self.send_response(answer.status_code)
        for name, value in _of_the_message(answer.headers.multi_items()):
            self.send_header(name, value)
        said = answer.extensions.get("length", len(answer.content))
        self.send_header("Content-Length", str(said))
        self.end_headers()
        self.wfile.write(answer.content)
        if said != len(answer.content):
            self.close_connection = True

    # Any method passes: one that must not be sent is to be seen, not refused here.
    do_GET = do_HEAD = do_OPTIONS = do_PATCH = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - as http.server calls them

    def log_message(self, *_: object) -> None:
        """Keep silent: what was asked is in the list."""


def _of_the_message(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(n, v) for n, v in headers if n.lower() not in OF_ONE_CONNECTION]


@contextmanager
def counting_proxy(
    upstream: str, trouble: Trouble = no_trouble
) -> Iterator[tuple[str, list[Asked]]]:
    """Stand before the server at ``upstream``; gives the address, and a list that grows."""
    with (
        httpx.Client(base_url=upstream, timeout=60, trust_env=False) as http,
        _Server(("127.0.0.1", 0), _Connection) as server,
    ):
        server.upstream, server.asked = http, []
        server.befall, server.counting = trouble, threading.Lock()
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", server.asked
        finally:
            server.shutdown()
            thread.join()
