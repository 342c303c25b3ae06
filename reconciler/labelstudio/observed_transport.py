"""A transport that notes when each request was sent, and what its response shows besides JSON."""

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


class ObservedTransport(httpx.BaseTransport):
    """Sends at most ``requests_max`` requests, from any number of threads.

    ``connect`` makes the transport below, at the first request. ``now`` is a clock in seconds since
    1970. ``clock`` and ``tls`` are what the response shows that took the least time, and the last
    one with TLS; None before there was any.
    """

    def __init__(
        self, connect: Connect, *, requests_max: int, now: Callable[[], float] = time.time
    ) -> None:
        self._connect = connect
        self._requests_max = requests_max
        self._now = now
        self._inner: httpx.BaseTransport | None = None
        self._lock = threading.Lock()
        self.requests = 0
        self.clock: ClockReading | None = None
        self.tls: TlsFacts | None = None

    @property
    def left(self) -> int:
        """How many more requests may be sent."""
        return self._requests_max - self.requests

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; raises Unreachable if there were too many."""
        with self._lock:
            if not self.left:
                message = f"{self._requests_max} requests were sent, and no more may be"
                raise Unreachable(message, given_up=True)
            self.requests += 1
            inner = self._inner = self._inner or self._connect()
        sent = self._now()
        response = inner.handle_request(request)
        self._note(response, sent, self._now())
        return response

    def close(self) -> None:
        """Close all connections."""
        if self._inner is not None:
            self._inner.close()

    def _note(self, response: httpx.Response, sent: float, received: float) -> None:
        tls = _read_tls(response)
        date = parse_http_date(response.headers.get("date", ""))
        with self._lock:
            self.tls = tls or self.tls
            quickest = self.clock is None or received - sent < self.clock.received - self.clock.sent
            if date is not None and quickest:
                self.clock = ClockReading(date, sent, received)


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
