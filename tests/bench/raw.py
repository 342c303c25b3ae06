"""Requests sent with httpx and nothing else: one client a thread, answers read and dropped.

With ``at_once`` each answer is acknowledged as it comes, as apply and plan do it: what is judged
by the clock is not to wait for less than its floor. It costs CPU, and where that is what counts
it is left out.

``python -m tests.bench.raw FILE`` sends what the file lists and prints what it took, as JSON:
``cpu`` and ``wall`` in seconds, without the start of Python.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import httpx

Sent: TypeAlias = "tuple[str, str, Any]"
"""Method, target below the address of the server, and body or None."""


def write_orders(
    file: Path,
    *,
    url: str,
    token: str,
    in_flight: int,
    requests: Sequence[Sent],
    at_once: bool = False,
) -> Path:
    """Write down what is to be sent."""
    options = {
        "url": url,
        "token": token,
        "in_flight": in_flight,
        "requests": requests,
        "at_once": at_once,
    }
    file.write_text(json.dumps(options), encoding="utf-8")
    return file


def send(
    url: str, token: str, in_flight: int, requests: Iterable[Sent], *, at_once: bool = False
) -> dict[str, float]:
    """Send all of it from ``in_flight`` threads, and tell what that took.

    The clients share their certificates: reading them costs as much as fifty requests.
    """
    bodies = [(m, t, json.dumps(b).encode() if b is not None else None) for m, t, b in requests]
    waiting = _shared(iter(bodies))
    failed: list[BaseException] = []
    cpu, wall = time.process_time(), time.perf_counter()
    clients = partial(httpx.Client, verify=httpx.create_ssl_context(), timeout=300)
    arguments = (url, token, waiting, clients, at_once, failed)
    threads = [threading.Thread(target=_work, args=arguments) for _ in range(in_flight)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}


def _work(
    url: str,
    token: str,
    waiting: Iterator[Any],
    clients: Callable[..., httpx.Client],
    at_once: bool,  # noqa: FBT001 - threads take no names
    failed: list[BaseException],
) -> None:
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
    extensions = {"trace": _Acknowledging()} if at_once else {}
    try:
        with clients(headers=headers) as client:
            for method, target, content in waiting:
                client.request(
                    method, url + target, content=content, extensions=extensions
                ).raise_for_status()
    except httpx.HTTPError as error:
        failed.append(error)


class _Acknowledging:
    """Has answers acknowledged as they come, where the system can: told by httpx what happens."""

    socket: socket.socket

    def __call__(self, event: str, info: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            self.socket = info["return_value"].get_extra_info("socket")
        elif event == "http11.send_request_body.complete" and hasattr(socket, "TCP_QUICKACK"):
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _shared(requests: Iterator[Any]) -> Iterator[Any]:
    """Let several threads take from one iterator."""
    lock = threading.Lock()

    def take() -> object:
        with lock:
            return next(requests, None)

    return iter(take, None)


def main(file: str) -> None:
    """Send what a file lists."""
    options = json.loads(Path(file).read_text(encoding="utf-8"))
    sys.stdout.write(json.dumps(send(**options)))


if __name__ == "__main__":
    main(*sys.argv[1:])
