"""Requests, responses and refusals of the sandbox, without I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; ``query`` is raw and without its ``?``, header names are lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def target(self) -> str:
        """The path with its query, as a request line has it."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response; the sender adds ``Content-Length``."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Refusal(Exception):
    """The server refuses a request; it becomes the error body that all refusals share."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}


def make_invalid(errors: Mapping[str, object]) -> Refusal:
    """Return the 400 that names each attribute and what is wrong with it."""
    return Refusal(400, "Validation error", errors=errors)


def make_json(
    body: object, status: int = 200, *, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a JSON response.

    A lone surrogate cannot be encoded. Like the real server, the sandbox fails only here, after
    everything has been stored, and returns its HTML page for failures.
    """
    try:
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return make_page(500)
    return Response(status, {"Content-Type": "application/json", **(headers or {})}, content)


def make_page(status: int) -> Response:
    """Return an HTML page, as the router and unexpected failures do."""
    text = f"<!doctype html>\n<html><head><title>{status} | Label Studio</title></head></html>\n"
    return Response(status, {"Content-Type": HTML}, text.encode())


def read_body(request: Request) -> object:
    """Return the JSON value that the request carries; an empty body counts as an empty object."""
    media = request.headers.get("content-type", "text/plain").partition(";")[0].strip()
    if media != "application/json":
        raise Refusal(415, f'Unsupported media type "{media}" in request.')
    if not request.body:
        return {}
    try:
        return json.loads(request.body.decode(), parse_constant=_refuse_constant)
    except ValueError as problem:
        raise Refusal(400, f"JSON parse error - {problem}") from problem


def read_object(request: Request) -> dict[str, object]:
    """Return the JSON object that the request carries; anything else makes the real server fail."""
    body = read_body(request)
    if not isinstance(body, dict):
        raise Refusal(500, f"'{type(body).__name__}' object has no attribute 'get'")
    return body


def _refuse_constant(name: str) -> object:
    raise ValueError(f"Out of range float values are not JSON compliant: {name!r}")
