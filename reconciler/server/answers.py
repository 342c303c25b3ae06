"""What a response means: JSON, or an error that says what to do."""

from __future__ import annotations

import json
import math
import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, NoReturn

import httpx
import msgspec

from reconciler.errors import (
    Broken,
    NotFound,
    NotLabelStudio,
    NotSent,
    Rejected,
    ServerError,
    Unauthorised,
)
from reconciler.plan.notation import shortened, visible
from reconciler.plan.values import Json
from reconciler.server.retrying import asks_too_much, date_of, seconds_asked

TOKEN_VARIABLE: Final = "LABEL_STUDIO_API_KEY"  # noqa: S105 - the name, not the token
URL_VARIABLE: Final = "LABEL_STUDIO_URL"
_UNREADABLE: Final = "JSON that cannot be read"
_TITLE: Final = re.compile(
    r"<title[^>]*>(.*?)</title>|<h1[^>]*>(.*?)</h1>", re.IGNORECASE | re.DOTALL
)
_ADDRESS_HINT: Final = f"check {URL_VARIABLE}: is it Label Studio, and is there a proxy before it?"
_NOT_TRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"
_CONNECTION_HINTS: Final = (
    ("certificate is not valid for", f"it is another host's: is {URL_VARIABLE} right?"),
    ("certificate has expired", "the server needs a new one"),
    ("WRONG_VERSION_NUMBER", f"it speaks no TLS: is {URL_VARIABLE} right to begin with https?"),
    (_NOT_TRUSTED, "name the certificate of its authority in SSL_CERT_FILE"),
    ("", f"is the server up, and is {URL_VARIABLE} right?"),
)
"""What to do, by the first of the words that are said."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response whose body has been read as ``content``, and what can be said of it in words.

    ``secret`` is the token that was sent: some servers repeat it, messages never do.
    """

    response: httpx.Response
    content: bytes
    secret: str

    def raise_if_bad(self) -> None:
        """Raise the ServerError that fits the status, unless it is a good one."""
        if not self.response.is_success:
            error = self.error()
            error.retry_after = self.retry_after()
            if asks_too_much(error):
                error.hint = f"it asks to be left alone for {error.retry_after:,.0f} seconds"
            raise error

    def json(self) -> Json:
        """Parse exactly: integers of any size, floats as Python's shortest form reads them.

        What is read here is written back in part, so nothing may be lost on the way. Raises
        NotLabelStudio.
        """
        try:
            return _decoded(self.content)
        except (ValueError, RecursionError):
            found = _UNREADABLE if self.is_json else self.page()
            raise self._not_label_studio(found) from None

    def error(self) -> ServerError:
        """Tell what a bad answer means, and what to do."""
        status, asked = self.response.status_code, self.asked
        if self.response.is_redirect:
            return self._redirected()
        detail = self.detail()
        if status == HTTPStatus.UNAUTHORIZED:
            hint = f"set {TOKEN_VARIABLE} to a valid token, from Account & Settings in Label Studio"
            return Unauthorised(f"{asked} was refused: {detail}", hint=hint, status=status)
        if status == HTTPStatus.FORBIDDEN:
            hint = f"the user of the token in {TOKEN_VARIABLE} has no right to do this"
            return Unauthorised(f"{asked} was forbidden: {detail}", hint=hint, status=status)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            if self.is_json:
                said = f"{asked} failed on the server with {status}: {detail}"
                return Broken(said, status=status)
            said = f"{asked} answered {status} with {detail}"
            return Broken(said, hint=_ADDRESS_HINT, status=status)
        if not self.is_json:
            return self._not_label_studio(detail)
        if status == HTTPStatus.NOT_FOUND:
            return NotFound(f"{asked} was not found: {detail}", status=status)
        return Rejected(f"{asked} was rejected with {status}: {detail}", status=status)

    def retry_after(self) -> float | None:
        """Tell how many seconds the server asks to wait, by its own clock."""
        headers = self.response.headers
        now = date_of(headers.get("date", ""))
        return seconds_asked(
            headers.get("retry-after", ""), now=time.time() if now is None else now
        )

    def _redirected(self) -> ServerError:
        target = self.quoted(self.response.headers.get("location", ""), limit=200)
        return NotLabelStudio(
            f"{self.asked} was redirected to {target}, and tokens are not sent after redirects",
            hint=f"set {URL_VARIABLE} to the address that the server redirects to",
            status=self.response.status_code,
        )

    def _not_label_studio(self, found: str) -> ServerError:
        status = self.response.status_code
        said = f"{self.asked} answered {status} with {found}"
        return NotLabelStudio(said, hint=_ADDRESS_HINT, status=status)

    @property
    def asked(self) -> str:
        """Name the request, without its query, which holds nothing that a person wrote."""
        request = self.response.request
        return f"{request.method} {request.url.copy_with(query=None)}"

    @property
    def is_json(self) -> bool:
        """Tell whether the body says that it is JSON."""
        return "json" in self.response.headers.get("content-type", "").lower()

    def detail(self) -> str:
        """Say in a few words what the body says."""
        if not self.is_json:
            return self.page()
        try:
            body = json.loads(self.content)
        except (ValueError, RecursionError):
            return _UNREADABLE
        if not isinstance(body, dict):
            return "JSON that no Label Studio answers"
        errors = body.get("validation_errors")
        if isinstance(errors, dict) and errors:
            return self.quoted(
                "; ".join(f"{name}: {_words(said)}" for name, said in errors.items())
            )
        return self.quoted(_words(body.get("detail", "no reason given")))

    def page(self) -> str:
        """Say what page stands in the place of JSON."""
        kind = self.response.headers.get("content-type", "no content type").split(";")[0]
        found = _TITLE.search(self._beginning())
        title = " ".join((found[1] or found[2] or "").split()) if found else ""
        said = f" ({self.quoted(title, limit=60)})" if title else ""
        return f"a page of {self.quoted(kind, limit=60)}{said}, not JSON"

    def _beginning(self) -> str:
        begins = self.content[:20_000]
        try:
            return begins.decode(self.response.charset_encoding or "utf-8", errors="replace")
        except (LookupError, ValueError):
            return begins.decode(errors="replace")

    def quoted(self, text: str, *, limit: int = 300) -> str:
        """Quote the server: briefly, visibly, and without the token."""
        if self.secret:
            text = text.replace(self.secret, "(token)")
        return visible(shortened(text, limit))


def _decoded(content: bytes) -> Json:
    """Decode quickly what is plain JSON, and with patience what is not.

    Label Studio stores lone surrogates, which are no UTF-8, and integers of any size.
    """
    try:
        quick: Json = msgspec.json.decode(content)
    except (ValueError, RecursionError):
        slow: Json = json.loads(content, parse_constant=_refuse, parse_float=_finite)
        return slow
    return quick


def _words(said: Json) -> str:
    return " ".join(map(str, said)) if isinstance(said, list) else str(said)


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(text)
    return value


def not_sent(address: str, said: str) -> NotSent:
    """Name the error of a request for which no connection came about, by what was ``said``."""
    hint = next(hint for words, hint in _CONNECTION_HINTS if words in said)
    error = NotSent(f"no answer from {address}: {said}", hint=hint)
    # A server that is not trusted now will not be in a moment.
    error.given_up = _NOT_TRUSTED in said
    return error
