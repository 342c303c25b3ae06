"""The digest that redacted outputs show: one from which no value can be guessed."""

from __future__ import annotations

import re
from typing import Final

DIGEST_KEY_VARIABLE: Final = "RECONCILER_DIGEST_KEY"

_DIGEST: Final = re.compile(r"(hmac-)?sha256:[0-9a-f]{64}", re.ASCII)

NO_KEY: Final = (
    f"not shown, as values could be guessed from it: set {DIGEST_KEY_VARIABLE} to a secret"
)
"""Why a redacted output has no digest."""


class DigestKey:
    """A secret that digests are signed with; empty for none.

    Plans and reports carry it, so nothing that saves or copies them takes it along: neither its
    repr nor a pickle holds the secret.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: str = "") -> None:
        self._secret = secret

    def __repr__(self) -> str:
        return f"DigestKey({'(hidden)' if self._secret else ''})"

    def __bool__(self) -> bool:
        return bool(self._secret)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DigestKey) and self._secret == other._secret

    def __hash__(self) -> int:
        return hash(self._secret)

    def __reduce__(self) -> tuple[type[DigestKey], tuple[()]]:
        return DigestKey, ()

    def sign(self, digest: str) -> str:
        """Return the digest to show; empty if there is no key."""
        if not (self._secret and digest):
            return ""
        import hmac  # noqa: PLC0415 - it loads OpenSSL, 5 ms that only redacted plans need

        return f"hmac-sha256:{hmac.digest(self._secret.encode(), digest.encode(), 'sha256').hex()}"

    def confirms(self, digest: str, expected: str) -> bool:
        """Tell whether ``expected`` names the plan with this digest, signed or as it is."""
        import hmac  # noqa: PLC0415 - as above

        known = (digest, self.sign(digest) or digest)
        return any(hmac.compare_digest(one.encode(), _encode(expected)) for one in known)


def is_digest(text: str) -> bool:
    """Tell whether a text is written as the digest of a plan is, signed or as it is."""
    return _DIGEST.fullmatch(text) is not None


def _encode(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


NO_DIGEST_KEY: Final = DigestKey()
