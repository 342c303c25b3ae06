"""How requests reach a server: each over a connection of its own, and for no longer than it may."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, cast

import httpx

from reconciler.errors import SettingsError
from reconciler.labelstudio.certificates import start_reading_certificates
from reconciler.labelstudio.network import Network
from reconciler.labelstudio.proxies import build_httpx_proxy

LOOKS: Final = 10
"""How many times within the time that a request has is looked whether it is over."""

NOT_CONNECTED: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
)
"""Errors before a request is sent: of a proxy, too, which made no way to the server."""

Connect = Callable[[], httpx.BaseTransport]
"""Makes what one request at a time is sent over."""


def prepare_connecting(address: str, network: Network) -> Connect:
    """Begin to read the certificates for an address, and return what connects to it.

    What is returned raises SettingsError.
    """
    trusted = start_reading_certificates(address, network)

    def connect() -> httpx.BaseTransport:
        proxy = network.proxy
        try:
            return httpx.HTTPTransport(
                verify=trusted.result(),
                trust_env=False,
                proxy=build_httpx_proxy(proxy, network.authorities),
            )
        except ImportError as error:  # of what httpx needs for SOCKS
            named = proxy.variable if proxy else "a variable"
            raise SettingsError(f"{named} names a SOCKS proxy: {error}") from error

    return connect


class ServerTransport(httpx.BaseTransport):
    """Sends requests of any number of threads, and ends those whose time is over.

    Each request has a connection to itself while it is under way: one pool shared by many costs
    more for every connection in it. A time-out of httpx is for each single read: a server that
    sends a byte now and then would hold a run for ever. So a request has ``timeout`` seconds by
    ``now``, a clock, to the last byte of its answer, and then raises ReadTimeout; whoever waits for
    the server longer than that is cut off by a thread that watches. ``connect`` makes connections.

    Nothing is followed or kept from one answer to the next: a redirect may lead to another host,
    where no token goes, and a cookie of a load balancer would lead all workers to one backend.
    """

    def __init__(
        self, connect: Connect, *, timeout: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._connect = connect
        self._timeout = timeout
        self._step_timeouts = httpx.Timeout(timeout).as_dict()
        self._now = now
        self._all: list[_Connection] = []
        self._idle: list[_Connection] = []
        self._watched = False
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return its answer as soon as its body begins."""
        request.extensions["timeout"] = self._step_timeouts
        connection = self._take()
        try:
            response = connection.send(request, ends=self._now() + self._timeout)
        except BaseException:
            self._give_back(connection)
            raise
        response.request = request
        if response.is_closed:
            self._give_back(connection)
        else:
            body = cast("httpx.SyncByteStream", response.stream)
            response.stream = _TimedStream(body, connection, self._give_back)
        return response

    def close(self) -> None:
        """Close all connections."""
        self._closed.set()
        for connection in self._all:
            connection.close()

    def _take(self) -> _Connection:
        """Take the connection that was used last, or a new one where all are at work."""
        try:
            return self._idle.pop()
        except IndexError:
            connection = _Connection(self._connect(), self._now, self._start_watching)
        with self._lock:
            self._all.append(connection)
        return connection

    def _give_back(self, connection: _Connection) -> None:
        connection.ends = None
        self._idle.append(connection)

    def _start_watching(self) -> None:
        with self._lock:
            if not self._watched:
                self._watched = True
                threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._closed.wait(min(1.0, self._timeout / LOOKS)):
            now = self._now()
            for connection in tuple(self._all):
                ends = connection.ends  # Another thread may take it back between two looks.
                if ends is not None and ends < now:
                    connection.cut()


class _Connection:
    """What one request at a time is sent over; ``ends`` is when that has to be over, if any is.

    ``on_connect`` is told of each socket.
    """

    def __init__(
        self,
        transport: httpx.BaseTransport,
        now: Callable[[], float],
        on_connect: Callable[[], None],
    ) -> None:
        self.ends: float | None = None
        self._transport = transport
        self._now = now
        self._on_connect = on_connect
        self._socket: socket.socket | None = None

    def send(self, request: httpx.Request, *, ends: float) -> httpx.Response:
        """Send a request that is over when ``ends`` has come."""
        self.ends = ends
        request.extensions["trace"] = self._trace
        try:
            return self._transport.handle_request(request)
        except httpx.TransportError as error:
            self.raise_if_late(error)
            raise

    def raise_if_late(self, error: httpx.TransportError) -> None:
        """Raise ReadTimeout for what failed when its time was over: mostly it was cut off."""
        if self.is_late and not isinstance(error, NOT_CONNECTED):
            raise httpx.ReadTimeout(str(error)) from error

    @property
    def is_late(self) -> bool:
        """Whether the time of the request is over."""
        return self.ends is not None and self._now() >= self.ends

    def cut(self) -> None:
        """Let whoever waits for the server wait no more."""
        if self._socket is not None:
            with suppress(OSError):
                # That of the base class: who reads from a TLS socket is not to find it changed.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it, whatever is under way."""
        self._transport.close()

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Keep what was connected, which httpx shows only later; have answers acknowledged."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            self._on_connect()
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


class _TimedStream(httpx.SyncByteStream):
    """The body of an answer, as it comes, until its time is over."""

    def __init__(
        self,
        stream: httpx.SyncByteStream,
        connection: _Connection,
        give_back: Callable[[_Connection], None],
    ) -> None:
        self._stream = stream
        self._connection = connection
        self._give_back = give_back

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._stream:
                if self._connection.is_late:
                    raise httpx.ReadTimeout("the time of the request is over")
                yield chunk
        except httpx.TransportError as error:
            self._connection.raise_if_late(error)
            raise

    def close(self) -> None:
        """End the answer; its connection is free for others then."""
        try:
            self._stream.close()
        finally:
            self._give_back(self._connection)
