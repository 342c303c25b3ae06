"""Servers on real sockets that drip, cut off, pack too well, or never end what they send."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import httpx
import pytest

from reconciler.errors import NotLabelStudio, TimedOut, Unreachable
from reconciler.labelstudio.authentication import parse_token
from reconciler.labelstudio.client import SIZE_MAX, Client
from reconciler.labelstudio.transport import ServerTransport
from reconciler.sandbox.access import SANDBOX_TOKEN
from tests.unit.labelstudio.patient import Patient

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Serve = Callable[[socket.socket, threading.Event], None]


@contextmanager
def client_on(
    serve: Serve,
    *,
    timeout: float = 20,
    size_max: int = SIZE_MAX,
    transport: httpx.BaseTransport | None = None,
) -> Iterator[Client]:
    """A client of a server that does as it is told with each connection."""
    over = threading.Event()
    backoff = Patient()
    backoff.now = time.monotonic
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with suppress(OSError):
                while not over.is_set():
                    connection, _ = listening.accept()
                    threading.Thread(target=answer, args=[connection], daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                connection.recv(65536)
                serve(connection, over)

        threading.Thread(target=accept, daemon=True).start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            with Client(
                address,
                parse_token(SANDBOX_TOKEN),
                timeout=timeout,
                size_max=size_max,
                backoff=backoff,
                transport=transport,
            ) as client:
                yield client
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)


def dripping(before: bytes) -> Serve:
    """Send a beginning, and then a byte now and then, for longer than anybody waits."""

    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(before)
        while not over.wait(0.02):
            connection.sendall(b"7")

    return serve


DRIPS = {
    "body": HEAD + b"Content-Length: 100000\r\n\r\n",
    "body of parts": HEAD + b"Transfer-Encoding: chunked\r\n\r\n10000\r\n",
    "length of a part": HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
    "headers": HEAD + b"X-Long: ",
    "status": b"HTTP/1.1 2",
}


@pytest.mark.parametrize("drips", DRIPS)
def test_an_answer_that_drips_is_cut_when_its_time_is_over(drips: str):
    with (
        client_on(dripping(DRIPS[drips]), timeout=0.3) as client,
        pytest.raises(Unreachable) as late,
    ):
        client.patch("/api/tasks/1/", {"overlap": 1})
    malformed = drips in {"length of a part", "status"} and "no complete response" in str(
        late.value
    )
    assert isinstance(late.value, TimedOut) or malformed


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        HEAD,
        HEAD + b"Content-Length: 100\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n[",
        b"\x00\x01\x02\r\n\r\n",
    ],
)
def test_an_answer_that_is_cut_off_is_lost(answer: bytes):
    with (
        client_on(lambda connection, _: connection.sendall(answer)) as client,
        pytest.raises(Unreachable, match="no complete response"),
    ):
        client.get("/api/tasks/1/")


def test_a_body_without_end_is_read_up_to_a_bound():
    def endless(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(HEAD + b"\r\n")
        while True:
            connection.sendall(b" " * 65536)

    with (
        client_on(endless, size_max=1 << 20) as client,
        pytest.raises(NotLabelStudio, match="a response of more than 1 MB"),
    ):
        client.get("/api/tasks/1/")


def test_a_body_that_unpacks_to_a_thousand_times_its_size_is_not_kept():
    bomb = gzip.compress(b" " * (8 << 20))
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    with (
        client_on(
            lambda connection, _: connection.sendall(head + bomb), size_max=1 << 20
        ) as client,
        pytest.raises(NotLabelStudio, match="a response of more than 1 MB"),
    ):
        client.get("/api/tasks/1/")


def test_a_connection_that_was_cut_is_made_anew():
    asked: list[int] = []

    def first_drips(connection: socket.socket, over: threading.Event) -> None:
        asked.append(1)
        if len(asked) == 1:
            dripping(DRIPS["headers"])(connection, over)
        else:
            connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")

    with client_on(first_drips, timeout=0.3) as client:
        assert client.get("/api/tasks/1/") == {}
    assert len(asked) == 2


class Connected(httpx.HTTPTransport):
    """The network, with the sockets that were connected."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)
        self.sockets: list[socket.socket] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        trace = request.extensions["trace"]

        def note(event: str, info: dict[str, Any]) -> None:
            trace(event, info)
            if event.endswith("connect_tcp.complete"):
                self.sockets.append(info["return_value"].get_extra_info("socket"))

        request.extensions["trace"] = note
        return super().handle_request(request)


@pytest.mark.skipif(
    not hasattr(socket, "TCP_QUICKACK"), reason="only Linux lets a program ask for it"
)
def test_every_answer_is_acknowledged_at_once():
    """A server that waits for that before it sends the body would lose 40 ms with each answer."""
    transport = Connected()
    at_once: list[bool] = []

    def serve(connection: socket.socket, over: threading.Event) -> None:
        while not over.is_set():
            at_once.append(_soon(partial(_acknowledges_at_once, transport.sockets[0])))
            connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")
            connection.recv(65536)

    with client_on(serve, transport=transport) as client:
        for _ in range(8):
            client.get("/")
    assert len(transport.sockets) == 1
    assert at_once[:8] == [True] * 8


def _acknowledges_at_once(client: socket.socket) -> bool:
    return bool(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK))


def _soon(true: Callable[[], bool]) -> bool:
    """Wait for what the client does right after it has sent its request."""
    until = time.monotonic() + 2
    while not true() and time.monotonic() < until:
        time.sleep(0.005)
    return true()


class Answering(httpx.BaseTransport):
    """A connection that answers, and tells whether it was closed."""

    def __init__(self) -> None:
        self.is_closed = False

    def handle_request(self, _: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(b"{}"))

    def close(self) -> None:
        self.is_closed = True


def test_threads_that_come_and_go_leave_no_connections_behind():
    """Each project of a plan is read by threads of its own: the next take over what there is."""
    made: list[Answering] = []

    def connect() -> Answering:
        made.append(Answering())
        return made[-1]

    with httpx.Client(transport=ServerTransport(connect, timeout=5)) as client:
        for _ in range(20):
            with ThreadPoolExecutor(3) as pool:
                list(pool.map(lambda _: client.get("http://label-studio.test/"), range(6)))
    assert len(made) <= 3
    assert all(connection.is_closed for connection in made)
