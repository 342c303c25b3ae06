"""The sandbox behind an httpx client, without a socket."""

from __future__ import annotations

import httpx

from reconciler.sandbox.exchange import Request, Response
from reconciler.sandbox.routes import handle
from reconciler.sandbox.state import State


def handle_in_turn(state: State, request: Request) -> Response:
    """Call ``handle`` from several threads, one request at a time."""
    with state.lock:
        return handle(state, request)


class SandboxTransport(httpx.BaseTransport):
    """Lets ``httpx.Client(transport=SandboxTransport(state))`` send requests to the sandbox."""

    def __init__(self, state: State) -> None:
        self.state = state

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Respond from the state, whatever the host of the request."""
        response = handle_in_turn(self.state, read_httpx_request(request, request.read()))
        return make_httpx_response(response)


def read_httpx_request(request: httpx.Request, body: bytes) -> Request:
    """Convert a request of httpx into one of the sandbox."""
    return Request(
        request.method,
        request.url.path,
        request.url.query.decode("ascii"),
        {name.lower(): value for name, value in request.headers.items()},
        body,
    )


def make_httpx_response(response: Response) -> httpx.Response:
    """Convert a response of the sandbox into one of httpx."""
    return httpx.Response(response.status, headers=dict(response.headers), content=response.body)
