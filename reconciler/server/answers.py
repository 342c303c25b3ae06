"""What a response means: JSON, or an error that says what to do."""

from __future__ import annotations

import json
import math
import re
from http import HTTPStatus
from typing import Final, NoReturn

import httpx

from reconciler.errors import (
    Broken,
    NotFound,
    NotLabelStudio,
    Rejected,
    ServerError,
    Unauthorised,
)
from reconciler.plan.notation import shortened, visible
from reconciler.plan.values import Json

TOKEN_VARIABLE: Final = "LABEL_STUDIO_API_KEY"  # noqa: S105 - the name, not the token
URL_VARIABLE: Final = "LABEL_STUDIO_URL"
_UNREADABLE: Final = "JSON that cannot be read"
_TITLE: Final = re.compile(
    r"<title[^>]*>(.*?)</title>|<h1[^>]*>(.*?)</h1>", re.IGNORECASE | re.DOTALL
)
_REFRESH: Final = re.compile(r'"refresh": *"([^"]+)"')
_ADDRESS_HINT: Final = f"check {URL_VARIABLE}: is it Label Studio, and is there a proxy before it?"


def json_of(response: httpx.Response) -> Json:
    """Return the JSON of a good answer; raises the ServerError that fits any other one."""
    if not response.is_success:
        raise_for(response)
    return _parsed(response)


def raise_for(response: httpx.Response) -> NoReturn:
    """Raise what a bad answer means."""
    status = response.status_code
    asked = _asked(response)
    if response.is_redirect:
        target = _quoted(response.headers.get("location", ""), response, limit=200)
        raise NotLabelStudio(
            f"{asked} was redirected to {target}, and tokens are not sent after redirects",
            hint=f"set {URL_VARIABLE} to the address that the server redirects to",
            status=status,
        )
    detail = _detail(response)
    if status == HTTPStatus.UNAUTHORIZED:
        hint = f"set {TOKEN_VARIABLE} to a valid token, from Account & Settings in Label Studio"
        raise Unauthorised(f"{asked} was refused: {detail}", hint=hint, status=status)
    if status == HTTPStatus.FORBIDDEN:
        hint = f"the user of the token in {TOKEN_VARIABLE} has no right to do this"
        raise Unauthorised(f"{asked} was forbidden: {detail}", hint=hint, status=status)
    if not _is_json(response):
        kind: type[ServerError] = (
            Broken if status >= HTTPStatus.INTERNAL_SERVER_ERROR else NotLabelStudio
        )
        said = f"{asked} answered {status} with {detail}"
        raise kind(said, hint=_ADDRESS_HINT, status=status)
    if status == HTTPStatus.NOT_FOUND:
        raise NotFound(f"{asked} was not found: {detail}", status=status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Broken(f"{asked} failed on the server with {status}: {detail}", status=status)
    raise Rejected(f"{asked} was rejected with {status}: {detail}", status=status)


def _asked(response: httpx.Response) -> str:
    """Name the request: without its query, which holds nothing that a person wrote."""
    return f"{response.request.method} {response.request.url.copy_with(query=None)}"


def _parsed(response: httpx.Response) -> Json:
    """Parse exactly: integers of any size, floats as Python's shortest form reads them.

    What is read here is written back in part, so nothing may be lost on the way.
    """
    try:
        value: Json = json.loads(response.content, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        found = _UNREADABLE if _is_json(response) else _page(response)
        raise NotLabelStudio(
            f"{_asked(response)} answered {response.status_code} with {found}",
            hint=_ADDRESS_HINT,
            status=response.status_code,
        ) from None
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(text)
    return value


def _is_json(response: httpx.Response) -> bool:
    return "json" in response.headers.get("content-type", "").lower()


def _detail(response: httpx.Response) -> str:
    """Say in a few words what the body of an answer says."""
    if not _is_json(response):
        return _page(response)
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return _UNREADABLE
    if not isinstance(body, dict):
        return "JSON that no Label Studio answers"
    errors = body.get("validation_errors")
    if isinstance(errors, dict) and errors:
        parts = (f"{name}: {_words(words)}" for name, words in errors.items())
        return _quoted("; ".join(parts), response)
    return _quoted(_words(body.get("detail", "no reason given")), response)


def _words(said: Json) -> str:
    return " ".join(map(str, said)) if isinstance(said, list) else str(said)


def _page(response: httpx.Response) -> str:
    kind = response.headers.get("content-type", "no content type").split(";")[0]
    found = _TITLE.search(response.text[:20_000])
    title = " ".join((found[1] or found[2] or "").split()) if found else ""
    said = f" ({_quoted(title, response, limit=60)})" if title else ""
    return f"a page of {_quoted(kind, response, limit=60)}{said}, not JSON"


def _quoted(text: str, response: httpx.Response, *, limit: int = 300) -> str:
    """Quote a server: briefly, visibly, and without the token, which some repeat."""
    request = response.request
    sent = request.headers.get("authorization", "").partition(" ")[2]
    exchanged = _REFRESH.search(request.content.decode("ascii", "replace"))
    for secret in (sent, exchanged[1] if exchanged else ""):
        if secret:
            text = text.replace(secret, "(token)")
    return visible(shortened(text, limit))
