"""What a response means: JSON, or an error that says what to do."""

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
from reconciler.labelstudio.retry import asks_too_long, parse_http_date, parse_retry_after
from reconciler.labelstudio.secret_values import Secrets

TOKEN_VARIABLE: Final = "LABEL_STUDIO_API_KEY"  # noqa: S105 - the name, not the token
URL_VARIABLE: Final = "LABEL_STUDIO_URL"
_UNREADABLE: Final = "JSON that cannot be read"
_TITLE: Final = re.compile(
    r"<title[^>]*>(.*?)</title>|<h1[^>]*>(.*?)</h1>", re.IGNORECASE | re.DOTALL
)
_ADDRESS_HINT: Final = f"check {URL_VARIABLE}: is it Label Studio, and is there a proxy before it?"
_CERTIFICATE_HINT: Final = (
    f"a proxy before the server asks for a client certificate: see {CLIENT_VARIABLE}"
)
_REFUSALS: Final[Mapping[int, tuple[str, str]]] = {
    HTTPStatus.UNAUTHORIZED: (
        "refused",
        f"set {TOKEN_VARIABLE} to a valid token, from Account & Settings in Label Studio",
    ),
    HTTPStatus.FORBIDDEN: (
        "forbidden",
        f"the user of the token in {TOKEN_VARIABLE} has no right to do this",
    ),
}
"""What a refusal is called, and what to do where Label Studio itself refuses."""

_STRANGER_HINT: Final = (
    "Label Studio does not answer like this: does a proxy or gateway in front of it refuse this?"
)
_OWN_SCHEMES: Final = frozenset({"token", "bearer"})
"""What Label Studio itself asks for; its 401 has `WWW-Authenticate: Token`."""

_LOGIN: Final = re.compile(
    r"/(log-?in|sign-?in|sso|oauth2?|saml2?|auth|authorize)(/|$|\.)", re.IGNORECASE
)
"""The path of a page to log in on, of Label Studio or of others."""

_LOGIN_HINT: Final = (
    f"an API token does not get past it: check that {URL_VARIABLE} is not the address of a page, "
    "and ask whoever runs the login how programs get past it; headers for that go into "
    "RECONCILER_HEADER_<NAME>"
)


@dataclass(frozen=True, slots=True)
class Response:
    """A response whose body has been read as ``content``, and what can be said of it in words.

    ``secret`` is the token that was sent, and ``secrets`` holds what else was: some servers repeat
    it, messages never do.
    """

    response: httpx.Response
    content: bytes
    secret: str
    secrets: Secrets

    def raise_if_bad(self) -> None:
        """Raise the ServerError that fits the status, unless it is a good one."""
        if not self.response.is_success:
            raise self._explain()

    def json(self) -> Json:
        """Parse exactly: integers of any size, floats as Python's shortest form reads them.

        What is read here is written back in part, so nothing may be lost on the way. Raises
        NotLabelStudio.
        """
        try:
            return _decode(self.content)
        except (ValueError, RecursionError):
            found = _UNREADABLE if self._is_json else self._describe_page()
            raise self._explain_stranger(found) from None

    def _explain(self) -> ServerError:
        """Tell what a bad answer means, and what to do."""
        status, asked = self.response.status_code, self._asked
        if self.response.is_redirect:
            return self._explain_redirect()
        detail = self._describe_detail()
        if status in _REFUSALS:
            refused, hint = _REFUSALS[status]
            message = f"{asked} was {refused}: {detail}"
            return self._make_error(Unauthorised, message, hint=self._find_refuser(hint))
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and self.response.request.content:
            return self._explain_too_large(detail)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            if self._is_json:
                message = f"{asked} failed on the server with {status}: {detail}"
                return self._make_error(Broken, message)
            message = f"{asked} answered {status} with {detail}"
            return self._make_error(Broken, message, hint=_ADDRESS_HINT)
        if not self._is_json:
            return self._explain_stranger(detail)
        if status == HTTPStatus.NOT_FOUND:
            return self._make_error(NotFound, f"{asked} was not found: {detail}")
        return self._make_error(Rejected, f"{asked} was rejected with {status}: {detail}")

    def _make_error(self, kind: type[ServerError], message: str, *, hint: str = "") -> ServerError:
        """Make an error of a kind; what a bad answer asks to wait for goes with it."""
        asked = None if self.response.is_success else self._read_retry_after()
        if asked is not None and asks_too_long(asked):
            hint = f"it asks to be left alone for {asked:,.0f} seconds"
        return kind(message, hint=hint, status=self.response.status_code, retry_after=asked)

    def _read_retry_after(self) -> float | None:
        """Tell how many seconds the server asks to wait, by its own clock."""
        headers = self.response.headers
        now = parse_http_date(headers.get("date", ""))
        return parse_retry_after(
            headers.get("retry-after", ""), now=time.time() if now is None else now
        )

    def _explain_redirect(self) -> ServerError:
        """Tell where it leads: what follows a question mark there may be a secret of others."""
        request = self.response.request
        location = self.secrets.hide(self.response.headers.get("location", ""), self.secret)
        try:
            target = request.url.join(location).copy_with(query=None, fragment=None)
        except (httpx.InvalidURL, ValueError):
            target = httpx.URL()
        shown = self._quote(str(target) or location.partition("?")[0], limit=200)
        message = (
            f"{self._asked} was redirected to {shown}, and tokens are not sent after redirects"
        )
        return self._make_error(
            NotLabelStudio, message, hint=_make_redirect_hint(request.url, target)
        )

    def _explain_too_large(self, detail: str) -> ServerError:
        """Tell whose limit it is, as far as the answer does."""
        size = len(self.response.request.content)
        by = self._quote(self.response.headers.get("server", ""), limit=60) or "the server"
        message = f"{self._asked} was rejected with 413, {size:,} bytes being too many: {detail}"
        if self._speaks_label_studio:
            return self._make_error(Rejected, message, hint="it is Label Studio's own limit")
        hint = (
            f"it is the limit of {by}, probably a proxy before Label Studio: have it allow larger "
            "bodies, in nginx by client_max_body_size"
        )
        return self._make_error(Rejected, message, hint=hint)

    def _find_refuser(self, own: str) -> str:
        """Say what to do about a refusal: the ``own`` hint where Label Studio itself refuses."""
        asks = self.response.headers.get("www-authenticate", "").partition(" ")[0].rstrip(",")
        if asks and asks.lower() not in _OWN_SCHEMES:
            kind = self._quote(asks, limit=20)
            return (
                f"a proxy before Label Studio asks for a password of its own (WWW-Authenticate: "
                f"{kind}), in the header that the token is sent in: have it let requests below "
                "/api/ pass, or take another header (RECONCILER_HEADER_<NAME>)"
            )
        return own if self._speaks_label_studio else _STRANGER_HINT

    def _explain_stranger(self, found: str) -> ServerError:
        """Tell of an answer that no Label Studio gives."""
        status = self.response.status_code
        message = f"{self._asked} answered {status} with {found}"
        # nginx has no other way to tell it.
        wants_certificate = status == HTTPStatus.BAD_REQUEST and "SSL certificate" in found
        hint = _CERTIFICATE_HINT if wants_certificate else _ADDRESS_HINT
        return self._make_error(NotLabelStudio, message, hint=hint)

    @property
    def _asked(self) -> str:
        """Name the request, without its query, which holds nothing that a person wrote."""
        request = self.response.request
        return f"{request.method} {request.url.copy_with(query=None)}"

    @property
    def _is_json(self) -> bool:
        """Tell whether the body says that it is JSON."""
        return "json" in self.response.headers.get("content-type", "").lower()

    @property
    def _speaks_label_studio(self) -> bool:
        """Tell whether the body is what Label Studio says of an error."""
        try:
            body = json.loads(self.content) if self._is_json else None
        except (ValueError, RecursionError):
            return False
        return isinstance(body, dict) and "detail" in body

    def _describe_detail(self) -> str:
        """Say in a few words what the body says."""
        if not self._is_json:
            return self._describe_page()
        try:
            body = json.loads(self.content)
        except (ValueError, RecursionError):
            return _UNREADABLE
        if not isinstance(body, dict):
            return "JSON that no Label Studio answers"
        errors = body.get("validation_errors")
        if isinstance(errors, dict) and errors:
            return self._quote(
                "; ".join(f"{name}: {_join_words(message)}" for name, message in errors.items())
            )
        return self._quote(_join_words(body.get("detail", "no reason given")))

    def _describe_page(self) -> str:
        """Say what page stands in the place of JSON."""
        kind = self.response.headers.get("content-type", "no content type").split(";")[0]
        found = _TITLE.search(self._decode_beginning())
        title = " ".join((found[1] or found[2] or "").split()) if found else ""
        message = f" ({self._quote(title, limit=60)})" if title else ""
        return f"a page of {self._quote(kind, limit=60)}{message}, not JSON"

    def _decode_beginning(self) -> str:
        begins = self.content[:20_000]
        try:
            return begins.decode(self.response.charset_encoding or "utf-8", errors="replace")
        except (LookupError, ValueError):
            return begins.decode(errors="replace")

    def _quote(self, text: str, *, limit: int = 300) -> str:
        """Quote the server: briefly, visibly, and without what is secret."""
        return escape_invisible(shorten(self.secrets.hide(text, self.secret), limit))


def _make_redirect_hint(asked: httpx.URL, target: httpx.URL) -> str:
    """Say what a redirect may mean; never to send the token to where another host points."""
    if _LOGIN.search(target.path):
        return f"a login page is in front of the server; {_LOGIN_HINT}"
    if target.host != asked.host:
        message = "it leads to another host: probably a login page is in front of the server"
        return f"{message}; {_LOGIN_HINT}"
    if (asked.scheme, target.scheme) == ("http", "https") and target.path == asked.path:
        return f"the server wants https: let {URL_VARIABLE} begin with it"
    return f"is the path in {URL_VARIABLE} right?"


def _decode(content: bytes) -> Json:
    """Decode quickly what is plain JSON, and with patience what is not.

    Label Studio stores lone surrogates, which are no UTF-8, and integers of any size.
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
