"""Authentication: legacy tokens, personal access tokens, and the access tokens made from them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import timedelta

from reconciler.sandbox.exchange import (
    Refusal,
    Request,
    Response,
    make_invalid,
    make_json,
    read_object,
)
from reconciler.sandbox.state import EMAIL, USER, State
from reconciler.sandbox.stored_values import NULL

ACCESS_SECONDS = 300
NOT_PROVIDED = "Authentication credentials were not provided."
_CHALLENGE = {"WWW-Authenticate": "Token"}
_SWITCHED_OFF = (
    "Authentication token no longer valid: legacy token authentication has been disabled "
    "for this organization"
)


def _encode_part(value: Mapping[str, object]) -> str:
    text = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def make_jwt(payload: Mapping[str, object]) -> str:
    """Return a token of the right form, with an invented signature, which nothing checks."""
    header = {"alg": "HS256", "typ": "JWT"}
    return ".".join(
        (_encode_part(header), _encode_part(payload), "c2FuZGJveC1zYW5kYm94LXNhbmRib3gtc2FuZGJveC0")
    )


SANDBOX_TOKEN = "5a9db0c5" * 5
SANDBOX_REFRESH_TOKEN = make_jwt(
    {"token_type": "refresh", "exp": 8_102_444_400, "iat": 1_767_225_600, "user_id": str(USER)}
)


def authenticate(state: State, request: Request) -> None:
    """Refuse the request with 401 unless its header holds a valid token."""
    scheme, *rest = request.headers.get("authorization", "").split() or [""]
    if scheme.lower() == "token":
        _check_legacy(state, rest)
    elif scheme.lower() != "bearer" or not (state.personal_tokens and _is_fresh(state, rest)):
        raise _make_unauthorised(NOT_PROVIDED)


def whoami(_state: State, _request: Request) -> Response:
    """Return the only user, who owns all tokens."""
    user = {
        "id": USER,
        "first_name": "",
        "last_name": "",
        "username": "sandbox",
        "email": EMAIL,
        "initials": "sa",
        "phone": "",
        "active_organization": 1,
        "active_organization_meta": {"title": "Sandbox", "email": "sandbox@example.com"},
        "permissions": ["tasks.view", "tasks.change"],
    }
    return make_json(user)


def refresh(state: State, request: Request) -> Response:
    """Return a new access token for a personal access token."""
    body = read_object(request)
    if "refresh" not in body:
        raise make_invalid({"refresh": ["This field is required."]})
    token = body["refresh"]
    if token is None:
        raise make_invalid({"refresh": [NULL]})
    if token not in state.refresh_tokens:
        wrong = "has wrong type" if token in state.access_tokens else "is invalid"
        header = {"WWW-Authenticate": 'Bearer realm="api"'}
        raise Refusal(401, f"Token {wrong}", headers=header)
    return make_json({"access": _make_access_token(state)})


def get_token_settings(state: State, _request: Request) -> Response:
    """Return which kinds of token the organisation accepts."""
    kinds = {
        "api_tokens_enabled": state.personal_tokens,
        "legacy_api_tokens_enabled": state.legacy_tokens,
    }
    return make_json(kinds)


def change_token_settings(state: State, request: Request) -> Response:
    """Enable or disable kinds of token."""
    body = read_object(request)
    state.personal_tokens = bool(body.get("api_tokens_enabled", state.personal_tokens))
    state.legacy_tokens = bool(body.get("legacy_api_tokens_enabled", state.legacy_tokens))
    return get_token_settings(state, request)


def _make_access_token(state: State) -> str:
    issued = state.clock()
    expires = issued + timedelta(seconds=ACCESS_SECONDS)
    payload = {
        "token_type": "access",
        "exp": int(expires.timestamp()),
        "iat": int(issued.timestamp()),
        "jti": f"{len(state.access_tokens):032x}",
        "user_id": str(USER),
    }
    token = make_jwt(payload)
    state.access_tokens[token] = expires
    return token


def _check_legacy(state: State, rest: list[str]) -> None:
    if not rest:
        raise _make_unauthorised("Invalid token header. No credentials provided.")
    if len(rest) > 1:
        raise _make_unauthorised("Invalid token header. Token string should not contain spaces.")
    if rest[0] not in state.tokens:
        raise _make_unauthorised("Invalid token.")
    if not state.legacy_tokens:
        raise _make_unauthorised(_SWITCHED_OFF)


def _is_fresh(state: State, rest: list[str]) -> bool:
    expires = state.access_tokens.get(rest[0]) if len(rest) == 1 else None
    return expires is not None and state.clock() < expires


def _make_unauthorised(detail: str) -> Refusal:
    return Refusal(401, detail, headers=_CHALLENGE)
