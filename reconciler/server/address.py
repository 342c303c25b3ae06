"""The address of a server, checked before anything is sent to it."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from reconciler.errors import SettingsError

_EXAMPLE = "write it like https://label-studio.example.org"


def checked_address(address: str) -> str:
    """Return the address without a trailing slash; raises SettingsError for a bad one.

    A path is kept: Label Studio may stand below one.
    """
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        raise SettingsError("the address of the server cannot be read", hint=_EXAMPLE) from None
    if "@" in address:
        raise SettingsError("the address of the server holds a user name", hint=_EXAMPLE)
    if parts.query or parts.fragment:
        raise SettingsError("the address of the server has more than a path", hint=_EXAMPLE)
    spaced = any(character.isspace() for character in parts.geturl())
    if parts.scheme not in {"http", "https"} or not parts.hostname or spaced:
        raise SettingsError(f"{address!r} is not the address of a server", hint=_EXAMPLE)
    try:
        parts.port  # noqa: B018 - reading it is the check
    except ValueError:
        raise SettingsError(f"{address!r} has no valid port", hint=_EXAMPLE) from None
    return parts.geturl().rstrip("/").removesuffix("/api")


def is_plain(address: str) -> bool:
    """Tell whether what is sent to an address can be read on its way: http beyond this machine."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return False
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "http" or host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return True
