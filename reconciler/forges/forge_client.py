"""JSON over HTTP with the token of a forge."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final, Self

import httpx

from reconciler.core.server_address import is_plaintext
from reconciler.core.values import Json
from reconciler.errors import ForgeError, SettingsError
from reconciler.labelstudio.certificates import read_certificates
from reconciler.labelstudio.network import Network
from reconciler.labelstudio.proxies import build_httpx_proxy

PAGE_SIZE: Final = 100
"""Rows of a page: the most that GitHub and GitLab send."""

_PAGES_MAX: Final = 100
_SECONDS: Final = 30.0
_TRIES: Final = 3
_SIZE_MAX: Final = 64 * 1024 * 1024
_BODY_MAX: Final = 300
_SERVER_ERRORS: Final = range(500, 600)


class ForgeClient:
    """Sends requests below one address; ``headers`` hold the token, and go nowhere else.

    Redirects are not followed. Reads are tried three times. ``transport`` replaces the network in
    tests.
    """

    def __init__(
        self,
        address: str,
        headers: Mapping[str, str],
        network: Network,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if is_plaintext(address):
            raise SettingsError(
                f"{address}: the token would be sent without encryption",
                hint="expected an https address",
            )
        self.address = address.rstrip("/")
        self._client = httpx.Client(
            headers={"User-Agent": "reconciler", "Accept": "application/json", **headers},
            timeout=_SECONDS,
            follow_redirects=False,
            trust_env=False,
            proxy=None if transport else build_httpx_proxy(network.proxy, network.authorities),
            verify=read_certificates(network.authorities),
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **query: str) -> Json:
        """GET a path; raises ForgeError."""
        for _ in range(_TRIES - 1):
            try:
                return self._send("GET", path, query=query)
            except ForgeError as error:
                if not error.may_pass:
                    raise
        return self._send("GET", path, query=query)

    def get_rows(self, path: str, **query: str) -> Iterator[dict[str, Json]]:
        """GET the objects of all pages of a list; raises ForgeError."""
        for page in range(1, _PAGES_MAX + 1):
            rows = self.get(path, **query, per_page=str(PAGE_SIZE), page=str(page))
            if not isinstance(rows, list):
                raise ForgeError(f"{self.address}{path}: expected a list of objects")
            yield from (row for row in rows if isinstance(row, dict))
            if len(rows) < PAGE_SIZE:
                return
        raise ForgeError(f"{self.address}{path}: more than {_PAGES_MAX * PAGE_SIZE:,} rows")

    def send(self, method: str, path: str, body: Mapping[str, Json]) -> dict[str, Json]:
        """Send a JSON body once, and return the object of the response; raises ForgeError."""
        answer = self._send(method, path, content=json.dumps(body).encode())
        if not isinstance(answer, dict):
            raise ForgeError(f"{self.address}{path}: expected an object")
        return answer

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Json:
        address = f"{self.address}{path}"
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            with self._client.stream(
                method, address, params=query or None, content=content, headers=headers
            ) as response:
                text = _read_body(response)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise ForgeError(f"{method} {address}: no response: {reason}", may_pass=True) from error
        if response.is_success:
            return _decode(text, f"{method} {address}")
        raise ForgeError(
            f"{method} {address}: the response was {response.status_code}: {_describe(text)}",
            hint=_explain(response.status_code),
            may_pass=response.status_code in _SERVER_ERRORS,
        )


def _read_body(response: httpx.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > _SIZE_MAX:
            raise ForgeError(f"{response.url}: a response of more than {_SIZE_MAX >> 20} MB")
    return bytes(body)


def _decode(text: bytes, what: str) -> Json:
    try:
        found: Json = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ForgeError(f"{what}: the response is not JSON") from error
    return found


def _describe(text: bytes) -> str:
    """Write the message of an error response on one line, cut where it is long."""
    try:
        told = json.loads(text)
        message = told.get("message", told.get("error", told))
    except (ValueError, RecursionError, AttributeError):
        message = text.decode(errors="replace")
    line = " ".join(str(message).split())
    return line if len(line) <= _BODY_MAX else f"{line[:_BODY_MAX]}…"


def _explain(status: int) -> str:
    if status in {401, 403}:
        return "check the token, and that it may write comments and issues"
    if status == 404:  # noqa: PLR2004 - not found
        return "check the address of the API and the repository, and that the token may read it"
    if 300 <= status < 400:  # noqa: PLR2004 - redirects
        return "redirects are not followed: set the final address"
    return ""
