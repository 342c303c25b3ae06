"""The sandbox behind an httpx client, without a socket."""

from __future__ import annotations

import httpx

from reconciler.sandbox.exchange import Request, Response
from reconciler.sandbox.routes import handle
from reconciler.sandbox.state import State


def answer_safely(state: State, request: Request) -> Response:
    """``handle`` for callers in several threads: one request after the other."""
    with state.lock:
        return handle(state, request)


class SandboxTransport(httpx.BaseTransport):
    """Lets ``httpx.Client(transport=SandboxTransport(state))`` talk to the sandbox."""

    def __init__(self, state: State) -> None:
        self.state = state

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer from the state, whatever host the request is meant for."""
        response = answer_safely(self.state, read_httpx_request(request, request.read()))
        return make_httpx_response(response)


def read_httpx_request(request: httpx.Request, body: bytes) -> Request:
    """Return a request of httpx as the sandbox takes it."""
    return Request(
        request.method,
        request.url.path,
        request.url.query.decode("ascii"),
        {name.lower(): value for name, value in request.headers.items()},
        body,
    )


def make_httpx_response(response: Response) -> httpx.Response:
    """Return the sandbox's answer as httpx takes it."""
    return httpx.Response(response.status, headers=dict(response.headers), content=response.body)
