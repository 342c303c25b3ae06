"""Connections to one server, each for one request at a time, and none for longer than it may."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

import httpx

from reconciler.errors import SettingsError

LOOKS: Final = 10
"""How many times within the time that a request has is looked whether it is over."""


class Connection:
    """One ``httpx.Client``, of which one request is under way at most.

    ``ends`` is when that one has to be over, by `time.monotonic`; None where there is none.
    """

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.ends: float | None = None
        self._socket: socket.socket | None = None

    def send(self, request: httpx.Request, *, seconds: float) -> httpx.Response:
        """Send a request, and return its answer as soon as its body begins."""
        self.ends = time.monotonic() + seconds
        request.extensions["trace"] = self._trace
        return self.http.send(request, stream=True)

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Keep what was connected, which httpx shows only later; have answers acknowledged."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
        elif event.endswith("send_request_body.complete"):
            self._acknowledge_at_once()

    def _acknowledge_at_once(self) -> None:
        """Let the system acknowledge the answer as it comes, where it can; once for each request.

        `label-studio start` sends the headers, and the body only when they are acknowledged: by
        itself Linux waits 40 ms for that, which is half of what a small request takes. (Nagle's
        algorithm there, a delayed ACK here; Label Studio 1.23.2. TCP_QUICKACK does not last.)
        """
        if self._socket is not None and hasattr(socket, "TCP_QUICKACK"):
            with suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def cut(self) -> None:
        """Let whoever waits for the server wait no more."""
        if self._socket is not None:
            with suppress(OSError):
                # That of the base class: who reads from a TLS socket is not to find it changed.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class Connections:
    """As many connections as there ever were requests at once, and a thread that watches them.

    A time-out of httpx is for each single read: a server that sends a byte now and then would
    hold a run for ever. So connections whose time is over are cut. ``transport`` takes the
    network's place in tests.
    """

    def __init__(
        self, address: str, *, timeout: float, transport: httpx.BaseTransport | None
    ) -> None:
        self._timeout = timeout
        self._transport = transport
        self._all: list[Connection] = []
        self._idle: list[Connection] = []
        self._trusted = _certificates(address)
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def close(self) -> None:
        """Close all of them."""
        self._closed.set()
        for connection in self._all:
            connection.http.close()

    def take(self) -> Connection:
        """Take the connection that was used last, or a new one where all are at work."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def give_back(self, connection: Connection) -> None:
        """Let others use a connection."""
        connection.ends = None
        self._idle.append(connection)

    def _connect(self) -> Connection:
        try:
            http = httpx.Client(
                verify=self._trusted.result(),
                timeout=self._timeout,
                transport=self._transport,
                follow_redirects=False,
            )
        except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
            # The environment names a proxy or certificates that cannot be used. What is said of an
            # address that cannot be read may be a part of its password.
            hidden = isinstance(error, httpx.InvalidURL)
            said = "the address of a proxy cannot be read" if hidden else str(error)
            raise SettingsError(
                f"no connection can be made: {said}",
                hint="check the variables ALL_PROXY, HTTPS_PROXY, HTTP_PROXY, SSL_CERT_FILE",
            ) from error
        connection = Connection(http)
        with self._lock:
            self._all.append(connection)
            if len(self._all) == 1 and self._transport is None:
                threading.Thread(target=self._watch, daemon=True).start()
        return connection

    def _watch(self) -> None:
        while not self._closed.wait(min(1.0, self._timeout / LOOKS)):
            now = time.monotonic()
            for connection in tuple(self._all):
                ends = connection.ends  # Another thread may take it back between two looks.
                if ends is not None and ends < now:
                    connection.cut()


def _certificates(address: str) -> Future[ssl.SSLContext]:
    """Begin to read the certificates that are trusted, while manifests are read.

    It takes 30 ms, most of it without the GIL. The process waits for it even where nobody does:
    OpenSSL must not be taken down while it reads. Where no certificate will be looked at, none is
    trusted.
    """
    if not address.startswith("https:"):
        nobody = Future[ssl.SSLContext]()
        nobody.set_result(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        return nobody
    reader = ThreadPoolExecutor(1)
    reading = reader.submit(httpx.create_ssl_context)
    reader.shutdown(wait=False)
    return reading
