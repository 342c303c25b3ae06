"""HTTP with tokens: sends requests, repeats them if that helps, and returns JSON or raises."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Final, Self

import httpx

from reconciler.core.server_address import normalize_address
from reconciler.core.values import Json
from reconciler.errors import (
    NotLabelStudio,
    ServerError,
    SettingsError,
    TimedOut,
    Unauthorised,
    Unreachable,
)
from reconciler.labelstudio.authentication import Credentials
from reconciler.labelstudio.connection_failure import is_client_refused, make_not_sent
from reconciler.labelstudio.main_thread import call_outside_main_thread
from reconciler.labelstudio.network import DIRECT, Network
from reconciler.labelstudio.origins import UNKNOWN, Origins
from reconciler.labelstudio.response import SERVER_ADDRESS, Response
from reconciler.labelstudio.retry import Attempts, Backoff, RequestKind
from reconciler.labelstudio.secret_values import Secrets
from reconciler.labelstudio.transport import (
    NOT_CONNECTED,
    Connect,
    ServerTransport,
    choose_connect,
)

DEFAULT_TIMEOUT: Final = 120.0
"""Seconds to wait for a whole response: the server may take long for a page of a large project."""

SIZE_MAX: Final = 256 * 1024 * 1024
"""Most bytes of a decompressed response: hundreds of times the usual, but they fit in memory."""

CACHE_BUSTER: Final = "_"
"""A query parameter that servers ignore. It makes the address of each read unique, so that a cache
in front of the server, even one that ignores Cache-Control, cannot serve the fresh read of an apply
with the response that the plan got."""

_ENCODINGS: Final = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
"""Content encodings with which one chunk expands at most about a thousand times."""


class Client:
    """Sends requests to one server and reads its responses, from any number of threads.

    ``network`` says how to reach the server, and what to send besides the token. ``timeout`` limits
    a whole request, in seconds; ``size_max`` limits the response to a read, in bytes. Reads are
    repeated if that may help, after pauses by ``backoff``. ``connect`` makes connections in another
    way than ``network`` says. If ``hides_answers``, errors do not quote what the server says. In
    tests, ``transport`` replaces the network.
    """

    def __init__(  # noqa: PLR0913 - what differs from run to run, and from test to test
        self,
        address: str,
        credentials: Credentials,
        *,
        network: Network = DIRECT,
        origins: Origins = UNKNOWN,
        timeout: float = DEFAULT_TIMEOUT,
        size_max: int = SIZE_MAX,
        transport: httpx.BaseTransport | None = None,
        backoff: Backoff | None = None,
        connect: Connect | None = None,
        hides_answers: bool = False,
    ) -> None:
        self.address = normalize_address(address)
        self.backoff = backoff or Backoff()
        self._credentials = credentials
        self._timeout = timeout
        self._size_max = size_max
        self._network = network
        self._origins = origins
        self._secrets = Secrets(network.headers.values(), hides_answers=hides_answers)
        if connect is None:
            connect = choose_connect(self.address, network, transport)
        self._transport = ServerTransport(connect, timeout=timeout, now=self.backoff.now)
        self._lock = threading.Lock()
        self._requests = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    @property
    def requests(self) -> int:
        """How many requests have been sent, including those for tokens and repeated ones."""
        return self._requests

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        """GET a path below the address."""
        return self.fetch(path, query)()[0]

    def fetch(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        kind: RequestKind = RequestKind.READ,
    ) -> Callable[[], tuple[Json, int]]:
        """GET a path, and return a function that decodes the response to its JSON and its length.

        If several threads fetch, let one thread decode: values that several threads decode at the
        same time are no longer in the CPU's cache when they are used. If the response cannot be
        decoded, that function repeats the request. ``kind`` decides how often.
        """
        attempts = Attempts(self.backoff, kind)
        send = partial(self._send, "GET", path, query=query)
        return partial(self._decode, self._send_until_good(send, attempts), send, attempts)

    def _send_until_good(self, send: Callable[[], Response], attempts: Attempts) -> Response:
        """Send until an attempt succeeds; raises the error of the last attempt."""
        while True:
            self.backoff.until_welcome()
            try:
                return send()
            except ServerError as error:
                if not attempts.wait_after(error):
                    raise

    def _decode(
        self, answer: Response, send: Callable[[], Response], attempts: Attempts
    ) -> tuple[Json, int]:
        while True:
            try:
                return answer.json(), len(answer.content)
            except ServerError as error:
                if not attempts.wait_after(error):
                    raise
            answer = self._send_until_good(send, attempts)

    def options(self, path: str) -> Json:
        """Ask what a path below the address supports; only once, as a run can do without it."""
        return self._send("OPTIONS", path).json()

    def patch(self, path: str, body: Mapping[str, Json]) -> Json:
        """PATCH a path with a JSON body, without loss: integers and escapes stay as they are.

        It is sent once: the caller decides whether it may be sent again.
        """
        content = json.dumps(body, allow_nan=False, separators=(",", ":")).encode("ascii")
        return self._send("PATCH", path, content=content).json()

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Response:
        """Send a request, and again with a new access token if the first one was refused."""
        auth = self._credentials.get_header(self._exchange_token)
        answer = self._request(method, path, query=query, content=content, auth=auth)
        refused = answer.response.status_code == HTTPStatus.UNAUTHORIZED
        if refused and self._credentials.forget(auth):
            # The server checks the token before it does anything: the request is not done twice.
            auth = self._credentials.get_header(self._exchange_token)
            answer = self._request(method, path, query=query, content=content, auth=auth)
        answer.raise_if_bad()
        return answer

    def _exchange_token(self, refresh: str) -> str:
        content = json.dumps({"refresh": refresh}).encode()

        def send() -> Response:
            answer = self._request("POST", "/api/token/refresh", content=content, secret=refresh)
            answer.raise_if_bad()
            return answer

        attempts = Attempts(self.backoff, RequestKind.READ)
        try:
            answer = self._send_until_good(send, attempts)
            return _read_access_token(self._decode(answer, send, attempts)[0])
        except Unauthorised as error:
            message = f"the personal access token was refused: {error.message}"
            raise error.restate(message, given_up=True) from error
        except ServerError as error:
            raise error.restate(error.message, given_up=True) from error

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
        auth: str = "",
        secret: str = "",
    ) -> Response:
        headers = {
            **self._network.headers,
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "Cache-Control": "no-cache",
            "User-Agent": "reconciler",
        }
        if auth:
            headers["Authorization"] = auth
        if content is not None:
            headers["Content-Type"] = "application/json"
        if method == "GET":
            query = {**(query or {}), CACHE_BUSTER: f"{time.time_ns():x}"}
        with self._lock:
            self._requests += 1
        secret = secret or auth.partition(" ")[2]
        try:
            request = httpx.Request(
                method, self.address + path, params=query, content=content, headers=headers
            )
            response, body = call_outside_main_thread(partial(self._receive, request))
        except httpx.TransportError as error:
            raise self._explain_unreachable(error, secret) from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise SettingsError(f"cannot send a request to {self.address}: {error}") from error
        self.backoff.answered = True
        return Response(response, body, secret, self._secrets, self._origins)

    def _receive(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        """Send a request, and read the body of the response."""
        response = self._transport.handle_request(request)
        try:
            return response, self._read_body(response)
        except httpx.DecodingError as error:
            message = f"{self.address} sent a response that cannot be decompressed"
            raise NotLabelStudio(message, status=response.status_code) from error
        finally:
            response.close()
            # The stream and the response refer to each other: without this, the body would stay in
            # memory until the garbage collector runs.
            response.stream = httpx.ByteStream(b"")

    def _read_body(self, response: httpx.Response) -> bytes:
        """Read a body as it arrives, and stop if it exceeds the limit."""
        encoding = response.headers.get("content-encoding", "").lower()
        if encoding not in _ENCODINGS:
            message = f"{self.address} sent a response with a compression that was not requested"
            raise NotLabelStudio(message, status=response.status_code)
        # A task is smaller than a page, and each running update has a response in memory.
        most = self._size_max if response.request.method == "GET" else self._size_max // 8
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > most:
                message = f"{self.address} sent a response of more than {most >> 20} MB"
                raise NotLabelStudio(message, hint=f"is {SERVER_ADDRESS} right?")
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _explain_unreachable(self, error: httpx.TransportError, secret: str) -> Unreachable:
        # The text of an error about a malformed response may quote the response.
        message = self._secrets.hide(str(error), secret) or type(error).__name__
        if isinstance(error, NOT_CONNECTED) or is_client_refused(message):
            return make_not_sent(self.address, message, self._network, self._origins.address)
        if isinstance(error, httpx.TimeoutException):
            return TimedOut(f"no complete response from {self.address} in {self._timeout:g} s")
        return Unreachable(f"no complete response from {self.address}: {message}")


def _read_access_token(answer: Json) -> str:
    """Return the token of a response to an exchange; it must be valid in a header."""
    access = answer.get("access") if isinstance(answer, dict) else None
    if isinstance(access, str) and access and access.isascii() and access.isprintable():
        return access
    raise NotLabelStudio("the server returned no access token for the personal access token")
