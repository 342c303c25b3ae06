"""What a response means: JSON, or an error with a hint."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, NoReturn

import httpx
import msgspec

from reconciler.core.notation import escape_invisible, shorten
from reconciler.core.server_address import TOKEN_VARIABLE
from reconciler.core.values import Json
from reconciler.errors import (
    Broken,
    NotFound,
    NotLabelStudio,
    Rejected,
    ServerError,
    Unauthorised,
)
from reconciler.labelstudio.certificates import CLIENT_VARIABLE
from reconciler.labelstudio.origins import UNKNOWN, Origins
from reconciler.labelstudio.retry import asks_too_long, parse_http_date, parse_retry_after
from reconciler.labelstudio.secret_values import Secrets

URL_VARIABLE: Final = "LABEL_STUDIO_URL"
SERVER_ADDRESS: Final = f"the server address in {URL_VARIABLE} or url"
"""Its name in hints: programs pass ``url``, and the command line mostly reads the variable."""

_HIDDEN: Final = "what the server says is not shown, as it may repeat redacted values"
_UNREADABLE: Final = "JSON that cannot be parsed"
_TITLE: Final = re.compile(
    r"<title[^>]*>(.*?)</title>|<h1[^>]*>(.*?)</h1>", re.IGNORECASE | re.DOTALL
)
_ADDRESS_HINT: Final = f"check {SERVER_ADDRESS}: is it Label Studio, and is a proxy in front of it?"
_CERTIFICATE_HINT: Final = (
    "a proxy in front of the server requires a client certificate: set "
    f"{CLIENT_VARIABLE} to its file"
)
_ANY_TOKEN: Final = f"{TOKEN_VARIABLE}, or token in Python,"
_REFUSALS: Final[Mapping[int, str]] = {
    HTTPStatus.UNAUTHORIZED: f"set {_ANY_TOKEN} to a valid token from "
    "Account & Settings in Label Studio",
    HTTPStatus.FORBIDDEN: f"set {_ANY_TOKEN} to a token whose user may do this",
}
"""What to do if Label Studio itself refuses a request."""

_FOREIGN_HINT: Final = (
    "Label Studio does not respond like this: does a proxy or gateway in front of it refuse the "
    "request?"
)
_OWN_SCHEMES: Final = frozenset({"token", "bearer"})
"""Schemes that Label Studio itself asks for; its 401 has `WWW-Authenticate: Token`."""

_LOGIN: Final = re.compile(
    r"/(log-?in|sign-?in|sso|oauth2?|saml2?|auth|authorize)(/|$|\.)", re.IGNORECASE
)
"""The path of a login page, of Label Studio or of another service."""

_LOGIN_HINT: Final = (
    f"an API token does not get past it: check that {SERVER_ADDRESS} is not the address of a web "
    "page, and ask the administrator of the login how programs get past it; if they need a header, "
    "set RECONCILER_HEADER_<NAME>"
)


@dataclass(frozen=True, slots=True)
class Response:
    """A response whose body has been read as ``content``, and the error that it stands for.

    ``secret`` is the token that was sent, and ``secrets`` holds the other secrets that were sent:
    some servers repeat them, messages never do. ``origins`` says where the token came from.
    """

    response: httpx.Response
    content: bytes
    secret: str
    secrets: Secrets
    origins: Origins = UNKNOWN

    def raise_if_bad(self) -> None:
        """Raise the ServerError that fits the status, unless the status is 2xx."""
        if not self.response.is_success:
            raise self._explain()

    def json(self) -> Json:
        """Parse without loss: integers of any size, and floats as the nearest double.

        Parts of what is read here are written back later. Raises NotLabelStudio.
        """
        try:
            return _decode(self.content)
        except (ValueError, RecursionError):
            found = _UNREADABLE if self._is_json else self._describe_page()
            raise self._explain_foreign(found) from None

    def _explain(self) -> ServerError:
        """Build the error for a status other than 2xx."""
        status, request = self.response.status_code, self._request_line
        if self.response.is_redirect:
            return self._explain_redirect()
        detail = self._describe_detail()
        message = f"{request} returned {status}: {detail}"
        if status in _REFUSALS:
            hint = self._choose_refusal_hint(_REFUSALS[status])
            return self._make_error(Unauthorised, message, hint=hint)
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and self.response.request.content:
            return self._explain_too_large(detail)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            if self._is_json:
                return self._make_error(Broken, message)
            message = f"{request} returned {status} with {detail}"
            return self._make_error(Broken, message, hint=_ADDRESS_HINT)
        if not self._is_json:
            return self._explain_foreign(detail)
        return self._make_error(NotFound if status == HTTPStatus.NOT_FOUND else Rejected, message)

    def _make_error(self, kind: type[ServerError], message: str, *, hint: str = "") -> ServerError:
        """Make an error of a kind, with the wait that the response asks for, if any."""
        wait = None if self.response.is_success else self._read_retry_after()
        if wait is not None and asks_too_long(wait):
            hint = f"the server asks for a pause of {wait:,.0f} s: try again after that"
        return kind(message, hint=hint, status=self.response.status_code, retry_after=wait)

    def _read_retry_after(self) -> float | None:
        """Return how many seconds the server asks to wait, by its own clock."""
        headers = self.response.headers
        now = parse_http_date(headers.get("date", ""))
        return parse_retry_after(
            headers.get("retry-after", ""), now=time.time() if now is None else now
        )

    def _explain_redirect(self) -> ServerError:
        """Name the target of a redirect without its query, which may hold a secret."""
        request = self.response.request
        location = self.secrets.hide(self.response.headers.get("location", ""), self.secret)
        try:
            target = request.url.join(location).copy_with(query=None, fragment=None)
        except (httpx.InvalidURL, ValueError):
            target = httpx.URL()
        shown = self._quote(str(target) or location.partition("?")[0], limit=200)
        if self.secrets.hides_answers:
            shown = f"{target.scheme}://{target.host}"
        message = (
            f"{self._request_line} was redirected to {shown}; redirects are not followed, to "
            "protect the token"
        )
        return self._make_error(
            NotLabelStudio, message, hint=_make_redirect_hint(request.url, target)
        )

    def _explain_too_large(self, detail: str) -> ServerError:
        """Say whose limit it is, as far as the response shows it."""
        size = len(self.response.request.content)
        by = self._quote(self.response.headers.get("server", ""), limit=60) or "the server"
        message = f"{self._request_line} returned 413: {size:,} bytes are too many: {detail}"
        if self._is_label_studio_error:
            hint = "this is a limit of Label Studio: raise it there, or store less in the task"
            return self._make_error(Rejected, message, hint=hint)
        hint = (
            f"this is a limit of {by}, probably a proxy in front of Label Studio: configure it to "
            "accept larger bodies (client_max_body_size in nginx)"
        )
        return self._make_error(Rejected, message, hint=hint)

    def _choose_refusal_hint(self, own: str) -> str:
        """Say what to do about a refusal: the ``own`` hint if Label Studio itself refuses."""
        asks = self.response.headers.get("www-authenticate", "").partition(" ")[0].rstrip(",")
        if asks and asks.lower() not in _OWN_SCHEMES:
            kind = self._quote(asks, limit=20)
            return (
                f"a proxy in front of Label Studio asks for its own login (WWW-Authenticate: "
                f"{kind}) in the header that carries the token: configure it to let requests to "
                "/api/ pass, or to accept another header, which you set with "
                "RECONCILER_HEADER_<NAME>"
            )
        if not self._is_label_studio_error:
            return _FOREIGN_HINT
        named = self.origins.token
        return own if named in {"", TOKEN_VARIABLE} else own.replace(_ANY_TOKEN, named)

    def _explain_foreign(self, found: str) -> ServerError:
        """Build the error for a response that Label Studio never gives."""
        status = self.response.status_code
        message = f"{self._request_line} returned {status} with {found}"
        # nginx says it only in the text of the page.
        wants_certificate = status == HTTPStatus.BAD_REQUEST and "SSL certificate" in found
        hint = _CERTIFICATE_HINT if wants_certificate else _ADDRESS_HINT
        return self._make_error(NotLabelStudio, message, hint=hint)

    @property
    def _request_line(self) -> str:
        """The method and address of the request, without its query."""
        request = self.response.request
        return f"{request.method} {request.url.copy_with(query=None)}"

    @property
    def _is_json(self) -> bool:
        """Whether the content type is JSON."""
        return "json" in self.response.headers.get("content-type", "").lower()

    @property
    def _is_label_studio_error(self) -> bool:
        """Whether the body has the form of Label Studio's errors."""
        try:
            body = json.loads(self.content) if self._is_json else None
        except (ValueError, RecursionError):
            return False
        return isinstance(body, dict) and "detail" in body

    def _describe_detail(self) -> str:
        """Return the reason in the body, shortened."""
        if not self._is_json:
            return self._describe_page()
        if self.secrets.hides_answers:
            return _HIDDEN
        try:
            body = json.loads(self.content)
        except (ValueError, RecursionError):
            return _UNREADABLE
        if not isinstance(body, dict):
            return "JSON that Label Studio does not send"
        errors = body.get("validation_errors")
        if isinstance(errors, dict) and errors:
            return self._quote(
                "; ".join(f"{name}: {_join_words(message)}" for name, message in errors.items())
            )
        return self._quote(_join_words(body.get("detail", "no reason given")))

    def _describe_page(self) -> str:
        """Describe what came instead of JSON."""
        if not self.content:
            return "an empty body instead of JSON"
        if self.secrets.hides_answers:
            return "something other than JSON, not shown, as it may repeat redacted values"
        kind = self.response.headers.get("content-type", "").split(";")[0]
        found = _TITLE.search(self._decode_beginning())
        title = " ".join((found[1] or found[2] or "").split()) if found else ""
        message = f" ({self._quote(title, limit=60)})" if title else ""
        named = f"of type {self._quote(kind, limit=60)}" if kind else "without a content type"
        return f"a page {named}{message} instead of JSON"

    def _decode_beginning(self) -> str:
        beginning = self.content[:20_000]
        try:
            return beginning.decode(self.response.charset_encoding or "utf-8", errors="replace")
        except (LookupError, ValueError):
            return beginning.decode(errors="replace")

    def _quote(self, text: str, *, limit: int = 300) -> str:
        """Quote the server: shortened, with invisible characters escaped and secrets hidden."""
        return escape_invisible(shorten(self.secrets.hide(text, self.secret), limit))


def _make_redirect_hint(requested: httpx.URL, target: httpx.URL) -> str:
    """Say what a redirect may mean; never suggest sending the token to another host."""
    if _LOGIN.search(target.path):
        return f"a login page is in front of the server; {_LOGIN_HINT}"
    if target.host != requested.host:
        found = "that is another host: probably a login page is in front of the server"
        return f"{found}; {_LOGIN_HINT}"
    if (requested.scheme, target.scheme) == ("http", "https") and target.path == requested.path:
        return f"the server requires https: use https:// in {SERVER_ADDRESS}"
    return f"is the path of {SERVER_ADDRESS} right?"


def _decode(content: bytes) -> Json:
    """Decode with msgspec, or with the slower standard library where msgspec cannot.

    Label Studio stores lone surrogates, which are not UTF-8, and integers of any size.
    """
    try:
        quick: Json = msgspec.json.decode(content)
    except (ValueError, RecursionError):
        slow: Json = json.loads(content, parse_constant=_refuse_constant, parse_float=_parse_finite)
        return slow
    return quick


def _join_words(message: Json) -> str:
    return " ".join(map(str, message)) if isinstance(message, list) else str(message)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _parse_finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(text)
    return value
