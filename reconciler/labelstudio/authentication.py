"""The two kinds of token, and the access token that one of them is exchanged for."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from typing import Final

from reconciler.core.observations import TokenFacts, TokenKind
from reconciler.errors import SettingsError

RENEW_BEFORE: Final = 30.0
"""A new access token is fetched at most this many seconds before the old one expires."""

LIFETIME: Final = 300.0
"""The assumed lifetime, in seconds, of an access token that does not state its own."""

_NEVER: Final = 1e12
"""Seconds since 1970 beyond any calendar: a claim may be any integer."""

Exchange = Callable[[str], str]
"""Exchanges a refresh token for an access token."""


class FixedToken:
    """A token that is sent unchanged: a legacy token, or an access token from the user."""

    def __init__(self, header: str) -> None:
        self._header = header

    def get_header(self, exchange: Exchange) -> str:  # noqa: ARG002 - nothing to exchange
        """Return the value of the Authorization header."""
        return self._header

    def forget(self, header: str) -> bool:  # noqa: ARG002 - nothing to renew
        """Return False: after a 401, another attempt would fail too."""
        return False


class RefreshToken:
    """A personal access token. It only serves to fetch access tokens, which live for minutes.

    One fetch serves all threads: a thread that needs a new access token waits if another thread
    is already fetching one.
    """

    def __init__(self, token: str, *, now: Callable[[], float] = time.time) -> None:
        self._token = token
        self._now = now
        self._lock = threading.Lock()
        self._access = ""
        self._renew_at = 0.0

    def get_header(self, exchange: Exchange) -> str:
        """Return the value of the Authorization header, after an exchange if one is due."""
        with self._lock:
            if not self._access or self._now() > self._renew_at:
                requested_at = self._now()
                self._access = exchange(self._token)
                lifetime = _read_lifetime(self._access)
                self._renew_at = requested_at + lifetime - min(RENEW_BEFORE, lifetime / 10)
            return f"Bearer {self._access}"

    def forget(self, header: str) -> bool:
        """Forget the access token that got a 401, unless it has been renewed since.

        Returns True: a new one may be accepted, as clocks differ and servers restart with other
        keys.
        """
        with self._lock:
            if header == f"Bearer {self._access}":
                self._access = ""
            return True


Credentials = FixedToken | RefreshToken


def parse_token(token: str) -> Credentials:
    """Find the kind of a token from its form.

    A personal access token is a JWT whose ``token_type`` is ``refresh``. Raises SettingsError,
    whose message does not contain the token, if the text cannot be a token.
    """
    token = token.strip()
    if not token or not token.isascii() or any(c.isspace() or not c.isprintable() for c in token):
        raise SettingsError(
            "the token is empty or has characters that a token cannot have",
            hint="copy it again from Account & Settings in Label Studio",
        )
    kind = _read_claim(token, "token_type")
    if kind == "refresh":
        return RefreshToken(token)
    if kind == "access":
        return FixedToken(f"Bearer {token}")
    return FixedToken(f"Token {token}")


def read_token_facts(token: str) -> TokenFacts:
    """Return the kind of a token, and when it expires by its own claims, without verifying them."""
    token = token.strip()
    kinds = {"refresh": TokenKind.PERSONAL, "access": TokenKind.ACCESS}
    kind = kinds.get(str(_read_claim(token, "token_type")), TokenKind.LEGACY)
    expires = None if kind is TokenKind.LEGACY else _read_claim(token, "exp")
    if isinstance(expires, int | float) and 0 <= expires < _NEVER:
        return TokenFacts(kind, float(expires))
    return TokenFacts(kind)


def _read_lifetime(access: str) -> float:
    """Return an access token's lifetime in seconds, by its own claims: clocks may differ."""
    issued, expires = _read_claim(access, "iat"), _read_claim(access, "exp")
    if isinstance(issued, int | float) and isinstance(expires, int | float):
        return float(expires - issued)
    return LIFETIME


def _read_claim(token: str, name: str) -> str | float | None:
    """Return one claim of a JWT's payload; None if it is not a JWT or lacks the claim."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    value = payload.get(name) if isinstance(payload, dict) else None
    return value if isinstance(value, str | int | float) else None
