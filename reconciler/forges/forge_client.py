"""JSON over HTTP with the token of a forge."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

import httpx

from reconciler.core.server_address import is_plaintext
from reconciler.core.values import Json
from reconciler.errors import ForgeError, SettingsError
from reconciler.labelstudio.network import Network
from reconciler.labelstudio.secret_values import Secrets
from reconciler.labelstudio.transport import prepare_connecting

PAGE_SIZE: Final = 100
"""Rows of a page: the most that GitHub and GitLab send."""

_PAGES_MAX: Final = 100
_SECONDS: Final = 30.0
_PAUSES: Final = (1.0, 3.0)
"""Seconds before a read is tried again."""

_SIZE_MAX: Final = 64 * 1024 * 1024
_BODY_MAX: Final = 300
_TEXT_MAX: Final = 100 * _BODY_MAX
_SERVER_ERRORS: Final = range(500, 600)


@dataclass(frozen=True, slots=True)
class _Answer:
    """The JSON of a response, and whether its list goes on."""

    content: Json
    goes_on: bool


class ForgeClient:
    """Sends requests below one address; ``headers`` hold the token, and go nowhere else.

    Redirects are not followed. Reads are tried three times. No error repeats the token.
    ``transport`` and ``sleep`` replace the network and the clock in tests.
    """

    def __init__(
        self,
        address: str,
        headers: Mapping[str, str],
        network: Network,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if is_plaintext(address):
            raise SettingsError(
                f"{address}: the token would be sent without encryption",
                hint="expected an https address",
            )
        self.address = address.rstrip("/")
        self._sleep = sleep
        self._secrets = Secrets(headers.values())
        self._client = httpx.Client(
            headers={"User-Agent": "reconciler", "Accept": "application/json", **headers},
            timeout=_SECONDS,
            follow_redirects=False,
            trust_env=False,
            transport=transport or prepare_connecting(address, network)(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **query: str) -> Json:
        """GET a path; raises ForgeError."""
        return self._read("GET", path, query=query).content

    def get_rows(self, path: str, **query: str) -> Iterator[dict[str, Json]]:
        """GET the objects of all pages of a list; raises ForgeError.

        GitLab removes from a page what the account may not see, so a short one need not be the
        last: the header Link says so.
        """
        for page in range(1, _PAGES_MAX + 1):
            paging = {"per_page": str(PAGE_SIZE), "page": str(page)}
            answer = self._read("GET", path, query={**query, **paging})
            if not isinstance(answer.content, list):
                raise ForgeError(f"{self.address}{path}: expected a list of objects")
            yield from (row for row in answer.content if isinstance(row, dict))
            if not answer.goes_on and len(answer.content) < PAGE_SIZE:
                return
        raise ForgeError(f"{self.address}{path}: more than {_PAGES_MAX * PAGE_SIZE:,} rows")

    def query(self, body: Mapping[str, Json]) -> dict[str, Json]:
        """POST a body that only asks, as GraphQL does; raises ForgeError."""
        return self._expect_object(self._read("POST", "", content=_encode(body)), "")

    def send(self, method: str, path: str, body: Mapping[str, Json]) -> dict[str, Json]:
        """Send a JSON body once, and return the object of the response; raises ForgeError."""
        return self._expect_object(self._send(method, path, content=_encode(body)), path)

    def _expect_object(self, answer: _Answer, path: str) -> dict[str, Json]:
        if not isinstance(answer.content, dict):
            raise ForgeError(f"{self.address}{path}: expected an object")
        return answer.content

    def _read(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> _Answer:
        for pause in _PAUSES:
            try:
                return self._send(method, path, query=query, content=content)
            except ForgeError as error:
                if not error.may_pass:
                    raise
            self._sleep(pause)
        return self._send(method, path, query=query, content=content)

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> _Answer:
        address = f"{self.address}{path}"
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            with self._client.stream(
                method, address, params=query or None, content=content, headers=headers
            ) as response:
                text = _read_body(response)
        except httpx.HTTPError as error:
            reason = self._secrets.hide(str(error)) or type(error).__name__
            raise ForgeError(f"{method} {address}: no response: {reason}", may_pass=True) from error
        if response.is_success:
            return _Answer(_decode(text, f"{method} {address}"), "next" in response.links)
        raise ForgeError(
            f"{method} {address}: the response was {response.status_code}: "
            f"{_shorten(self._secrets.hide(_find_message(text)))}",
            hint=_explain(response.status_code),
            may_pass=response.status_code in _SERVER_ERRORS,
        )


def _encode(body: Mapping[str, Json]) -> bytes:
    return json.dumps(body).encode()


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


def _find_message(text: bytes) -> str:
    """Return the message of an error response, or else its beginning."""
    try:
        told = json.loads(text)
        message = told.get("message", told.get("error", told))
    except (ValueError, RecursionError, AttributeError):
        message = text[:_TEXT_MAX].decode(errors="replace")
    return str(message)[:_TEXT_MAX]


def _shorten(message: str) -> str:
    """Write a message on one line, cut where it is long."""
    line = " ".join(message.split())
    return line if len(line) <= _BODY_MAX else f"{line[:_BODY_MAX]}…"


def _explain(status: int) -> str:
    if status in {401, 403}:
        return "check the token, and that it may write comments and issues"
    if status == 404:  # noqa: PLR2004 - not found
        return "check the address of the API and the repository, and that the token may read it"
    if 300 <= status < 400:  # noqa: PLR2004 - redirects
        return "redirects are not followed: set the final address"
    return ""
