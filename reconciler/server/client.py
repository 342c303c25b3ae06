"""HTTP with tokens: sends one request, and returns JSON or raises a ServerError."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Final, Self

import httpx

from reconciler.errors import NotLabelStudio, SettingsError, TimedOut, Unreachable
from reconciler.plan.values import Json
from reconciler.server.address import checked_address
from reconciler.server.answers import URL_VARIABLE, json_of
from reconciler.server.tokens import Credentials

DEFAULT_TIMEOUT: Final = 120.0
"""Seconds to wait for an answer: a page of a large project can take the server long."""

_UNREACHED: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Client:
    """A connection to one server, for any number of threads.

    Each request has an ``httpx.Client`` to itself while it is under way: one pool shared by many
    costs more for every connection in it. There are as many as there ever were requests at once.
    The certificates are read once for all. ``transport`` takes the network's place in tests.
    """

    def __init__(
        self,
        address: str,
        credentials: Credentials,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.address = checked_address(address)
        self._credentials = credentials
        self._timeout = timeout
        self._transport = transport
        self._all: list[httpx.Client] = []
        self._idle: list[httpx.Client] = []
        self._trusted: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._requests = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._all:
            client.close()

    @property
    def requests(self) -> int:
        """How many requests have been sent, those for tokens included."""
        return self._requests

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        """GET a path below the address."""
        return self.fetch(path, query)()

    def fetch(self, path: str, query: Mapping[str, str] | None = None) -> Callable[[], Json]:
        """GET a path, and leave what the answer means to whoever calls for it.

        Where threads fetch, one thread should decode: what several decode at once lies in no
        cache when it is looked at.
        """
        return self._send("GET", path, query=query)

    def options(self, path: str) -> Json:
        """Ask what can be done at a path below the address."""
        return self._send("OPTIONS", path)()

    def patch(self, path: str, body: Mapping[str, Json]) -> Json:
        """PATCH a path with a JSON body, written exactly: integers and escapes as they are."""
        content = json.dumps(body, allow_nan=False, separators=(",", ":")).encode("ascii")
        return self._send("PATCH", path, content=content)()

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Callable[[], Json]:
        authorization = self._credentials.header(self._exchange)
        response = self._request(method, path, query=query, content=content, auth=authorization)
        refused = response.status_code == HTTPStatus.UNAUTHORIZED
        if refused and self._credentials.rejected(authorization):
            # A 401 is answered before anything is done: asking again cannot do it twice.
            authorization = self._credentials.header(self._exchange)
            response = self._request(method, path, query=query, content=content, auth=authorization)
        return partial(json_of, response, secret=authorization.partition(" ")[2])

    def _exchange(self, refresh: str) -> str:
        content = json.dumps({"refresh": refresh}).encode()
        response = self._request("POST", "/api/token/refresh", content=content)
        answer = json_of(response, secret=refresh)
        access = answer.get("access") if isinstance(answer, dict) else None
        if not isinstance(access, str):
            raise NotLabelStudio("the exchange of the personal access token gave no access token")
        return access

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
        auth: str | None = None,
    ) -> httpx.Response:
        headers = {"Accept": "application/json"}
        if auth is not None:
            headers["Authorization"] = auth
        if content is not None:
            headers["Content-Type"] = "application/json"
        with self._lock:
            self._requests += 1
        http = self._take()
        try:
            response = http.request(
                method, self.address + path, params=query, content=content, headers=headers
            )
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise SettingsError(f"{self.address} cannot be asked: {error}") from error
        except httpx.DecodingError as error:
            raise NotLabelStudio(f"{self.address} sent an answer that cannot be read") from error
        finally:
            self._idle.append(http)
        # The stream, read to its end, holds the response that holds it: with a page in it, that
        # would wait for the garbage collector.
        response.stream = httpx.ByteStream(b"")
        return response

    def _take(self) -> httpx.Client:
        """Take the client that was used last, or a new one where all are at work."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _connect(self) -> httpx.Client:
        try:
            http = httpx.Client(
                verify=self._certificates(),
                timeout=self._timeout,
                transport=self._transport,
                follow_redirects=False,
            )
        except (ImportError, OSError, ValueError) as error:
            # The environment names a proxy or certificates that cannot be used.
            raise SettingsError(
                f"no connection can be made: {error}",
                hint="check the variables ALL_PROXY, HTTPS_PROXY, HTTP_PROXY, SSL_CERT_FILE",
            ) from error
        with self._lock:
            self._all.append(http)
        return http

    def _certificates(self) -> ssl.SSLContext | bool:
        """Read the certificates that are trusted: it costs what 30 requests do."""
        if self._transport is not None:
            return True
        with self._lock:
            if self._trusted is None:
                self._trusted = httpx.create_ssl_context()
            return self._trusted

    def _unreachable(self, error: httpx.TransportError) -> Unreachable:
        said = str(error) or type(error).__name__
        if isinstance(error, _UNREACHED):
            hint = f"is the server up, and is {URL_VARIABLE} right?"
            return Unreachable(f"no answer from {self.address}: {said}", hint=hint)
        if isinstance(error, httpx.TimeoutException):
            said = f"no answer within {self._timeout:g} seconds"
            return TimedOut(f"the answer of {self.address} was lost: {said}")
        return Unreachable(f"the answer of {self.address} was lost: {said}")
