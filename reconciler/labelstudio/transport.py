"""Connections to one server, each for one request at a time, and none for longer than it may."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import httpx

from reconciler.errors import SettingsError
from reconciler.labelstudio.certificates import start_reading_certificates
from reconciler.labelstudio.network import Network
from reconciler.labelstudio.proxies import build_httpx_proxy

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
        self,
        address: str,
        network: Network,
        *,
        timeout: float,
        transport: httpx.BaseTransport | None,
    ) -> None:
        self._proxy = network.proxy
        self._timeout = timeout
        self._transport = transport
        self._all: list[Connection] = []
        self._idle: list[Connection] = []
        self._trusted = start_reading_certificates(address, network.certificate)
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
                proxy=build_httpx_proxy(self._proxy),
                # What httpx would take from there is chosen in `proxies` and `certificates`.
                trust_env=False,
            )
        except ImportError as error:  # of what httpx needs for SOCKS
            named = self._proxy.variable if self._proxy else "a variable"
            raise SettingsError(f"{named} names a SOCKS proxy: {error}") from error
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
