"""The sandbox on a port: where it serves, and how it ends."""

from __future__ import annotations

import threading
from socket import socket
from socketserver import ThreadingMixIn

import httpx
import pytest

from reconciler.sandbox import loopback_server as server
from reconciler.sandbox.access import SANDBOX_TOKEN
from reconciler.sandbox.state import State

HEADERS = {"Authorization": f"Token {SANDBOX_TOKEN}"}


def test_an_interrupt_comes_to_a_thread_that_serves_nobody(
    community: State, monkeypatch: pytest.MonkeyPatch
):
    """`socketserver` goes on after errors, and `threading` may make one of an interrupt."""
    served_by: list[threading.Thread] = []
    process_request = server._Server.process_request  # noqa: SLF001 - where threads are started

    def recorded(
        serving: ThreadingMixIn, request: socket | tuple[bytes, socket], client: object
    ) -> None:
        served_by.append(threading.current_thread())
        process_request(serving, request, client)

    def announce(url: str) -> None:
        assert httpx.get(f"{url}/api/tasks/1/", headers=HEADERS).status_code == 200
        raise KeyboardInterrupt

    monkeypatch.setattr(server._Server, "process_request", recorded)  # noqa: SLF001 - as above
    with pytest.raises(KeyboardInterrupt):
        server.serve_forever(community, 0, announce=announce)
    assert len(served_by) == 1
    assert threading.current_thread() not in served_by
