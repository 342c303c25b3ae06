"""Counting requests, and noting what their responses show besides their content."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from ssl import cert_time_to_seconds
from typing import Any

import httpx

from reconciler.core.observations import ClockReading, TlsFacts
from reconciler.errors import Unreachable
from reconciler.labelstudio.retry import parse_http_date
from reconciler.labelstudio.transport import Connect


class ResponseObserver:
    """Lets at most ``requests_max`` requests pass, from any number of threads and connections.

    ``connect`` makes the connections to observe. ``now`` is a clock in seconds since 1970.
    ``clock`` is what the response shows that took the least time, and ``tls`` what the last one
    with TLS shows; None before there was any.
    """

    def __init__(
        self, connect: Connect, *, requests_max: int, now: Callable[[], float] = time.time
    ) -> None:
        self._connect = connect
        self._requests_max = requests_max
        self._now = now
        self._lock = threading.Lock()
        self.requests = 0
        self.clock: ClockReading | None = None
        self.tls: TlsFacts | None = None

    @property
    def left(self) -> int:
        """How many more requests may be sent."""
        return self._requests_max - self.requests

    def connect(self) -> httpx.BaseTransport:
        """Make an observed connection."""
        return _ObservedTransport(self._connect(), self)

    def send(self, inner: httpx.BaseTransport, request: httpx.Request) -> httpx.Response:
        """Send a request over a connection; raises Unreachable if there were too many."""
        with self._lock:
            if not self.left:
                message = f"{self._requests_max} requests were sent, and no more may be"
                raise Unreachable(message, given_up=True)
            self.requests += 1
        sent = self._now()
        response = inner.handle_request(request)
        self._note(response, sent, self._now())
        return response

    def _note(self, response: httpx.Response, sent: float, received: float) -> None:
        tls = _read_tls(response)
        date = parse_http_date(response.headers.get("date", ""))
        with self._lock:
            self.tls = tls or self.tls
            quickest = self.clock is None or received - sent < self.clock.received - self.clock.sent
            if date is not None and quickest:
                self.clock = ClockReading(date, sent, received)


class _ObservedTransport(httpx.BaseTransport):
    """One connection, whose requests an observer sends."""

    def __init__(self, inner: httpx.BaseTransport, observer: ResponseObserver) -> None:
        self._inner = inner
        self._observer = observer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._observer.send(self._inner, request)

    def close(self) -> None:
        self._inner.close()


def _read_tls(response: httpx.Response) -> TlsFacts | None:
    """Return what the connection of a response shows of its encryption; None without any."""
    stream = response.extensions.get("network_stream")
    # An internal class of the module ssl, with the methods of SSLSocket.
    tls: Any = None if stream is None else stream.get_extra_info("ssl_object")
    if tls is None:
        return None
    ends = (tls.getpeercert() or {}).get("notAfter")
    try:
        expires = cert_time_to_seconds(ends) if isinstance(ends, str) else None
    except ValueError:
        expires = None
    return TlsFacts(tls.version() or "TLS", expires)
