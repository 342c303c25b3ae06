"""What may become of an update on its way, and a sender whose updates meet it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx

from reconciler.executor.fresh_read import FreshReader
from reconciler.executor.ignored_attributes import IgnoredAttributes
from reconciler.executor.update import UpdateSender
from reconciler.labelstudio.task_api import TaskApi
from reconciler.sandbox.sandbox_transport import SandboxTransport
from tests.sandboxed import CONTRACT
from tests.unit.labelstudio.wired import Hooked, look_of

Fate = Callable[[httpx.Request, SandboxTransport], httpx.Response]
"""What becomes of one update."""


def let(transport: Hooked, *fates: Fate) -> None:
    """Let the first updates meet their fates, one after the other; all others are well."""
    waiting = list(fates)
    server = SandboxTransport(transport.state)

    def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "PATCH" or not waiting:
            return None
        return waiting.pop(0)(request, server)

    transport.hook = hook


def refused(_: httpx.Request, __: SandboxTransport) -> httpx.Response:
    raise httpx.ConnectError("Connection refused")


def lost_on_the_way(_: httpx.Request, __: SandboxTransport) -> httpx.Response:
    raise httpx.ReadError("connection reset")


def stored_and_lost(request: httpx.Request, server: SandboxTransport) -> httpx.Response:
    server.handle_request(request)
    raise httpx.ReadTimeout("timed out")


def of_another_task(request: httpx.Request, server: SandboxTransport) -> httpx.Response:
    server.handle_request(request)
    return httpx.Response(200, json={"id": 99})


def answering(status: int, *, stored: bool = False, **headers: str) -> Fate:
    def answer(request: httpx.Request, server: SandboxTransport) -> httpx.Response:
        if stored:
            server.handle_request(request)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.Response(status, json={"detail": "No."}, headers=named)

    return answer


def page(status: int, *, stored: bool) -> Fate:
    def answer(request: httpx.Request, server: SandboxTransport) -> httpx.Response:
        if stored:
            server.handle_request(request)
        return httpx.Response(status, html="<title>Gateway</title>")

    return answer


STORED = {
    "lost": stored_and_lost,
    "about another task": of_another_task,
    "page": page(200, stored=True),
    **{str(status): answering(status, stored=True) for status in (408, 500, 502, 503, 504)},
}
NOT_STORED = {
    "lost": lost_on_the_way,
    "page": page(200, stored=False),
    **{str(status): answering(status) for status in (408, 500, 502, 503, 504)},
}


def sender_of(
    api: TaskApi,
    may_begin: Callable[[], bool] = lambda: True,
    *,
    ignored: IgnoredAttributes | None = None,
    stop: threading.Event | None = None,
) -> UpdateSender:
    """Make what an apply sends its updates with."""
    return UpdateSender(
        api=api,
        reader=FreshReader(api, CONTRACT),
        ignored=ignored or IgnoredAttributes(look_of(api), CONTRACT),
        stop=stop or threading.Event(),
        may_begin=may_begin,
    )
