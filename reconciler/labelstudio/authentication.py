"""Both kinds of token, and the access token that one of them must be exchanged for."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from typing import Final

from reconciler.errors import SettingsError

RENEW_BEFORE: Final = 30.0
"""Seconds before the end of an access token when a new one is fetched, at most."""

LIFETIME: Final = 300.0
"""Seconds that Label Studio's access tokens are good for, where one does not say itself."""

Exchange = Callable[[str], str]
"""Sends a refresh token and returns the access token for it."""


class FixedToken:
    """A token that is sent as it is: a legacy one, or an access token handed over ready-made."""

    def __init__(self, header: str) -> None:
        self._header = header

    def get_header(self, exchange: Exchange) -> str:  # noqa: ARG002 - nothing to exchange
        """Return the value of the Authorization header."""
        return self._header

    def forget(self, header: str) -> bool:  # noqa: ARG002 - nothing to renew
        """Tell that no other try could succeed after a 401."""
        return False


class RefreshToken:
    """A personal access token: good only for fetching access tokens, which live for minutes.

    One fetch serves all workers: who finds the access token old waits for the one who is
    fetching already.
    """

    def __init__(self, token: str, *, now: Callable[[], float] = time.time) -> None:
        self._token = token
        self._now = now
        self._lock = threading.Lock()
        self._access = ""
        self._renew_at = 0.0

    def get_header(self, exchange: Exchange) -> str:
        """Return the value of the Authorization header, after an exchange where it is due."""
        with self._lock:
            if not self._access or self._now() > self._renew_at:
                asked = self._now()
                self._access = exchange(self._token)
                lifetime = _read_lifetime(self._access)
                self._renew_at = asked + lifetime - min(RENEW_BEFORE, lifetime / 10)
            return f"Bearer {self._access}"

    def forget(self, header: str) -> bool:
        """Forget the access token that was answered 401, unless it has been renewed since.

        Always worth one more try: clocks differ, and servers restart with other keys.
        """
        with self._lock:
            if header == f"Bearer {self._access}":
                self._access = ""
            return True


Credentials = FixedToken | RefreshToken


def parse_token(token: str) -> Credentials:
    """Tell the kind of token by its looks; raises SettingsError, without the token, if it has none.

    A personal access token is a JWT that says of itself that it is for refreshing.
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


def _read_lifetime(access: str) -> float:
    """Read from an access token for how many seconds it is good; its server's clock may be off."""
    issued, expires = _read_claim(access, "iat"), _read_claim(access, "exp")
    if isinstance(issued, int | float) and isinstance(expires, int | float):
        return float(expires - issued)
    return LIFETIME


def _read_claim(token: str, name: str) -> str | float | None:
    """Read one claim of a JWT's payload; None where it is none, or does not say."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    value = payload.get(name) if isinstance(payload, dict) else None
    return value if isinstance(value, str | int | float) else None
