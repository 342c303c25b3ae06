"""Server addresses: checking them before anything is sent, and comparing them."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from reconciler.errors import SettingsError

TOKEN_VARIABLE: Final = "LABEL_STUDIO_API_KEY"  # noqa: S105 - the name, not the token
_EXAMPLE: Final = "write it like https://label-studio.example.org"
_PORTS: Final = {"http": 80, "https": 443}
_PAGE: Final = re.compile(r"/(projects/\d+|user/(login|account|signup))(/.*)?$")
"""How the path of a page in the browser ends."""
_NO_SCHEME: Final = re.compile(
    r"(?:localhost|[\w-]+(?:\.[\w-]+)+|\[[0-9a-fA-F:.]+\]|[\w-]+(?=:))(?::\d{1,5})?(?:/[\w./-]*)?",
    re.ASCII,
)
"""A host without a scheme: ``localhost:8080``, ``labels.example.org/app``."""


class ChosenServer(NamedTuple):
    """The server of a run: its address, and what named it, such as ``--url``."""

    address: str
    named_by: str


def normalize_address(address: str) -> str:
    """Return the address without a final slash or ``/api``; raises SettingsError if not valid.

    A path is kept: Label Studio may be served below one.
    """
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        raise SettingsError("the server address is not valid", hint=_EXAMPLE) from None
    if "@" in address:
        raise SettingsError("the server address contains a user name", hint=_EXAMPLE)
    _check_page(parts)
    if parts.query or parts.fragment:
        raise SettingsError("the server address has a query or a fragment", hint=_EXAMPLE)
    spaced = any(character.isspace() for character in parts.geturl())
    if parts.scheme not in _PORTS or not parts.hostname or spaced:
        hint = _advise_scheme(address.strip()) or _EXAMPLE
        raise SettingsError(f"{address!r} is not a server address", hint=hint)
    try:
        parts.port  # noqa: B018 - reading it is the check
    except ValueError:
        raise SettingsError(f"the port of {address!r} is not valid", hint=_EXAMPLE) from None
    return parts.geturl().rstrip("/").removesuffix("/api")


def _advise_scheme(address: str) -> str:
    """Ask for the scheme of an address that lacks only that; empty if more is wrong."""
    if not _NO_SCHEME.fullmatch(address):
        return ""
    # The address is not repeated: users swap variables, and it may be the token.
    return "write https:// before it, or http:// if the server has no TLS"


def is_this_machine(host: str) -> bool:
    """Tell whether a host is this machine."""
    host = normalize_host(host)
    ip = parse_ip(host)
    if ip is None:
        return host == "localhost" or host.endswith(".localhost")
    return ip.is_loopback


def normalize_host(host: str) -> str:
    """Return the name of a host in lower case, without a trailing dot."""
    return host.lower().rstrip(".")


def parse_ip(host: str) -> IPv4Address | IPv6Address | None:
    """Parse an IP address; an IPv4 address mapped into IPv6 becomes IPv4; None for a name."""
    try:
        ip = ip_address(host)
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip


def is_plaintext(address: str) -> bool:
    """Tell whether requests to an address are unencrypted: http to another machine.

    Proxies do not matter: an address on this machine never uses one.
    """
    parts = urlsplit(address)
    return parts.scheme == "http" and not is_this_machine(parts.hostname or "")


def is_same_server(one: str, other: str) -> bool:
    """Tell whether two addresses lead to the same server and path, however they are written.

    Raises SettingsError if an address is not valid.
    """
    return _split_place(one) == _split_place(other)


def _split_place(address: str) -> tuple[str, str, int | None, str]:
    parts = urlsplit(normalize_address(address))
    host = (parts.hostname or "").rstrip(".")
    return parts.scheme, host, parts.port or _PORTS.get(parts.scheme), parts.path


def _check_page(parts: SplitResult) -> None:
    """Refuse the address of a page in the browser, and suggest the address of its server."""
    found = _PAGE.search(parts.path)
    if found is None or parts.scheme not in _PORTS or not parts.hostname:
        return
    server = parts._replace(path=parts.path[: found.start()], query="", fragment="").geturl()
    raise SettingsError(
        f"the server address contains {found[0]}, the path of a page in the browser",
        hint=f"use {server}",
    )
