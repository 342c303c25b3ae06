"""Sending requests to a server, each over its own connection and within its time limit."""

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

CHECKS_PER_TIMEOUT: Final = 10
"""How many times the watching thread checks within the time limit of a request."""

NOT_CONNECTED: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
)
"""Errors before a request is sent, including those of a proxy that cannot reach the server."""

Connect = Callable[[], httpx.BaseTransport]
"""Makes a transport for one request at a time."""


def prepare_connecting(address: str, network: Network) -> Connect:
    """Begin to read the certificates for an address, and return a function that connects to it.

    That function raises SettingsError.
    """
    certificates = start_reading_certificates(address, network)

    def connect() -> httpx.BaseTransport:
        proxy = network.proxy
        try:
            return httpx.HTTPTransport(
                verify=certificates.result(),
                trust_env=False,
                proxy=build_httpx_proxy(proxy, network.authorities),
            )
        except ImportError as error:  # of the package that httpx needs for SOCKS
            variable = proxy.variable if proxy else "a variable"
            raise SettingsError(
                f"{variable} names a SOCKS proxy, but the package socksio is not installed",
                hint="install it with pip install 'httpx[socks]', or use an HTTP proxy",
            ) from error

    return connect


def choose_connect(
    address: str, network: Network, transport: httpx.BaseTransport | None
) -> Connect:
    """Return what makes connections to an address; ``transport`` replaces the network in tests."""
    return (lambda: transport) if transport else prepare_connecting(address, network)


class ServerTransport(httpx.BaseTransport):
    """Sends requests from any number of threads, and ends those that exceed their time limit.

    Each running request has its own connection: a pool that many threads share becomes slower with
    each connection in it. A time-out of httpx is for each single read, so a server that sends a
    byte now and then could hold a run forever. Here a request has ``timeout`` seconds, by the clock
    ``now``, until the last byte of its response, and then raises ReadTimeout; a watching thread
    cuts off the requests that still wait for the server then. ``connect`` makes connections.

    Redirects are not followed, as they may lead to another host, which must not get the token.
    Cookies are not kept, as that of a load balancer would lead all threads to one backend.
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
        """Send a request, and return the response as soon as its body begins."""
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
        """Take the connection that was used last, or a new one if all are in use."""
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
        while not self._closed.wait(min(1.0, self._timeout / CHECKS_PER_TIMEOUT)):
            now = self._now()
            for connection in tuple(self._all):
                ends = connection.ends  # Read once: another thread may reset it to None.
                if ends is not None and ends < now:
                    connection.cut()


class _Connection:
    """A connection for one request at a time; ``ends`` is the time limit of a running request.

    ``on_connect`` is called for each new socket.
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
        """Send a request, whose time is over at ``ends``."""
        self.ends = ends
        request.extensions["trace"] = self._trace
        try:
            return self._transport.handle_request(request)
        except httpx.TransportError as error:
            self.raise_if_late(error)
            raise

    def raise_if_late(self, error: httpx.TransportError) -> None:
        """Raise ReadTimeout for a failure after the time limit: mostly the request was cut off."""
        if self.is_late and not isinstance(error, NOT_CONNECTED):
            raise httpx.ReadTimeout(str(error)) from error

    @property
    def is_late(self) -> bool:
        """Whether the time of the request is over."""
        return self.ends is not None and self._now() >= self.ends

    def cut(self) -> None:
        """End the wait of the thread that waits for the server."""
        if self._socket is not None:
            with suppress(OSError):
                # Not SSLSocket.shutdown: it changes the socket, from which another thread reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection, even if a request is running."""
        self._transport.close()

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Note the new socket, which httpx shows only later; acknowledge responses at once."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            self._on_connect()
        elif event.endswith("send_request_body.complete"):
            self._acknowledge_at_once()

    def _acknowledge_at_once(self) -> None:
        """Let the system acknowledge the response at once, if it can; for this request only.

        `label-studio start` sends the body only when the headers have been acknowledged. Linux
        delays that by 40 ms, half the time of a small request. (Nagle's algorithm there, a delayed
        ACK here; Label Studio 1.23.2. TCP_QUICKACK does not last, so each request sets it.)
        """
        if self._socket is not None and hasattr(socket, "TCP_QUICKACK"):
            with suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


class _TimedStream(httpx.SyncByteStream):
    """The body of a response, as it arrives, until its time is over."""

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
        """End the response, and free its connection for others."""
        try:
            self._stream.close()
        finally:
            self._give_back(self._connection)
